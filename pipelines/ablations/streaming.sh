#!/usr/bin/env bash
# Question: does distillation help a student that may not look ahead, where its teachers do?
# Knobs: how late it may speak (target delay, input frames of 10 ms) × what it learns from, with several recipes for each. Held
# still: corpus, teachers, updates. Seeds: SEEDS (default 9). Control: hard labels, masked and smoothed ones, as late. On dev
# with every recipe; the best ones then on the test set: streaming.sh SPLIT=test with SEEDS and TRIALS in the environment, once
# for each size. Ends in a table for each delay; the pages are in exp/ablations/streaming-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

all='hard hard-dropout masked-faint masked-weak masked-medium smooth0.02 smooth0.05'
all+=' full-w0.9 full-w1 full-masked essence-w0.9 essence-w1 essence-masked'
flags_of() {
  case $1 in
    *-dropout) echo '--dropout 0.1' ;;
    *-faint) echo '$(call masks,1,2,3)' ;;
    *-weak | *-masked) echo '$(weak_masks)' ;;
    *-medium) echo '$(call masks,1,6,8)' ;;
    smooth*) echo "--label-smoothing ${1#smooth}" ;;
    *-w*) echo "--soft-weight ${1#*-w}" ;;
  esac
}
for delay in ${DELAYS:-0 20}; do
  arms=()
  settings=()
  for trial in ${TRIALS:-$all}; do
    case $trial in full-*) targets=full ;; essence-*) targets=top3 ;; *) targets= ;; esac
    arms+=("$trial-delay$delay")
    settings+=("$trial-delay$delay.train=--streaming --target-delay-frames $delay $(flags_of $trial)" "$trial-delay$delay.targets=$targets")
  done
  make distill SPLIT=dev SEEDS="${SEEDS:-9}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" BASELINE="${arms[0]}" \
    REPORT="exp/ablations/streaming-delay$delay" "$@"
done
