#!/usr/bin/env bash
# Question: CTC teachers trained apart speak at different times; is their ensemble better, and a student of it, when they are guided to
# speak when the first one does? After Kurata and Audhkhasi (2019), Guiding CTC Posterior Spike Timings for Improved Posterior
# Fusion and Knowledge Distillation, with cross-entropy in place of their product with a mask.
# Knob: soft weight of the guide; 0 is no guide. Held still: architectures, recipes, updates; dev alone. Seeds: SEEDS (default 9).
# Control: no guide, and the masked student without soft targets. Ends in a table for each weight; the pages are in exp/ablations/guided-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

for weight in ${WEIGHTS:-0 0.1 0.3 0.6}; do
  guides=()
  if [ "$weight" != 0 ]; then guides=("guide.train=--soft-weight $weight" t2.guide=t1 t3.guide=t1 t4.guide=t1 t5.guide=t1); fi
  make distill OBJECTIVE=ctc SPLIT=dev SEEDS="${SEEDS:-9}" ARMS="masked full essence" SIZES=large "${guides[@]}" BASELINE=masked \
    EXP="exp/digits-ctc-guided-$weight" REPORT="exp/ablations/guided-$weight" "$@"
done
