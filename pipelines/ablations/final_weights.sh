#!/usr/bin/env bash
# Question: which weights of a training should be the model: the last ones, the mean of the last fifth, those of the lowest dev loss?
# Knobs: --average-last, --early-stopping (of 12 evaluations) × what the student learns from. Held still: corpus, teachers, student
# (small), its recipe, updates. Seeds: SEEDS (default 0 1 2), on dev. Control: the last weights. Ends in a table; the page is in
# exp/ablations/final-weights.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=()
settings=()
for arm in hard essence; do
  arms+=("$arm" "$arm-averaged" "$arm-stopped")
  settings+=("$arm-averaged.train=\$($arm-small.train) --average-last 0.2" "$arm-averaged.targets=\$($arm.targets)"
    "$arm-stopped.train=\$($arm-small.train) --early-stopping --evaluations 12" "$arm-stopped.targets=\$($arm.targets)")
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=small ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/final-weights "$@"
