#!/usr/bin/env bash
# Question: which recipe serves each arm best on speechocean762 with CTC? Five trials an arm, on dev alone, with a seed that no result uses.
# Knobs: learning rate for all; dropout for hard labels, strength of the masks for masked ones, masks for soft ones. Held
# still: teachers, updates, size. Seeds: SEEDS (default 9). Control: the recipe each arm starts from. Ends in a table; the page
# is in exp/ablations/recipes-speechocean762-ctc. Use: recipes_speechocean762_ctc.sh DATA=the corpus's folder
set -eu -o pipefail
cd "$(dirname "$0")/../.."

arms=()
settings=()
trial() { # NAME FLAGS [TARGETS]
  arms+=("$1")
  settings+=("$1.train=--learning-rate $2" "$1.targets=${3:-}")
}
faint='$(call masks,1,2,3)'
for rate in 0.004 0.008 0.016 0.032; do
  trial "hard-$rate" "$rate"
  trial "masked-$rate" "$rate $faint"
  trial "full-$rate" "$rate" full
  trial "essence-$rate" "$rate" top3
done
trial hard-dropout "0.008 --dropout 0.1"
trial masked-more '0.008 $(weak_masks)'
trial full-masked "0.008 $faint" full
trial essence-masked "0.008 $faint" top3
exec make distill CORPUS=speechocean762 OBJECTIVE=ctc SPLIT=dev SEEDS="${SEEDS:-9}" ARMS="${TRIALS:-${arms[*]}}" BASELINE=hard-0.008 \
  "${settings[@]}" REPORT=exp/ablations/recipes-speechocean762-ctc "$@"
