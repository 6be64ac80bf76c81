#!/usr/bin/env bash
# Question: what does it cost that the mean of a live speaker is not known in advance?
# Knobs: features as they are, or less the mean of their utterance (--cmvn utterance); for the latter transcribe takes a running
# mean, over 1, 4 or 30 s, or that of the whole file. Held still: a streaming student on hard labels, corpus, updates.
# Seeds: SEEDS (default 1 2 3). Control: the same models on single utterances, whose means are known. Ends in WERs of the test
# set for each seed: of single utterances by decode, and of whole recordings by transcribe, whose noise changes all the time; and
# in what transcribe says of 86 minutes through a pipe, the test recordings six times over: how late words were known, and memory.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. pipelines/ablations/trials.sh

row() { printf '%-10s %-22s' "$1" "$2" && for wer in "${@:3}"; do printf ' %6s' "$wer"; done && echo; }
whole_recordings() { # SEED FLAGS OF TRANSCRIBE: a line of words for each recording, as `text` has them
  for wav in "$data"/wav/*.wav; do
    words=$(node dist/transcribe.js --quiet --model "$exp/seen/model/stream-large/s$1" \
      --decoding "$exp/seen/decode/stream-large/s$1/dev" "${@:2}" "$wav" | tr '\n' ' ')
    echo "$(basename "$wav" .wav)-test $words"
  done
}
for cmvn in none utterance; do
  exp=exp/ablations/live-$cmvn
  data=$exp/seen/data/test
  make ARMS=stream SIZES=large SEEDS="${SEEDS:-1 2 3}" EXP=$exp CMVN=$cmvn \
    stream.train='--streaming --target-delay-frames 20 --dropout 0.1' \
    $(for seed in ${SEEDS:-1 2 3}; do echo "$exp/seen/score/stream-large/s$seed/test/report.json"; done)
  # a line for each recording: its utterances as they follow each other
  awk 'NR == FNR { id = $1; $1 = ""; text[id] = $0; next } { of[$2] = of[$2] text[$1] } END { for (r in of) print r of[r] }' \
    "$data/text" "$data/segments" | LC_ALL=C sort >"$exp/recordings.txt"
  row "$cmvn" 'single utterances' $(for seed in ${SEEDS:-1 2 3}; do wer_of "$exp/seen/score/stream-large/s$seed/test"; done)
  ways=('--mean running --mean-seconds 1' '--mean running --mean-seconds 4' '--mean running --mean-seconds 30' '--mean file')
  [ "$cmvn" = utterance ] || ways=('')
  for way in "${ways[@]}"; do
    wers=()
    for seed in ${SEEDS:-1 2 3}; do
      whole_recordings "$seed" $way >"$exp/heard.txt"
      node dist/score.js --quiet --data "$exp/recordings.txt" --hypotheses "$exp/heard.txt" --out "$exp/whole" >/dev/null
      wers+=("$(wer_of "$exp/whole")")
    done
    row "$cmvn" "recordings ${way#--mean }" "${wers[@]}"
  done
  seed=${SEEDS:-1 2 3}
  for _ in {1..6}; do for wav in "$data"/wav/*.wav; do tail -c +45 "$wav"; done; done |
    node dist/transcribe.js --quiet --model "$exp/seen/model/stream-large/s${seed%% *}" --raw-sample-rate 8000 \
      --decoding "$exp/seen/decode/stream-large/s${seed%% *}/dev" --timing "$exp/timing.jsonl" - >/dev/null
  tail -n 1 "$exp/timing.jsonl"
done
