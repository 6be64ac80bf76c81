import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../io/errors.ts';
import { parseTokens } from '../text/tokens.ts';
import { type TokenRules, tokenShares } from './token_shares.ts';

const side = (path: string, symbols: string) => ({
  path,
  tokens: parseTokens(
    symbols
      .split(' ')
      .map((symbol, i) => `${symbol} ${i}\n`)
      .join(''),
    path,
  ),
});

interface Case {
  name: string;
  theirs: string;
  ours: string;
  rules?: TokenRules;
  prior?: number[];
  /** "theirs→ours share" for each share that is not 0. */
  is: string[];
}
const cases: Case[] = [
  {
    name: 'the same symbols wherever they stand',
    theirs: 'b sil a',
    ours: 'sil a b',
    is: ['b→b 1', 'sil→sil 1', 'a→a 1'],
  },
  {
    name: 'symbols of another case, where that is said',
    theirs: 'SIL AA',
    ours: 'aa sil',
    rules: { ignoreCase: true },
    is: ['SIL→sil 1', 'AA→aa 1'],
  },
  {
    name: 'a phone that is several states of ours, by their prior',
    theirs: 'sil a',
    ours: 'sil a_1 a_2',
    prior: [0.2, 0.2, 0.6],
    is: ['sil→sil 1', 'a→a_1 0.25', 'a→a_2 0.75'],
  },
  {
    name: 'a phone that is several states of ours, equally without a prior',
    theirs: 'sil a',
    ours: 'sil a_1 a_2',
    is: ['sil→sil 1', 'a→a_1 0.5', 'a→a_2 0.5'],
  },
  {
    name: 'a phone whose states have no prior at all, equally',
    theirs: 'sil a',
    ours: 'sil a_1 a_2',
    prior: [1, 0, 0],
    is: ['sil→sil 1', 'a→a_1 0.5', 'a→a_2 0.5'],
  },
  {
    name: 'states that are one phone of ours',
    theirs: 'sil a_1 a_2',
    ours: 'a sil',
    is: ['sil→sil 1', 'a_1→a 1', 'a_2→a 1'],
  },
  {
    name: 'what the map says before anything else',
    theirs: 'sil a ax',
    ours: 'sil a b',
    rules: { map: { a: ['b'], ax: ['a'] } },
    is: ['sil→sil 1', 'a→b 1', 'ax→a 1'],
  },
  {
    name: 'several of ours by the map',
    theirs: 'sil v',
    ours: 'sil a b',
    rules: { map: { v: ['a', 'b'] } },
    prior: [0.5, 0.4, 0.1],
    is: ['sil→sil 1', 'v→a 0.8', 'v→b 0.2'],
  },
  {
    name: 'a token that the map drops',
    theirs: 'sil spn',
    ours: 'sil',
    rules: { map: { spn: [] } },
    is: ['sil→sil 1'],
  },
  {
    name: 'extra tokens that may be dropped',
    theirs: 'sil spn',
    ours: 'sil',
    rules: { extra: 'drop' },
    is: ['sil→sil 1'],
  },
  {
    name: 'tokens of ours that may be missing',
    theirs: 'sil',
    ours: 'sil a',
    rules: { missing: 'zero' },
    is: ['sil→sil 1'],
  },
  {
    name: 'the blank, whatever it is called and wherever it stands',
    theirs: 'a <eps>',
    ours: '<blk> a',
    rules: { blank: '<eps>' },
    is: ['a→a 1', '<eps>→<blk> 1'],
  },
];
for (const { name, theirs, ours, rules = {}, prior, is } of cases) {
  test(`tokenShares() finds ${name}`, () => {
    const [teacher, own] = [side('theirs', theirs), side('ours', ours)];
    const { shares } = tokenShares(teacher, { ...own, prior }, rules);
    const text = shares.map(
      ({ from, to, share }) =>
        `${teacher.tokens.symbols[from]}→${own.tokens.symbols[to]} ${Math.round(share * 1e6) / 1e6}`,
    );
    assert.deepEqual(text, is);
  });
}

test('tokenShares() counts what became of the tokens', () => {
  const ours = { ...side('ours', 'sil a_1 a_2 b c'), prior: [0.2, 0.2, 0.2, 0.2, 0.2] };
  const rules: TokenRules = { map: { bb: ['b'] }, missing: 'zero', extra: 'drop' };
  const { figures } = tokenShares(side('theirs', 'b bb a sil spn'), ours, rules);
  assert.deepEqual(figures, { same: 3, split: 1, splitBy: 'prior', merged: 1, zero: ['c'], dropped: ['spn'] });
});

const bad: [name: string, theirs: string, ours: string, rules: TokenRules, message: RegExp][] = [
  [
    'extra and missing tokens',
    'sil x y',
    'sil a',
    {},
    /put ours and theirs .*: theirs has x, y besides, and theirs lacks a; say in its description/,
  ],
  ['many extra tokens', 'a b c d e f g', 'a', {}, /theirs has b, c, d, e, f and 1 more besides/],
  ['a symbol of another case', 'SIL', 'sil', {}, /theirs has SIL besides, and theirs lacks sil/],
  ['a map to what we do not have', 'a', 'b', { map: { a: ['c'] } }, /makes a of theirs c, which ours does not have/],
  ['a blank that we do not have', '<b> a', 'sil a', { blank: '<b>' }, /theirs has the blank <b>, and ours no <blk>/],
  [
    'a token that would be the blank',
    '<b> <blk>',
    '<blk> a',
    { blank: '<b>' },
    /<blk> would be <blk>, which is the blank alone \(<b>\)/,
  ],
  ['two of ours that are one without case', 'a', 'a A', { ignoreCase: true }, /ours has a and A, which are one/],
];
for (const [name, theirs, ours, rules, message] of bad) {
  test(`tokenShares() refuses ${name}, naming both sides`, () => {
    assert.throws(
      () => tokenShares(side('theirs', theirs), side('ours', ours), rules),
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  });
}
