#!/usr/bin/env bash
# Question: does distillation help a student that may not look ahead, where its teachers do?
# Knobs: how late it may speak (target delay, input frames of 10 ms) × what it learns from. Held still: corpus, teachers,
# size (large), updates. Every arm with and without weak masks. Seeds: SEEDS (default 0 1 2). Control: hard labels, masked
# and smoothed ones, as late. Ends in a table for each delay; the pages are in exp/ablations/streaming-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

settings=()
for delay in ${DELAYS:-0 10 20 30}; do
  stream="--streaming --target-delay-frames $delay"
  arms=()
  arm() { # NAME FLAGS [TARGETS]
    arms+=("$1-delay$delay")
    settings+=("$1-delay$delay.train=$stream $2" "$1-delay$delay.targets=${3:-}")
  }
  arm hard ''
  arm masked '$(weak_masks)'
  arm smooth '--label-smoothing 0.05'
  for targets in full top3; do
    arm "$targets" '' "$targets"
    arm "$targets-masked" '$(weak_masks)' "$targets"
  done
  make distill SEEDS="${SEEDS:-0 1 2}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" BASELINE="hard-delay$delay" \
    REPORT="exp/ablations/streaming-delay$delay" "$@"
done
