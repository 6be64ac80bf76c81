import type { Sink } from '../io/output_folder.ts';
import { ctmLines, type Hypothesis, hypothesisRecord, type Timing, timedWords, trnLine } from '../text/hypothesis.ts';

/** Files of what was found, an utterance after another. */
export interface HypothesisFiles {
  /** @param hypotheses best first, at least one */
  append(utterance: string, hypotheses: readonly Hypothesis[]): void;
  close(): void;
}

/**
 * The same words in four forms: `hypotheses.txt` (Kaldi's text), `.trn` and `.ctm` (NIST's, with times and confidences) and
 * `.jsonl` (all of it); `n_best.txt` where several are asked for, lines of `utterance score word word …`, nats.
 */
export function createHypothesisFiles(
  { timing, nBest }: { timing: Timing; nBest?: number | undefined },
  create: (name: string) => Sink,
): HypothesisFiles {
  const names = ['hypotheses.txt', 'hypotheses.trn', 'hypotheses.ctm', 'hypotheses.jsonl'];
  const sinks = [...names, ...(nBest === undefined ? [] : ['n_best.txt'])].map(create);
  return {
    append(utterance, hypotheses) {
      const { words } = hypotheses[0]!;
      const texts = [
        `${[utterance, ...words].join(' ')}\n`,
        trnLine(utterance, words),
        ctmLines(utterance, timedWords(hypotheses[0]!, timing)),
        `${JSON.stringify(hypothesisRecord(utterance, hypotheses, timing))}\n`,
        hypotheses.map(({ words, score }) => `${[utterance, score.toFixed(4), ...words].join(' ')}\n`).join(''),
      ];
      sinks.forEach((sink, i) => void sink.write(Buffer.from(texts[i]!)));
    },
    close() {
      for (const sink of sinks) sink.close();
    },
  };
}
