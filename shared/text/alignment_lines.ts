import { graphemes } from './graphemes.ts';

export interface AlignedText {
  utterance: string;
  reference: readonly string[];
  hypothesis: readonly string[];
  /** A letter a step: C, S, I or D. */
  operations: string;
}

/** An alignment to be read, as sclite lays it out, but with the words as they are: REF, HYP and Eval below each other. */
export function alignmentLines({ utterance, reference, hypothesis, operations }: AlignedText): string {
  let [said, heard] = [0, 0];
  const columns = [...operations].map((step) => {
    const above = step === 'I' ? '' : reference[said++]!;
    const below = step === 'D' ? '' : hypothesis[heard++]!;
    const width = Math.max(1, widthOf(above), widthOf(below));
    const cell = (word: string) => (word === '' ? '*'.repeat(width) : word + ' '.repeat(width - widthOf(word)));
    return [cell(above), cell(below), (step === 'C' ? '' : step).padEnd(width)];
  });
  const line = (name: string, row: number) => `${name} ${columns.map((column) => column[row]).join(' ')}`.trimEnd();
  const counts = [...'CSDI'].map((letter) => operations.split(letter).length - 1);
  return [
    `id: (${utterance})`,
    `Scores: (#C #S #D #I) ${counts.join(' ')}`,
    line('REF: ', 0),
    line('HYP: ', 1),
    line('Eval:', 2),
    '',
    '',
  ].join('\n');
}

const widthOf = (word: string): number => graphemes(word).length;
