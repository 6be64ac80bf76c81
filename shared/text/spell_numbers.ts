const small = [
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen',
  'eighteen nineteen',
]
  .join(' ')
  .split(' ');
const tens = '- - twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const scales: readonly (readonly [size: number, name: string])[] = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
  [100, 'hundred'],
];

/** A whole number below 10¹⁵ in English, as it is said: 1234 → one thousand two hundred thirty four. */
function cardinal(value: number): string[] {
  if (value < 20) return [small[value]!];
  if (value < 100) {
    const ones = value % 10;
    return [tens[(value - ones) / 10]!, ...(ones > 0 ? [small[ones]!] : [])];
  }
  const [size, name] = scales.find(([size]) => value >= size)!;
  const rest = value % size;
  return [...cardinal((value - rest) / size), name, ...(rest > 0 ? cardinal(rest) : [])];
}

const irregular: Record<string, string> = {
  ...{ one: 'first', two: 'second', three: 'third', five: 'fifth', eight: 'eighth', nine: 'ninth', twelve: 'twelfth' },
};
const ordinalOf = (word: string): string => irregular[word] ?? `${word.replace(/y$/, 'ie')}th`;

const pattern =
  /^(?<before>[^\p{L}\p{N}]*?)(?<sign>[-−]?)(?<digits>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?<decimals>\d+)|(?<ordinal>st|nd|rd|th))?(?<percent>%?)(?<after>[^\p{L}\p{N}]*)$/iu;

/**
 * Numbers in digits as English words; any other word as it is, and so are amounts of money. Digits after a point, those
 * of a number that starts with 0, and those of one too large to name are said one by one. Punctuation stays.
 *
 * "1,250" → one thousand two hundred fifty; "3.50," → three point five "zero,"; "21st" → twenty first; "-4%" → minus
 * four percent
 */
export function spelledNumber(word: string): readonly string[] {
  const found = pattern.exec(word)?.groups;
  if (!found || /\p{Sc}/u.test(word)) return [word];
  const { before, sign, decimals, ordinal, percent, after } = found;
  const whole = found.digits!.replaceAll(',', '');
  const singly = (text: string): string[] => [...text].map((digit) => small[Number(digit)]!);
  const isNamed = whole.length <= 15 && !/^0./.test(whole);
  const spelled = isNamed ? cardinal(Number(whole)) : singly(whole);
  if (ordinal) spelled.push(ordinalOf(spelled.pop()!));
  if (sign) spelled.unshift('minus');
  if (decimals) spelled.push('point', ...singly(decimals));
  if (percent) spelled.push('percent');
  spelled[0] = `${before}${spelled[0]}`;
  spelled.push(`${spelled.pop()}${after}`);
  return spelled;
}
