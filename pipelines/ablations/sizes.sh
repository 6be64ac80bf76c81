#!/usr/bin/env bash
# Question: at which size of student does distillation pay?
# Knobs: size (width and layers) × what the student learns from; soft targets alone (w = 1), or with weak masks and w = 0.9.
# Held still: corpus, teachers (115 k parameters), updates. Seeds: SEEDS (default 0 1 2), on dev. Control: hard labels, plain,
# with weak masks, smoothed. Ends in a table; the page is in exp/ablations/sizes.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

settings=('masked.train=$(weak_masks)' 'smooth.train=--label-smoothing 0.05' 'soft.train=--soft-weight 1' soft.targets=top3
  'soft-masked.train=$(weak_masks)' soft-masked.targets=top3)
sizes=()
size() { # WIDTH DILATIONS
  sizes+=("w$1")
  settings+=("w$1.train=--width $1 --dilations $2")
}
size 20 1,2
size 32 1,2
size 48 1,2
size 64 1,2,3
size 96 1,2,3
size 192 1,2,3
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES="${sizes[*]}" ARMS="hard masked smooth soft soft-masked" \
  "${settings[@]}" REPORT=exp/ablations/sizes "$@"
