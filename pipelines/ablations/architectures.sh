#!/usr/bin/env bash
# Question: is an ensemble of different kinds of networks worth more, alone and to a student, than one of time-delay networks?
# Knob: members of the ensemble, five of about 120 k parameters each: time-delay networks (t1 to t5), or two of these, an LSTM and a
# GRU in both directions, and self-attention. Held still: corpus, masks, updates, student (small). Seeds: SEEDS (default 0 1 2), on
# dev. Control: the time-delay networks, and hard labels. Ends in a table for each; the pages are in exp/ablations/architectures-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

rate='--learning-rate 0.004'
settings=("t6.train=--kind lstm --width 32 $rate \$(augmented)" "t7.train=--kind gru --width 40 $rate \$(augmented)"
  't8.train=--kind attention --width 64 --layers 2 $(augmented)')
for members in ${ENSEMBLES:-alike mixed}; do
  case $members in alike) teachers='t1 t2 t3 t4 t5' exp=exp/digits ;; mixed) teachers='t1 t2 t6 t7 t8' exp=exp/digits-mixed ;; esac
  make distill SPLIT=dev SEEDS="${SEEDS:-0 1 2}" SIZES=small ARMS='hard full essence' TEACHERS="$teachers" "${settings[@]}" EXP=$exp \
    REPORT="exp/ablations/architectures-$members" "$@"
done
