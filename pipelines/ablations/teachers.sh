#!/usr/bin/env bash
# Question: how should the teachers be trained? On dev alone, with a seed that no result uses.
# Knobs: dropout and masks of all five teachers. Held still: corpus, architectures, updates.
# Seeds: SEEDS (default 9). Control: neither. Ends in a table for each setting; the pages are in exp/ablations/teachers-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

masks() { echo "--frequency-masks $1 --frequency-mask-bins $2 --time-masks $1 --time-mask-frames $3"; }
try() { # NAME FLAGS [more of make's]
  echo "teachers: $2"
  make distill SPLIT=dev SEEDS="${SEEDS:-9}" ARMS=hard EXP="exp/teachers-$1" augmented="$2" REPORT="exp/ablations/teachers-$1" "${@:3}"
}
try plain '' "$@"
try dropout '--dropout 0.2' "$@"
try faint "$(masks 1 2 3)" "$@"
try weak "$(masks 1 4 5)" "$@"
try medium "$(masks 1 6 8)" "$@"
try weak-dropout "--dropout 0.1 $(masks 1 4 5)" "$@"
try strong "$(masks 2 8 10)" "$@"
