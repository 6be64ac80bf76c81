import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTables } from './markdown_table.ts';
import { reportPage } from './page.ts';
import { reportRows } from './rows.ts';
import { syntheticRuns } from './testdata/synthetic_runs.ts';

const names = { baseline: 'hard', ensemble: 'ensemble' };
const options = {
  ...names,
  title: 'Digits & <more>',
  resamples: 200,
  attribution: 'Somebody, CC BY-SA',
  command: 'report --scores a b --out DIR',
};
const report = reportRows(syntheticRuns({ protocols: ['seen', 'unseen'], utterances: 40, seeds: 2 }), {
  ...names,
  resamples: 200,
  seed: 0,
});
const page = reportPage(report, options);

test('reportPage() is complete in itself: no scripts, nothing from elsewhere', () => {
  assert.doesNotMatch(page, /<script|https?:|@import|url\(|<link(?![^>]*href="data:,")/);
  assert.match(page, /^<!doctype html>/);
});

test('reportPage() escapes every name', () => {
  assert.ok(!page.includes('<more>') && page.includes('Digits &#38; &#60;more&#62;'));
  assert.ok(!page.includes('sample8 <&">') && page.includes('sample8 &#60;&#38;&#34;&#62;'));
});

test('reportPage() has no figure that is not a number', () =>
  assert.doesNotMatch(page, /NaN|undefined|Infinity|\[object/));

test('reportPage() has unique ids, and what refers to one finds it', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, names] of page.matchAll(/aria-labelledby="([^"]+)"/g))
    for (const name of names!.split(' ')) assert.ok(ids.includes(name), name);
});

test('reportPage() has a row per arm, the command and the attribution', () => {
  assert.equal([...page.matchAll(/class="row"/g)].length, report.rows.length);
  assert.ok(page.includes('report --scores a b --out DIR') && page.includes('Somebody, CC BY-SA'));
});

test('reportPage() does without curves, targets and comparisons', () => {
  const bare = syntheticRuns({ utterances: 20, seeds: 1 })
    .filter(({ arm }) => arm === 'hard')
    .map((run) => ({ ...run, curve: [], parameters: undefined, frameAccuracy: undefined }));
  const small = reportPage(reportRows(bare, { ...names, resamples: 100, seed: 0 }), options);
  assert.doesNotMatch(small, /NaN|undefined|Learning curves|Errors against storage/);
  assert.match(small, /No arm &#34;ensemble&#34;/);
});

test('markdownTables() lines up its columns and numbers its remarks', () => {
  const text = markdownTables(report, names);
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  assert.equal(lines.length, report.rows.length + 4);
  const pipes = (line: string) => [...line].flatMap((sign, i) => (sign === '|' ? [i] : [])).join();
  assert.equal(new Set(lines.slice(0, lines.length / 2).map(pipes)).size, 1);
  assert.match(text, /ensemble \(1\)[\s\S]*\n1\. one seed only/);
  assert.match(text, new RegExp(`correction for ${report.comparisons} comparisons`));
});

test('markdownTables() keeps a bar in a name from opening a column', () => {
  const [row] = report.rows;
  assert.match(markdownTables({ ...report, rows: [{ ...row!, arm: 'a|b' }] }, names), /a\\\|b/);
});
