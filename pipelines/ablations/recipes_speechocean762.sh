#!/usr/bin/env bash
# Question: which recipe serves each arm best on speechocean762? Three trials an arm, on dev alone, with a seed that no result uses.
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
rate='--learning-rate 0.004'
faster='--learning-rate 0.006'
trial hard-rate4 "$rate"
trial hard-rate6 "$faster"
trial hard-dropout "$rate --dropout 0.1"
trial masked-rate4 "$rate $(masks 1 2 3)"
trial masked-rate6 "$faster $(masks 1 2 3)"
trial masked-more "$rate $(masks 1 4 5)"
trial smooth-rate4 "$rate --label-smoothing 0.05"
trial smooth-rate6 "$faster --label-smoothing 0.05"
trial smooth-more "$rate --label-smoothing 0.1"
for targets in full top3; do
  trial "$targets-rate4" "$rate" "$targets"
  trial "$targets-rate6" "$faster" "$targets"
  trial "$targets-w1" "$rate --soft-weight 1" "$targets"
done
exec make distill CORPUS=speechocean762 SPLIT=dev SEEDS="${SEEDS:-9}" ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/recipes-speechocean762 "$@"
