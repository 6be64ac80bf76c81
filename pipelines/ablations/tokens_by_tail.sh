#!/usr/bin/env bash
# Question: how many tokens of a frame are worth keeping, and what should the mass not kept mean?
# Knob: --k × --tail of filter_targets. Held still: corpus, teachers, student (small, the one that distillation helps), its
# recipe, T = 1. Seeds: SEEDS (default 0 1 2), on dev. Control: the full distribution, and hard labels. Ends in a table; the page
# is in exp/ablations/tokens_by_tail. A single token renormalised is a pseudo-label. UNTRANSCRIBED=yes in the environment brings
# in audio without transcripts, and leaves out the tail that needs them (with TRANSCRIBED=0.1, say).
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=(hard full)
settings=("full.untranscribed=${UNTRANSCRIBED:-}")
tails='ghost renormalise uniform to-label'
[ -z "${UNTRANSCRIBED:-}" ] || tails=${tails% to-label}
for k in 1 2 3 5 10; do
  for tail in $tails; do
    name=top$k-$tail
    arms+=("$name")
    settings+=("$name.targets=$name" "$name.filter=--select top-k --k $k --tail $tail" "$name.train=--soft-weight 1"
      "$name.untranscribed=${UNTRANSCRIBED:-}")
  done
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=small ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/tokens_by_tail "$@"
