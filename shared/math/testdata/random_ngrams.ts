import { createNgramBuilder, type NgramModel, symbolsBeside } from '../ngram_model.ts';
import type { Random } from '../random.ts';

/** A trigram model whose probabilities are drawn, not estimated; some n-grams are ruled out on demand. */
export function randomNgrams(random: Random, wordCount: number, { ruledOut = 0 } = {}): NgramModel {
  const words = Array.from({ length: wordCount }, (_, word) => word);
  const { start, end, unknown } = symbolsBeside(wordCount);
  const builder = createNgramBuilder(wordCount, words);
  const log = (): number => (random.uniform() < ruledOut ? -Infinity : -2 * random.uniform() - 0.1);
  for (const word of [...words, end, unknown]) builder.add([word], log(), -random.uniform());
  builder.add([start], -99, -random.uniform());
  for (const first of [start, ...words])
    for (const word of [...words, end]) if (random.uniform() < 0.7) builder.add([first, word], log(), -random.uniform());
  for (const first of [start, ...words])
    for (const second of words)
      for (const word of [...words, end]) if (random.uniform() < 0.4) builder.add([first, second, word], log(), 0);
  return builder.model();
}
