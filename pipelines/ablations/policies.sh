#!/usr/bin/env bash
# Question: which frames and which teachers are worth learning from, and is there a better measure of essence than a count?
# Knobs: --select (top-p, threshold, sample), --gate, --teachers (how many), --combine, --combination of filter_targets. Held
# still: corpus, teachers' training, student (small, the one that distillation helps), its recipe, T = 1. Seeds: SEEDS (default 0 1 2), on dev.
# Control: the full distribution, and hard labels. Ends in a table; the page is in exp/ablations/policies. UNTRANSCRIBED=yes in
# the environment brings in audio without transcripts, and leaves out the gate that needs them (with TRANSCRIBED=0.1, say).
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard full)
settings=("full.untranscribed=${UNTRANSCRIBED:-}")
try() { # NAME FILTER
  arms+=("$1")
  settings+=("$1.targets=$1" "$1.filter=$2" "$1.train=--soft-weight 1" "$1.untranscribed=${UNTRANSCRIBED:-}")
}
for p in 0.8 0.95 0.99; do try "top-p$p" "--select top-p --p $p --tail ghost"; done
for t in 0.1 0.01 0.001; do try "threshold$t" "--select threshold --threshold $t --tail ghost"; done
for n in 5 50; do try "sample$n" "--select sample --samples $n"; done
[ -n "${UNTRANSCRIBED:-}" ] || try gate-correct '--select all --gate correct'
for gate in confidence entropy agreement; do try "gate-$gate" "--select all --gate $gate"; done
for count in 1 2 3; do try "teachers$count" "--select all --teachers $(seq -s , 0 $((count - 1)))"; done
for rule in geometric best weighted; do try "$rule" "--select all --combine $rule"; done
settings+=(weighted.combination=yes)
for rule in linear geometric; do
  try "calibrated-$rule" "--select all --combine $rule"
  settings+=("calibrated-$rule.combination=yes")
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=small ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/policies "$@"
