#!/usr/bin/env bash
# Question: what do teachers bring for a speaker whom nobody has heard, when recipes are chosen for such speakers?
# Knobs: what the student learns from, with three recipes for each, of which each rotation takes the best one on its own dev
# speaker, with seed 9, which no result uses. Held still: corpus, teachers, size (SIZE, default small), updates. Seeds: SEEDS
# (default 0 1 2 3 4), on test. Control: hard labels, masked and (of frames) smoothed ones. OBJECTIVE=ctc in the environment takes
# CTC. Prints what each rotation has chosen, and ends in a table of all rotations; the page is in exp/ablations/unseen-*.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

objective=${OBJECTIVE:-frame} size=${SIZE:-small} seeds=${SEEDS:-0 1 2 3 4}
exp=exp/ablations/unseen-$objective-$size-scores
arms='hard masked full essence'
[ "$objective" = ctc ] || arms+=' smooth'
trials_of() { # the milder ones first: of equals they win
  case $1 in
    hard) echo hard-plain hard-dropout0.1 hard-dropout0.2 ;;
    masked) echo masked-faint masked-weak masked-medium ;;
    smooth) echo smooth0.02 smooth0.05 smooth0.1 ;;
    *) echo "$1-w0.9" "$1-w1" "$1-masked" ;;
  esac
}
for rotation in ${ROTATIONS:-unseen-0 unseen-1 unseen-2 unseen-3 unseen-4 unseen-5}; do
  settings=(OBJECTIVE="$objective" ROTATIONS="$rotation" SIZES="$size" EXP="$exp" "$@")
  trials=() recipes=()
  for trial in $(for arm in $arms; do trials_of $arm; done); do
    trials+=("$trial")
    settings+=("$trial.train=\$(rate) $(flags_of $trial)" "$trial.targets=$(targets_of $trial)")
  done
  make distill SPLIT=dev SEEDS=9 ARMS="${trials[*]}" BASELINE=hard-plain "${settings[@]}" REPORT="$exp/$rotation/on-dev" >/dev/null
  for arm in $arms; do
    best=$(for trial in $(trials_of $arm); do echo "$(wer_of "$exp/$rotation/score/$trial-$size/s9/dev") $trial"; done | sort -gs | head -n 1)
    echo "$rotation $arm: ${best#* }, ${best% *} % on dev"
    recipes+=("chosen-$arm.train=\$(rate) $(flags_of ${best#* })" "chosen-$arm.targets=$(targets_of ${best#* })")
  done
  make distill SPLIT=test SEEDS="$seeds" ARMS="$(printf 'chosen-%s ' $arms)" BASELINE=chosen-hard "${settings[@]}" "${recipes[@]}" \
    REPORT="$exp/$rotation/on-test" >/dev/null
done
exec node dist/report.js --scores $(for seed in $seeds; do ls -d "$exp"/*/score/{t[0-9],ensemble,chosen-*}/s"$seed"/test; done) \
  --baseline chosen-hard --out "exp/ablations/unseen-$objective-$size"
