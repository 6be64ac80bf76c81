#!/usr/bin/env bash
# Question: do word sequences that the teachers hear serve a CTC student as well as their posteriors of each frame do?
# Knobs: sequences an utterance (1, 4) × soft weight, with weak masks; and with untranscribed audio besides. Held still: corpus,
# teachers, updates. Seeds: SEEDS (default 9). Control: masked hard labels, and the essence, of the same recipe. On dev with
# all of them; the best ones then on the test set: hypotheses_ctc.sh SPLIT=test with SEEDS and TRIALS in the environment.
# Ends in a table; the page is in exp/ablations/hypotheses-ctc.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

all='masked essence heard1-w0.5 heard1-w0.9 heard4-w0.5 heard4-w0.9 heard4-w1 essence-untranscribed heard1-w0.9-untranscribed heard4-w0.9-untranscribed'
settings=()
for trial in ${TRIALS:-$all}; do
  [[ $trial == *heard* ]] || continue
  count=${trial#heard} weight=${trial#*-w}
  settings+=("$trial.hypotheses=${count%%-*}" "$trial.train=\$(rate) --soft-weight ${weight%%-*} \$(weak_masks)")
  [[ $trial != *-untranscribed ]] || settings+=("$trial.untranscribed=yes")
done
exec make distill OBJECTIVE=ctc SPLIT=dev SEEDS="${SEEDS:-9}" SIZES=large ARMS="${TRIALS:-$all}" BASELINE=masked \
  "${settings[@]}" REPORT=exp/ablations/hypotheses-ctc "$@"
