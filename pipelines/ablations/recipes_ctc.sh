#!/usr/bin/env bash
# Question: which recipe serves each arm best with CTC on digits? Five trials an arm, on dev alone, with a seed that no result uses.
# Knobs: learning rate; dropout for hard labels, strength of the masks for masked ones, masks and soft weight for soft ones.
# Held still: teachers, updates, size. Seeds: SEEDS (default 9). Control: the recipe each arm starts from. Ends in a table;
# the page is in exp/ablations/recipes-ctc.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

rate() { echo "--learning-rate $1"; }
weak='$(weak_masks)' medium='$(call masks,1,6,8)' strong='$(call masks,2,6,8)'
arms=()
settings=()
trial() { # NAME FLAGS [TARGETS]
  arms+=("$1")
  settings+=("$1.train=$2" "$1.targets=${3:-}")
}
trial hard-0.004 "$(rate 0.004)"
trial hard-0.008 "$(rate 0.008)"
trial hard-0.016 "$(rate 0.016)"
trial hard-dropout0.1 "$(rate 0.008) --dropout 0.1"
trial hard-dropout0.2 "$(rate 0.008) --dropout 0.2"
trial masked-weak "$(rate 0.008) $weak"
trial masked-medium "$(rate 0.008) $medium"
trial masked-strong "$(rate 0.008) $strong"
trial masked-0.004 "$(rate 0.004) $medium"
trial masked-0.016 "$(rate 0.016) $medium"
for soft in full:full essence:top3; do
  arm=${soft%:*} targets=${soft#*:}
  trial "$arm-0.008" "$(rate 0.008)" "$targets"
  trial "$arm-0.016" "$(rate 0.016)" "$targets"
  trial "$arm-weak" "$(rate 0.008) $weak" "$targets"
  trial "$arm-medium" "$(rate 0.008) $medium" "$targets"
  trial "$arm-only" "$(rate 0.008) --soft-weight 1" "$targets"
done
exec make distill OBJECTIVE=ctc SPLIT=dev SIZES="${SIZES:-large}" SEEDS="${SEEDS:-9}" ARMS="${arms[*]}" "${settings[@]}" \
  REPORT=exp/ablations/recipes-ctc "$@"
