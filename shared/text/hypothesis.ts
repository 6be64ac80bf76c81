/** Words that were found, word i in output frames startFrames[i] .. endFrames[i], the end excluded. */
export interface Hypothesis {
  words: readonly string[];
  startFrames: ArrayLike<number>;
  endFrames: ArrayLike<number>;
  /** In [0, 1], see `WordSequence`. */
  confidences: ArrayLike<number>;
  score: number;
}

/** When output frames are. */
export interface Timing {
  outputFrameShiftMs: number;
  /** Centre of the first one. */
  firstFrameCentreMs: number;
}

/** A word with its times, as it is written. */
export interface TimedWord {
  word: string;
  startSeconds: number;
  endSeconds: number;
  confidence: number;
}

/** Where a frame begins. */
export const secondsOfFrame = ({ outputFrameShiftMs, firstFrameCentreMs }: Timing, frame: number): number =>
  (firstFrameCentreMs + outputFrameShiftMs * (frame - 0.5)) / 1000;

/** @param firstFrame of the hypothesis, where it is not the first of its audio */
export function timedWords(
  { words, startFrames, endFrames, confidences }: Hypothesis,
  timing: Timing,
  firstFrame = 0,
): TimedWord[] {
  return words.map((word, i) => ({
    word,
    startSeconds: rounded(secondsOfFrame(timing, firstFrame + startFrames[i]!), 3),
    endSeconds: rounded(secondsOfFrame(timing, firstFrame + endFrames[i]!), 3),
    confidence: rounded(confidences[i]!, 4),
  }));
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Lines of NIST's CTM: utterance, channel, start and duration in seconds, word, confidence. */
export const ctmLines = (utterance: string, words: readonly TimedWord[]): string =>
  words
    .map(({ word, startSeconds, endSeconds, confidence }) => {
      const times = `${startSeconds.toFixed(3)} ${(endSeconds - startSeconds).toFixed(3)}`;
      return `${utterance} 1 ${times} ${word} ${confidence.toFixed(4)}\n`;
    })
    .join('');

/** A line of NIST's TRN: words, then the utterance in brackets. */
export const trnLine = (utterance: string, words: readonly string[]): string =>
  `${[...words, `(${utterance})`].join(' ')}\n`;

/** The probabilities of hypotheses among each other: the softmax of their scores. */
export function shares(hypotheses: readonly Pick<Hypothesis, 'score'>[]): number[] {
  const highest = Math.max(...hypotheses.map(({ score }) => score));
  const weights = hypotheses.map(({ score }) => Math.exp(score - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** All that was found of an utterance, for a line of JSON; `nBest` where there are several. */
export function hypothesisRecord(utterance: string, hypotheses: readonly Hypothesis[], timing: Timing, firstFrame = 0) {
  const [best] = hypotheses as readonly [Hypothesis];
  const posteriors = shares(hypotheses);
  return {
    utterance,
    text: best.words.join(' '),
    score: rounded(best.score, 4),
    words: timedWords(best, timing, firstFrame),
    ...(hypotheses.length > 1 && {
      nBest: hypotheses.map(({ words, score }, i) => ({
        text: words.join(' '),
        score: rounded(score, 4),
        posterior: rounded(posteriors[i]!, 4),
      })),
    }),
  };
}
