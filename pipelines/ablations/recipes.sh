#!/usr/bin/env bash
# Question: which recipe serves each arm best? Every arm has four trials or more, on dev alone, with a seed that no result uses.
# Knobs: dropout for hard labels, strength of the masks for masked ones, ε for smoothed ones; for soft targets the soft
# weight, and masks on the student's input. Held still: corpus, teachers, updates. Once for each size: SIZES=small REPORT=exp/ablations/recipes-small.
# Seeds: SEEDS (default 9). Control: the recipe each arm starts from. Ends in a table; the page is in exp/ablations/recipes.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

faint='$(call masks,1,2,3)' weak='$(weak_masks)' medium='$(call masks,1,6,8)' strong='$(call masks,2,8,10)'
arms=()
settings=()
trial() { # NAME FLAGS [TARGETS [UNTRANSCRIBED]]
  arms+=("$1")
  settings+=("$1.train=$2" "$1.targets=${3:-}" "$1.untranscribed=${4:-}")
}
for dropout in 0 0.05 0.1 0.2; do trial "hard-dropout$dropout" "--dropout $dropout"; done
trial masked-faint "$faint"
trial masked-weak "$weak"
trial masked-medium "$medium"
trial masked-strong "$strong"
for epsilon in 0.02 0.05 0.1 0.2; do trial "smooth$epsilon" "--label-smoothing $epsilon"; done
for targets in one full top3; do
  for weight in 0.5 0.9 1; do trial "$targets-w$weight" "--soft-weight $weight" $targets; done
  for weight in 0.9 1; do trial "$targets-w$weight-faint" "--soft-weight $weight $faint" $targets; done
  trial "$targets-w0.9-masked" "--soft-weight 0.9 $weak" $targets
done
for targets in full top3; do
  for weight in 0.5 0.9 1; do trial "$targets-w$weight-untranscribed" "--soft-weight $weight" $targets yes; done
  trial "$targets-w0.9-faint-untranscribed" "--soft-weight 0.9 $faint" $targets yes
  trial "$targets-w0.9-masked-untranscribed" "--soft-weight 0.9 $weak" $targets yes
done
exec make distill SPLIT=dev SEEDS="${SEEDS:-9}" ARMS="${arms[*]}" "${settings[@]}" REPORT=exp/ablations/recipes "$@"
