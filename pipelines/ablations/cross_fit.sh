#!/usr/bin/env bash
# Question: teachers are surer of what they were trained on; does a student learn more from teachers that have not seen what they teach?
# Knob: FOLDS, parts of the training data of which each model of a teacher leaves one out; none is no cross-fit. Held still:
# architectures, recipes, updates. Seeds: SEEDS (default 0 1 2), on dev. Control: no folds, and hard labels. Ends in a table for
# each; the pages are in exp/ablations/cross-fit-*. The ensemble of a cross-fit has as many more models.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

for folds in '' 3; do
  make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=small ARMS="hard full essence" ${folds:+FOLDS=$folds EXP=exp/digits-cross-fit-$folds} \
    REPORT="exp/ablations/cross-fit-${folds:-none}" "$@"
done
