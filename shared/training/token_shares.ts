import { InputError } from '../io/errors.ts';
import type { TokenShare } from '../math/map_tokens.ts';
import type { Tokens } from '../text/tokens.ts';
import { blankSymbol } from '../text/units.ts';

/** How symbols of a teacher are found among ours; see `output` in teacher.schema.json. */
export interface TokenRules {
  ignoreCase?: boolean;
  /** By symbol of the teacher: ours that share its mass; none drops it. */
  map?: Readonly<Record<string, readonly string[]>>;
  /** The teacher's symbol of the blank. */
  blank?: string;
  missing?: 'refuse' | 'zero';
  extra?: 'refuse' | 'drop';
}

/** Tokens, and the path of what has them. */
export interface TokenSide {
  path: string;
  tokens: Tokens;
}

export interface OurTokens extends TokenSide {
  /** Mean posterior of each token; what is split is split by it. */
  prior?: readonly number[];
}

/** What became of the tokens, for the report. */
export interface TokenFigures {
  /** Tokens of the teacher that are one of ours, or share one with others. */
  same: number;
  /** Tokens of the teacher that are several of ours. */
  split: number;
  splitBy?: 'prior' | 'equal shares';
  /** Ours that are several of the teacher's. */
  merged: number;
  /** Ours that it does not have: posterior 0. */
  zero: string[];
  /** Its own that we do not have: their mass goes to the others in proportion. */
  dropped: string[];
}

/**
 * Which of our tokens a teacher's tokens are, by symbol. In this order: what `map` says; the blank, which is the blank and
 * nothing else; the same symbol; all states of it (X where we have X_1, X_2, …); that of which it is a state (X_2 where we
 * have X). A token that is several of ours shares its mass among them in proportion to their prior, p(X_i|x) = p(X|x) ·
 * π(X_i) / Σ π(X_j): the teacher knows the phone and not the state, and where a decoder divides by the prior, all states
 * of a phone score alike. Without a prior the shares are equal. Several that are one of ours add up.
 *
 * @throws {InputError} naming both sides, and the tokens that are missing or extra and not allowed for
 */
export function tokenShares(
  teacher: TokenSide,
  ours: OurTokens,
  rules: TokenRules,
): { shares: TokenShare[]; figures: TokenFigures } {
  const lookUp = rules.ignoreCase ? foldedLookUp(teacher, ours) : (name: string) => ours.tokens.idOf.get(name);
  const found = teacher.tokens.symbols.map((symbol) => oursOf(symbol, { teacher, ours, rules, lookUp }));
  const shares = found.flatMap((ids, from) =>
    sharesOf(ids, ours.prior).map((share, i) => ({ from, to: ids[i]!, share })),
  );
  const sources = new Array<number>(ours.tokens.symbols.length).fill(0);
  for (const { to } of shares) sources[to]!++;
  const dropped = teacher.tokens.symbols.filter((_, from) => found[from]!.length === 0);
  const zero = ours.tokens.symbols.filter((_, to) => sources[to] === 0);
  const extra = rules.extra === 'drop' ? [] : dropped.filter((symbol) => !rules.map?.[symbol]);
  const missing = rules.missing === 'zero' ? [] : zero;
  if (extra.length + missing.length > 0) {
    const parts = [
      extra.length > 0 && `${teacher.path} has ${listed(extra)} besides`,
      missing.length > 0 && `${teacher.path} lacks ${listed(missing)}`,
    ].filter(Boolean);
    throw refuse(
      teacher,
      ours,
      `${parts.join(', and ')}; say in its description which are which (output.map), or allow for them (output.extra, output.missing)`,
    );
  }
  const split = found.filter((ids) => ids.length > 1);
  return {
    shares,
    figures: {
      same: found.filter((ids) => ids.length === 1).length,
      split: split.length,
      ...(split.length > 0 && { splitBy: ours.prior ? 'prior' : 'equal shares' }),
      merged: sources.filter((count) => count > 1).length,
      ...{ zero, dropped },
    },
  };
}

/** A number for each token carried over to others. */
export function carriedOver(values: readonly number[], shares: readonly TokenShare[], size: number): number[] {
  const result = new Array<number>(size).fill(0);
  for (const { from, to, share } of shares) result[to]! += share * values[from]!;
  return result;
}

interface Search {
  teacher: TokenSide;
  ours: TokenSide;
  rules: TokenRules;
  lookUp(name: string): number | undefined;
}

/** Ids of ours that a symbol is. */
function oursOf(symbol: string, { teacher, ours, rules, lookUp }: Search): number[] {
  const blankOfOurs = ours.tokens.idOf.get(blankSymbol);
  if (symbol === rules.blank) {
    if (blankOfOurs === undefined)
      throw refuse(
        teacher,
        ours,
        `${teacher.path} has the blank ${symbol}, and ${ours.path} no ${blankSymbol}; take teachers of one objective`,
      );
    return [blankOfOurs];
  }
  const mapped = rules.map?.[symbol]?.map((name) => {
    const id = ours.tokens.idOf.get(name);
    if (id === undefined)
      throw refuse(
        teacher,
        ours,
        `output.map makes ${symbol} of ${teacher.path} ${name}, which ${ours.path} does not have; correct it`,
      );
    return id;
  });
  const ids = mapped ?? namesakesOf(symbol, lookUp);
  if (rules.blank !== undefined && ids.includes(blankOfOurs ?? -1))
    throw refuse(
      teacher,
      ours,
      `${symbol} would be ${blankSymbol}, which is the blank alone (${rules.blank}); correct output.map or output.blank`,
    );
  return ids;
}

function namesakesOf(symbol: string, lookUp: (name: string) => number | undefined): number[] {
  const same = lookUp(symbol);
  if (same !== undefined) return [same];
  const states: number[] = [];
  for (let id = lookUp(`${symbol}_1`); id !== undefined; id = lookUp(`${symbol}_${states.length + 1}`)) states.push(id);
  if (states.length > 0) return states;
  const whole = lookUp(/^(.+)_\d+$/.exec(symbol)?.[1] ?? '');
  return whole === undefined ? [] : [whole];
}

function foldedLookUp(teacher: TokenSide, ours: TokenSide): (name: string) => number | undefined {
  const idOf = new Map<string, number>();
  for (const [symbol, id] of ours.tokens.idOf) {
    const folded = symbol.toLowerCase();
    const other = idOf.get(folded);
    if (other !== undefined)
      throw refuse(
        teacher,
        ours,
        `${ours.path} has ${ours.tokens.symbols[other]} and ${symbol}, which are one where case does not count; set output.ignoreCase to false`,
      );
    idOf.set(folded, id);
  }
  return (name) => idOf.get(name.toLowerCase());
}

function sharesOf(ids: readonly number[], prior: readonly number[] | undefined): number[] {
  const weights = ids.map((id) => prior?.[id] ?? 1);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => (sum > 0 ? weight / sum : 1 / ids.length));
}

const listed = (symbols: readonly string[]): string =>
  symbols.length > 5 ? `${symbols.slice(0, 5).join(', ')} and ${symbols.length - 5} more` : symbols.join(', ');

const refuse = (teacher: TokenSide, ours: TokenSide, why: string): InputError =>
  new InputError(`Cannot put ${ours.path} and ${teacher.path} into one ensemble: they differ in tokens.txt: ${why}`);
