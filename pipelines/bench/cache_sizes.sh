#!/usr/bin/env bash
# Question: what does a frame of a cache take on disk, and how far is what it keeps from the dense distribution?
# Knobs: k, compression; beside dense arrays and Kaldi's compressed archives. Held still: two teachers of 500 and of 5,000
# context-dependent states of speechocean762, their linear combination on its dev utterances, three temperatures (1, 2, 4), hard
# labels. The same teachers made surer (each taken to T = 0.5) stand for better ones: synthetic. Ends in a table.
# pipelines/bench/cache_sizes.sh FOLDER OF THE CORPUS
set -eu -o pipefail
cd "$(dirname "$0")/../.."
exp=${EXP:-exp/cache-sizes}
python=${PYTHON:-exp/bench/python/bin/python}
corpus=$exp/speechocean762
make CORPUS=speechocean762 DATA="$1" EXP="$corpus" ALIGN_PASSES="1 2" UPDATES_ALIGNER=400 SEEDS=0 \
  "$corpus"/official/align-2/{train,dev}/report.json ${PYTHON:-exp/bench/python/installed}
features=$corpus/official/features

for size in '500 1 600' '5000 2 500'; do
  read -r tokens neighbours updates <<<"$size"
  labels=$exp/$tokens/labels
  node dist/bench/context_labels.js "$tokens" "$neighbours" "$corpus"/official/align-2/{train,dev} "$labels"
  models=()
  for seed in 1 2; do
    models+=("$exp/$tokens/model/t$seed")
    node dist/train_student.js --features "$features/train" --alignment "$labels/train" --dev-features "$features/dev" \
      --dev-alignment "$labels/dev" --width 192 --dilations "1,2,$((2 + seed))" --learning-rate 0.012 \
      --updates "$updates" --seed "$seed" --out "${models[-1]}" >"$exp/$tokens/train.log"
  done
  "$python" pipelines/bench/cache_sizes.py sharpen "$exp/$tokens/sharpened" "${models[@]}"
  cache=(node dist/cache_logits.js --quiet --features "$features/dev" --teacher "${models[@]}")
  "${cache[@]}" --format dense --out "$exp/$tokens/dense" >"$exp/$tokens/cache.log"
  for sureness in real sharpened; do
    for k in 3 10 16 32; do
      for compression in plain zstd; do
        options=(--format sparse --k "$k" --temperatures 2,4 --alignment "$labels/dev")
        [ "$sureness" = real ] || options+=(--combination "$exp/$tokens/sharpened")
        [ "$compression" = plain ] || options+=(--compress zstd)
        "${cache[@]}" "${options[@]}" --out "$exp/$tokens/$sureness-$k-$compression" >"$exp/$tokens/cache.log"
      done
    done
  done
done
"$python" pipelines/bench/cache_sizes.py table "$exp" 500 5000
