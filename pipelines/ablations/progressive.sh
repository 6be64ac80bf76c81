#!/usr/bin/env bash
# Question: does a student that becomes the teacher of the next one get better from generation to generation?
# Knob: generation (1 learns from the ensemble, each other one from the one before). Held still: corpus, updates, size (SIZE, default
# large), soft weight, no masks. Seeds: SEEDS (default 0 1 2). Control: hard labels, and the first generation. Ends in a table; the
# page is in exp/ablations/progressive. UNTRANSCRIBED=yes in the environment brings in audio without transcripts.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard)
settings=()
for generation in 1 2 3; do
  arms+=("generation$generation")
  settings+=("generation$generation.targets=full" "generation$generation.untranscribed=${UNTRANSCRIBED:-}")
  [ $generation = 1 ] || settings+=("generation$generation.teacher=generation$((generation - 1))-${SIZE:-large}")
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES="${SIZE:-large}" ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/progressive "$@"
