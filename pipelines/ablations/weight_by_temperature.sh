#!/usr/bin/env bash
# Question: how much should the student listen to the teachers, and how soft should they speak?
# Knob: --soft-weight of train_student × --temperature of filter_targets; 0.02 at 1.0 is the published starting point
# of a LibriSpeech recipe. Held still: corpus, teachers, student (large), full distribution.
# Seeds: SEEDS (default 0 1 2). Control: hard labels, and the same with the masks that all arms
# have. Ends in a table; the page is in exp/ablations/weight_by_temperature.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard masked)
settings=('masked-large.train=$(weak_masks)')
for temperature in 1 2 4; do
  settings+=("T$temperature.filter=--select all --temperature $temperature")
  for weight in 0.02 0.3 0.6 0.9 1; do
    name=T$temperature-w$weight
    arms+=("$name")
    settings+=("$name.targets=T$temperature" "$name.train=--soft-weight $weight \$(weak_masks)")
  done
done
exec make distill SEEDS="${SEEDS:-0 1 2}" ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/weight_by_temperature "$@"
