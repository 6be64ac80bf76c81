/** What becomes of a word, wherever it stands: none, one or several words. */
export type WordRule = (word: string) => readonly string[];

/** Letters in one case. */
export const lowerCase: WordRule = (word) => [word.toLowerCase()];

/**
 * Without punctuation and symbols, apart from apostrophes inside a word; what hyphens, dashes and slashes joined is apart.
 *
 * "twenty-one," → "twenty", "one"; "don’t" → "don't"; "—" → nothing
 */
export const withoutPunctuation: WordRule = (word) => {
  if (/^[a-z]+$/i.test(word)) return [word]; // as most are
  return word
    .replace(/[’ʼ]/g, "'")
    .split(/[\p{Pd}/]+/u)
    .map((part) => part.replace(/(?<![\p{L}\p{N}\p{M}])'|'(?![\p{L}\p{N}])|(?!')[\p{P}\p{S}]/gu, ''))
    .filter((part) => part !== '');
};

/** Sounds of hesitation that NIST's scoring leaves out. */
const hesitations = new Set(
  'uh um eh mm hm ah huh ha er oof hee ach eee ew mhm hmm mmm uhm erm uhhuh uh-huh mm-hm'.split(' '),
);

/** Nothing for a sound of hesitation, in whatever case. */
export const withoutHesitations: WordRule = (word) => (hesitations.has(word.toLowerCase()) ? [] : [word]);
