#!/usr/bin/env bash
# Question: are teachers of different kinds a better ensemble, and better to learn from, than as many time-delay networks?
# Knobs: four time-delay networks (t1 to t4), or t1, an LSTM, a GRU (both bidirectional) and self-attention × what the student
# learns from. Held still: corpus, parameters of a teacher (117 to 129 k), masks, updates, students, their recipes. The learning
# rate of each kind, one of RATES (default 0.002 0.004 0.008), is the best on dev with seed 9, which no result uses. Seeds: SEEDS
# (default 0 1 2), on dev. Control: hard labels. Ends in a table for each ensemble; the pages are in exp/ablations/architectures-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

kinds=('--kind lstm --width 32' '--kind gru --width 40' '--kind attention --width 64')
rates=(${RATES:-0.002 0.004 0.008})

trials=() settings=()
for kind in "${!kinds[@]}"; do
  for rate in "${!rates[@]}"; do
    trials+=("t$((kind + 6))$rate")
    settings+=("t$((kind + 6))$rate.train=${kinds[$kind]} --learning-rate ${rates[$rate]} \$(weak_masks)")
  done
done
make distill SPLIT=dev SEEDS=9 SIZES=small ARMS=hard TEACHERS="${trials[*]}" "${settings[@]}" EXP=exp/architectures-rates \
  REPORT=exp/ablations/architectures-rates "$@" >/dev/null

mixed=()
for kind in "${!kinds[@]}"; do
  best=$(for rate in "${!rates[@]}"; do
    echo "$(wer_of "exp/architectures-rates/seen/score/t$((kind + 6))$rate/s9/dev") ${rates[$rate]}"
  done | tee /dev/stderr | sort -gs | head -n 1)
  echo "${kinds[$kind]}: learning rate ${best#* }, ${best% *} % on dev"
  mixed+=("t$((kind + 6)).train=${kinds[$kind]} --learning-rate ${best#* } \$(weak_masks)")
done

ensemble() { # NAME TEACHERS SETTINGS
  make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES="large small" ARMS="hard full essence" TEACHERS="$2" EXP="exp/architectures-$1" \
    REPORT="exp/ablations/architectures-$1" "${@:3}"
}
ensemble alike "t1 t2 t3 t4" "$@"
ensemble mixed "t1 t6 t7 t8" "${mixed[@]}" "$@"
