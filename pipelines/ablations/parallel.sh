#!/usr/bin/env bash
# Question: does a student that hears a recording worse than its teachers did learn more from them than from hard labels?
# Knobs: what is done to the audio that students train and are tested on (noise at 0 to 10 dB, reverberation, telephone band)
# × what they learn from, with three recipes for each. Held still: corpus, teachers (on the recording as it is), updates. Seeds:
# SEEDS (default 9). Control: hard labels, masked and smoothed ones, that hear the same. The ensemble of the table hears the
# recording as it is. On dev with every recipe; the best ones then on the test set: parallel.sh SPLIT=test with SEEDS, HEARD and
# TRIALS in the environment. Ends in a table for each; the pages are in exp/ablations/parallel-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

all='hard hard-dropout0.1 hard-dropout0.2 masked-faint masked-weak masked-medium smooth0.02 smooth0.05 smooth0.1'
all+=' full-w0.9 full-w1 full-masked essence-w0.9 essence-w1 essence-masked'
settings=('noise.audio=--degrade noise --snr-db 0,10' 'reverberation.audio=--degrade reverberation' 'telephone.audio=--degrade telephone')
for heard in ${HEARD:-noise reverberation telephone}; do
  arms=()
  for trial in ${TRIALS:-$all}; do
    arms+=("$heard-$trial")
    settings+=("$heard-$trial.heard=$heard" "$heard-$trial.train=$(flags_of $trial)" "$heard-$trial.targets=$(targets_of $trial)")
  done
  make distill SPLIT=dev SEEDS="${SEEDS:-9}" SIZES=small ARMS="${arms[*]}" "${settings[@]}" BASELINE="${arms[0]}" \
    REPORT="exp/ablations/parallel-$heard" "$@"
done
