import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePhraseMap, phraseIndex, replacePhrases } from './phrase_map.ts';

const file = `;; made for this test
* name "test.glm"
gonna => going to
can not => cannot   ;; one way of the two
can => may
[WANNA] => [WANT TO] / [ ] __ [ ]
uh =>
`;

test('parsePhraseMap() reads rules in plain lines and in those of NIST', () => {
  assert.deepEqual(parsePhraseMap(file, 'map'), [
    { from: ['gonna'], to: ['going', 'to'] },
    { from: ['can', 'not'], to: ['cannot'] },
    { from: ['can'], to: ['may'] },
    { from: ['WANNA'], to: ['WANT', 'TO'] },
    { from: ['uh'], to: [] },
  ]);
});

const faults = [
  { line: 'gonna going to', message: /m, line 2: "gonna going to" is not "words => words"/ },
  { line: 'a => b => c', message: /is not "words => words"/ },
  { line: '=> b', message: /maps no word/ },
  { line: 'a => {b / c}', message: /has alternatives or a context/ },
  { line: '[a] => [b] / [c] __ [ ]', message: /has alternatives or a context/ },
  { line: 'x  => b', message: /"x {2}=> b" maps words that an earlier line maps/ },
];
for (const { line, message } of faults) {
  test(`parsePhraseMap() refuses "${line}"`, () => {
    assert.throws(() => parsePhraseMap(`x => y\n${line}\n`, 'm'), { name: 'SyntaxError', message });
  });
}

const replaced = (text: string) => {
  const { words, replaced } = replacePhrases(text.split(' '), phraseIndex(parsePhraseMap(file, 'map')));
  return `${words.join(' ')} ${replaced}`;
};

test('replacePhrases() takes the longest phrase at each place, from the left', () => {
  assert.equal(replaced('i can not say uh can gonna can'), 'i cannot say may going to may 6');
  assert.equal(replaced('can can not'), 'may cannot 3');
});

test('replacePhrases() does not replace what it put in', () => {
  const index = phraseIndex(parsePhraseMap('a => b a\nb => c', 'map'));
  assert.deepEqual(replacePhrases(['a', 'b'], index), { words: ['b', 'a', 'c'], replaced: 2 });
});

test('replacePhrases() gives words back as they are where nothing is to be replaced', () => {
  const words = ['not', 'can’t'];
  assert.equal(replacePhrases(words, phraseIndex(parsePhraseMap(file, 'map'))).words, words);
});
