#!/usr/bin/env bash
# Question: does distillation help a student that may not look ahead, where its teachers do?
# Knobs: how late it may speak (target delay, input frames of 10 ms) × what it learns from, with several recipes for each. Held
# still: corpus, teachers, updates, features as they are (who speaks live does not know the mean of the utterance). Seeds: SEEDS
# (default 9). Control: hard labels, masked and smoothed ones, as late. On dev with every recipe; the best ones then on the test
# set: streaming.sh SPLIT=test with SEEDS and TRIALS in the environment, once for each size. Ends in a table for each delay; the
# pages are in exp/ablations/streaming-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

all='hard hard-dropout0.1 masked-faint masked-weak masked-medium smooth0.02 smooth0.05'
all+=' full-w0.9 full-w1 full-masked essence-w0.9 essence-w1 essence-masked'
for delay in ${DELAYS:-0 20}; do
  arms=()
  settings=()
  for trial in ${TRIALS:-$all}; do
    arms+=("$trial-delay$delay")
    settings+=("$trial-delay$delay.train=--streaming --target-delay-frames $delay $(flags_of $trial)" "$trial-delay$delay.targets=$(targets_of $trial)")
  done
  make distill CMVN=none SPLIT=dev SEEDS="${SEEDS:-9}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" BASELINE="${arms[0]}" \
    REPORT="exp/ablations/streaming-delay$delay" "$@"
done
