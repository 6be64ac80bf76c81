/** Figures as people read them; what is not known is a dash. */
export const unknown = '–';

type Figure = number | undefined;

const orUnknown = (figure: Figure, spell: (figure: number) => string): string =>
  figure === undefined || !Number.isFinite(figure) ? unknown : spell(figure);

/** A number with that many decimals and a true minus sign; never −0. */
export const fixed = (figure: Figure, decimals: number): string =>
  orUnknown(figure, (value) =>
    value
      .toFixed(decimals)
      .replace(/^-(0(\.0*)?)$/, '$1')
      .replace('-', '−'),
  );

/** A fraction in per cent, without the sign of it: 0.0123 → "1.23". */
export const percent = (fraction: Figure, decimals = 2): string =>
  fixed(fraction === undefined ? undefined : 100 * fraction, decimals);

/** A difference of fractions in points, with its sign: −0.0123 → "−1.23". */
export const points = (difference: Figure, decimals = 2): string => {
  const text = percent(difference, decimals);
  return difference !== undefined && difference > 0 && !/^0(\.0*)?$/.test(text) ? `+${text}` : text;
};

export const interval = ({ low, high }: { low: number; high: number }, spell: (fraction: number) => string): string =>
  `[${spell(low)}, ${spell(high)}]`;

/** "0.021", or "< 0.001" for less. */
export const pValue = (p: Figure): string => orUnknown(p, (value) => (value < 0.001 ? '< 0.001' : value.toFixed(3)));

/** 12345 → "12,345". */
export const count = (figure: Figure): string =>
  orUnknown(figure, (value) => Math.round(value).toLocaleString('en-GB'));

/** Decimal units: 1234 → "1.2 kB". */
export const bytes = (figure: Figure): string =>
  orUnknown(figure, (value) => {
    const step = value < 1e3 ? 0 : value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
    return `${(value / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${['B', 'kB', 'MB', 'GB'][step]}`;
  });

/** 75 → "1 min 15 s". */
export const duration = (seconds: Figure): string =>
  orUnknown(seconds, (value) => {
    if (value < 60) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
    const whole = Math.round(value);
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    const minutes = Math.round(whole / 60);
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  });

/** Error rates in words. */
export const rateTitles = {
  wer: 'Word error rate',
  cer: 'Character error rate',
  per: 'Phone error rate',
} as const;

/** "1 seed", "5 seeds". */
export const plural = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
