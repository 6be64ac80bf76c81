#!/usr/bin/env bash
# Question: does a student that becomes the teacher of the next one get better from generation to generation?
# Knobs: generation (1 learns from the ensemble, each other one from the one before) × size. Held still: corpus, updates, soft
# weight, no masks. Seeds: SEEDS (default 0 1 2). Control: hard labels, and the first generation. Ends in a table; the page is in
# exp/ablations/progressive.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard generation1)
settings=(generation1.targets=full)
for generation in 2 3; do
  arms+=("generation$generation")
  settings+=("generation$generation.targets=full" "generation$generation.teacher=generation$((generation - 1))-large")
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/progressive "$@"
