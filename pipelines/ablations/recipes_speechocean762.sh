#!/usr/bin/env bash
# Question: which recipe serves each arm best on speechocean762? Five or six trials an arm, on dev alone, with a seed that no result uses.
# Knobs: learning rate for all; dropout for hard labels, strength of the masks for masked ones, ε for smoothed ones, soft weight.
# Held still: teachers, updates, size. Seeds: SEEDS (default 9). Control: the recipe each arm starts from. Ends in a table;
# the page is in exp/ablations/recipes-speechocean762. Use: recipes_speechocean762.sh DATA=the corpus's folder
set -eu -o pipefail
cd "$(dirname "$0")/../.."

masks() { echo "--frequency-masks $1 --frequency-mask-bins $2 --time-masks $1 --time-mask-frames $3"; }
arms=()
settings=()
trial() { # NAME FLAGS [TARGETS]
  arms+=("$1")
  settings+=("$1.train=$2" "$1.targets=${3:-}")
}
rate() { echo "--learning-rate $1"; }
for r in 0.008 0.012 0.018 0.027; do
  trial "hard-$r" "$(rate $r)"
  trial "masked-$r" "$(rate $r) $(masks 1 2 3)"
  trial "smooth-$r" "$(rate $r) --label-smoothing 0.05"
  trial "full-$r" "$(rate $r)" full
  trial "essence-$r" "$(rate $r)" top3
done
trial hard-0.040 "$(rate 0.040)" # the best of these two was the fastest so far
trial full-0.040 "$(rate 0.040)" full
trial hard-dropout "$(rate 0.012) --dropout 0.1"
trial masked-more "$(rate 0.012) $(masks 1 4 5)"
trial smooth-more "$(rate 0.012) --label-smoothing 0.1"
trial full-only "$(rate 0.012) --soft-weight 1" full
trial essence-only "$(rate 0.012) --soft-weight 1" top3
exec make distill CORPUS=speechocean762 SPLIT=dev SEEDS="${SEEDS:-9}" ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/recipes-speechocean762 "$@"
