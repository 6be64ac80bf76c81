/** How a transcript becomes words. */
export interface TranscriptOptions {
  case: 'keep' | 'lower' | 'upper';
  /** `remove`: punctuation and symbols go, apostrophes within words stay. */
  punctuation: 'keep' | 'remove';
}

/**
 * The words of a transcript: composed (NFC), parted by white space, in the case asked for. Where punctuation goes, dashes
 * and slashes part words, a typographic apostrophe becomes a plain one, and what is left of a word may be nothing.
 */
export function transcriptWords(text: string, options: TranscriptOptions): string[] {
  const composed = text.normalize('NFC');
  const bare = options.punctuation === 'remove' ? withoutPunctuation(composed) : composed;
  return inCase(bare, options.case).split(/\s+/u).filter(Boolean);
}

const withoutPunctuation = (text: string): string =>
  text
    .replace(/[\u2019\u02bc]/gu, "'")
    .replace(/[\p{Pd}/]/gu, ' ')
    .replace(/(?<![\p{L}\p{M}\p{N}])'|'(?![\p{L}\p{N}])|(?!')[\p{P}\p{S}]/gu, '');

/** The text in a case. */
export function inCase(text: string, wanted: TranscriptOptions['case']): string {
  if (wanted === 'keep') return text;
  return wanted === 'upper' ? text.toUpperCase() : text.toLowerCase();
}
