import type { ErrorCounts } from '../math/word_error_rate.ts';

/** Errors of an utterance; its `words` are of the reference, or characters or phones where those are counted. */
export interface ScoredUtterance extends ErrorCounts {
  utterance: string;
  speaker: string;
}

/** A scored utterance with the steps of its alignment, a letter each: C, S, I or D. */
export interface AlignedUtterance extends ScoredUtterance {
  operations: string;
}

/** A line of `utterances.tsv`: the counts are those of the letters. */
export const scoredUtteranceLine = ({ utterance, speaker }: ScoredUtterance, operations: string): string =>
  `${utterance}\t${speaker}\t${operations}\n`;

/**
 * Reads `utterances.tsv`.
 *
 * @param source name for messages
 * @throws {SyntaxError} naming source and line
 */
export function parseScoredUtterances(text: string, source: string): AlignedUtterance[] {
  return text
    .replace(/\n$/, '') // and no tab, which may stand before it
    .split('\n')
    .map((line, i) => {
      const [utterance, speaker, operations] = line.split('\t');
      if (!utterance || !speaker || operations === undefined || /[^CSID]/.test(operations)) {
        throw new SyntaxError(`${source}, line ${i + 1}: "${line}" is not utterance, speaker and steps C, S, I and D`);
      }
      let [insertions, deletions, substitutions] = [0, 0, 0];
      for (const step of operations) {
        if (step === 'I') insertions++;
        else if (step === 'D') deletions++;
        else if (step === 'S') substitutions++;
      }
      return {
        utterance,
        speaker,
        words: operations.length - insertions,
        insertions,
        deletions,
        substitutions,
        operations,
      };
    });
}

/** Where an utterance of that many words belongs: 0, 1, 2, 3–4, 5–8, 9–16, …, by the last of them. */
export const lengthBin = (words: number): number => (words < 2 ? words : 2 ** (32 - Math.clz32(words - 1)));
