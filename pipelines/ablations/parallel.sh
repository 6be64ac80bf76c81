#!/usr/bin/env bash
# Question: does a student that hears a recording worse than its teachers did learn more from them than from hard labels?
# Knobs: what is done to the audio that students train and are tested on (noise at 0 to 10 dB, reverberation, telephone band)
# × what they learn from. Held still: corpus, teachers (on the recording as it is), size, updates, each arm's recipe. Seeds:
# SEEDS (default 0 1 2). Control: hard labels, masked and smoothed ones, that hear the same. The ensemble of the table hears
# the recording as it is. Ends in a table for each; the pages are in exp/ablations/parallel-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

settings=('noise.audio=--degrade noise --snr-db 0,10' 'reverberation.audio=--degrade reverberation' 'telephone.audio=--degrade telephone')
for heard in ${HEARD:-noise reverberation telephone}; do
  arms=()
  for arm in ${ARMS:-hard masked smooth full essence}; do
    arms+=("$heard-$arm")
    settings+=("$heard-$arm.heard=$heard" "$heard-$arm.train=\$($arm-large.train)" "$heard-$arm.targets=\$($arm.targets)")
  done
  make distill SEEDS="${SEEDS:-0 1 2}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" BASELINE="$heard-hard" \
    REPORT="exp/ablations/parallel-$heard" "$@"
done
