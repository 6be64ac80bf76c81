import { inCase, type TranscriptOptions } from './transcript_words.ts';

export interface PronunciationOptions extends Pick<TranscriptOptions, 'case'> {
  /** Whether `AH0`, `AH1` and `AH2` are one phone. */
  stripStress: boolean;
}

/**
 * Reads a pronunciation lexicon, as the CMU dictionary or Kaldi has it: lines of `word phone phone …`, several for a word
 * that is said in several ways. What follows a `#`, lines that begin with `;;;`, and the `(2)` of a further pronunciation
 * are left out; so is a pronunciation that is there already.
 *
 * @param source name for messages
 * @returns ways to say each word, in the order of the file, and each line without a pronunciation
 */
export function parsePronunciations(
  text: string,
  source: string,
  options: PronunciationOptions,
): { pronunciations: Map<string, string[][]>; faults: { place: string; why: string }[] } {
  const pronunciations = new Map<string, string[][]>();
  const faults: { place: string; why: string }[] = [];
  for (const [i, line] of text.normalize('NFC').split(/\r?\n/).entries()) {
    const [spelled = '', ...phones] = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (spelled === '' || spelled.startsWith(';;;')) continue;
    if (phones.length === 0) faults.push({ place: `${source}, line ${i + 1}`, why: `${spelled} has no phones` });
    const word = inCase(spelled.replace(/(?<=.)\(\d+\)$/, ''), options.case);
    const said = options.stripStress ? phones.map((phone) => phone.replace(/(?<=\D)[0-2]$/, '')) : phones;
    const others = pronunciations.get(word) ?? [];
    if (!others.some((other) => other.join(' ') === said.join(' '))) others.push(said);
    pronunciations.set(word, others);
  }
  return { pronunciations, faults };
}
