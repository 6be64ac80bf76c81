#!/usr/bin/env bash
# Question: with CTC most frames are blank to the teachers; are those worth learning from, or the spikes alone?
# Knob: --gate blank of filter_targets: no gate; each frame weighs 1 − the posterior of the blank; only frames whose blank is
# below a threshold. Held still: corpus, teachers, student (large), its recipe, top 3 with a ghost tail. Seeds: SEEDS (default
# 0 1 2), on dev. Control: no gate, the full distribution, and hard labels, plain and masked. Ends in a table; the page is in
# exp/ablations/blanks.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard masked full essence)
settings=()
try() { # NAME GATE
  arms+=("$1")
  settings+=("$1.targets=$1" "$1.filter=\$(top3.filter) --gate blank $2" "$1-large.train=\$(essence-large.train)")
}
try gate-blank ''
for threshold in 0.5 0.9 0.99; do try "gate-blank-$threshold" "--gate-threshold $threshold"; done
exec make distill OBJECTIVE=ctc SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=large ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/blanks "$@"
