const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * What a reader takes for the characters of a text: a letter with its marks is one, so is a flag or a syllable of Hangul.
 *
 * @see Unicode Standard Annex 29, extended grapheme clusters, in the version of the ICU that Node is built with
 */
export const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);
