#!/usr/bin/env bash
# Question: a student whose input is masked: should its teachers have heard the mask too, or the clean recording?
# Knob: soft targets of three masked copies of the training audio, from the copies or from the original. Held still: copies,
# labels, teachers, updates. Seeds: SEEDS (default 0 1 2), on dev. Control: hard labels of the same copies, and masks drawn anew in
# every epoch, whose targets are of the clean recording. Ends in a table; the page is in exp/ablations/masked-targets.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

copies='masked1 masked2 masked3'
settings=()
for seed in 1 2 3; do settings+=("masked$seed.audio=--seed $seed \$(weak_masks)"); done
for arm in hard clean-targets masked-targets; do settings+=("$arm-copies.also=$copies"); done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES="large small" ARMS="hard hard-copies clean-targets-copies masked-targets-copies full-masked" \
  "${settings[@]}" clean-targets-copies.targets=full clean-targets-copies.also-targets=train masked-targets-copies.targets=full \
  full-masked.targets=full 'full-masked.train=$(weak_masks)' REPORT=exp/ablations/masked-targets "$@"
