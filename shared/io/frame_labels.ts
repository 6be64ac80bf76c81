import { InputError } from './errors.ts';
import type { Row } from './utterance_table.ts';

export interface LabelledUtterance {
  utterance: string;
  frames: number;
  vocabularySize: number;
  /** What is done with them, and where both are, for messages. */
  what: string;
  alignment: string;
  other: string;
}

/**
 * Hard labels of a row of align_labels, one a frame.
 *
 * @throws {InputError} when there are not as many as frames, or one is no token
 */
export function labelsOfRow({ labels }: Row, asked: LabelledUtterance): Uint16Array {
  const { utterance, frames, vocabularySize, what, alignment, other } = asked;
  const found = labels as Uint16Array;
  if (found.length !== frames) {
    throw new InputError(
      `Cannot ${what} utterance "${utterance}": ${alignment} has labels for ${found.length} frames, ${other} has ${frames}; make both from the same features`,
    );
  }
  const wrong = found.find((label) => label >= vocabularySize);
  if (wrong === undefined) return found;
  throw new InputError(
    `Cannot ${what} utterance "${utterance}": label ${wrong} in ${alignment} is not one of ${vocabularySize} tokens; align again`,
  );
}
