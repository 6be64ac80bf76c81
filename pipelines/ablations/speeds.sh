#!/usr/bin/env bash
# Question: what is speed perturbation worth, to hard labels and to soft ones whose teachers hear each speed anew?
# Knobs: training audio at its own speed, or at 0.9 and 1.1 besides × what students learn from. Held still: corpus, teachers, size,
# updates, each arm's recipe. Seeds: SEEDS (default 0 1 2). Control: hard labels at one speed, and at three. Ends in a table;
# the page is in exp/ablations/speeds.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=()
settings=('slow.audio=--speed 0.9' 'fast.audio=--speed 1.1')
for arm in hard masked full essence; do
  arms+=("$arm" "$arm-speeds")
  settings+=("$arm-speeds.also=slow fast" "$arm-speeds.train=\$($arm-large.train)" "$arm-speeds.targets=\$($arm.targets)")
done
exec make distill SEEDS="${SEEDS:-0 1 2}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/speeds "$@"
