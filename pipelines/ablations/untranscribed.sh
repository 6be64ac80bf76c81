#!/usr/bin/env bash
# Question: where only some of the audio is transcribed, what does it bring to let teachers, who saw no more, label the rest?
# Knobs: share that is transcribed × what the student learns from, with several recipes for each. Held still: audio, updates.
# Seeds: SEEDS (default 9). Controls: hard labels of the transcribed part, regularised in as many ways; and pseudo-labels, the
# ensemble's best token of each frame as if it were certain. On dev with every recipe; the best ones then on the test set:
# untranscribed.sh SPLIT=test with SEEDS, SHARES and TRIALS in the environment, once for each size. Ends in a table for each
# share; the pages are in exp/ablations/transcribed-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

all='hard hard-dropout0.1 hard-dropout0.2 masked-weak masked-medium smooth0.05'
all+=' pseudo-w0.9 pseudo-w1 pseudo-masked full-w0.9 full-w1 full-masked essence-w0.9 essence-w1 essence-masked'
settings=()
for trial in ${TRIALS:-$all}; do
  targets=$(targets_of $trial)
  settings+=("$trial.train=\$(rate) $(flags_of $trial)" "$trial.targets=$targets" "$trial.untranscribed=${targets:+yes}")
done
trials=(${TRIALS:-$all})
for share in ${SHARES:-0.1 0.3}; do
  make distill TRANSCRIBED=$share SPLIT=dev SEEDS="${SEEDS:-9}" SIZES=large ARMS="${trials[*]}" "${settings[@]}" \
    BASELINE="${trials[0]}" EXP="exp/${CORPUS:-fsdd}-transcribed-$share" REPORT="exp/ablations/transcribed-$share" "$@"
done
