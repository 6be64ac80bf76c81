import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../engine/architecture.ts';
import { InputError } from '../io/errors.ts';
import type { Source } from './batches.ts';
import { crossFitGroups, type FoldOptions, leaveOutFold } from './cross_fit.ts';

const utterances = ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'd-1', 'd-2', 'd-3'];
const speakerOf = new Map(utterances.map((id) => [id, id[0]!]));
const source = { features: { path: 'exp/features' }, utterances } as unknown as Source;
const architecture: Architecture = {
  ...{ kind: 'tdnn', bins: 1, spliceLeft: 0, spliceRight: 0, stride: 1, width: 1, tokens: 2, dropout: 0 },
  dilations: [],
};
const candidate = (path: string, options: FoldOptions, given = source) => ({
  path,
  architecture,
  crossFit: leaveOutFold(given, options).crossFit,
});
const refuses = (use: () => unknown, message: RegExp): void =>
  assert.throws(use, (error: Error) => error instanceof InputError && message.test(error.message));

for (const by of ['utterance', 'speaker'] as const) {
  test(`leaveOutFold() by ${by} leaves each utterance out of exactly one fold, and keeps the order`, () => {
    const kept = [0, 1, 2].map((fold) => leaveOutFold(source, { folds: 3, fold, by, speakerOf }));
    const leftOut = kept.flatMap(({ crossFit }) => crossFit.leftOut);
    assert.deepEqual(leftOut.sort(), utterances);
    for (const { source: rest, crossFit } of kept) {
      assert.deepEqual(
        rest.utterances,
        utterances.filter((id) => !crossFit.leftOut.includes(id)),
      );
      if (by === 'utterance') continue;
      const speakers = new Set(crossFit.leftOut.map((id) => id[0]));
      assert.ok(rest.utterances.every((id) => !speakers.has(id[0])));
    }
  });
}

test('leaveOutFold() refuses more folds than speakers, and utterances of no speaker', () => {
  const options = { folds: 5, fold: 0, by: 'speaker', speakerOf } as const;
  refuses(() => leaveOutFold(source, options), /4 speakers do not fill 5 folds/);
  const strangers = { ...options, folds: 2, speakerOf: new Map([['a-1', 'a']]) };
  refuses(() => leaveOutFold(source, strangers), /no utterance "a-2"/);
});

test('crossFitGroups() puts models of each fold together, by architecture and rule, the first ones first', () => {
  const by = 'utterance';
  const models = [
    candidate('x1', { folds: 2, fold: 1, by }),
    candidate('y0', { folds: 2, fold: 0, by: 'speaker', speakerOf }),
    candidate('x0', { folds: 2, fold: 0, by }),
    { ...candidate('w0', { folds: 2, fold: 0, by }), architecture: { ...architecture, width: 2 } },
    candidate('y1', { folds: 2, fold: 1, by: 'speaker', speakerOf }),
    candidate('x0 again', { folds: 2, fold: 0, by }),
    candidate('x1 again', { folds: 2, fold: 1, by }),
    { ...candidate('w1', { folds: 2, fold: 1, by }), architecture: { ...architecture, width: 2 } },
  ];
  const groups = crossFitGroups(models);
  assert.deepEqual(
    groups.map(({ members }) => members.map((i) => models[i]!.path)),
    [
      ['x0', 'x1'],
      ['y0', 'y1'],
      ['w0', 'w1'],
      ['x0 again', 'x1 again'],
    ],
  );
  for (const { members, foldOf } of groups) {
    assert.deepEqual([...foldOf.keys()].sort(), utterances);
    for (const [id, fold] of foldOf) assert.ok(models[members[fold]!]!.crossFit.leftOut.includes(id));
  }
});

test('crossFitGroups() refuses models of all utterances, and groups that lack a fold or left out something else', () => {
  const models = [0, 2].map((fold) => candidate(`m${fold}`, { folds: 3, fold, by: 'utterance' }));
  refuses(() => crossFitGroups(models), /m0, m2.*no model of fold 1;/);
  refuses(() => crossFitGroups([{ path: 'all', architecture }]), /all: it was trained on all utterances/);
  const fewer = { ...source, utterances: utterances.slice(1) } as Source;
  const other = candidate('m1', { folds: 3, fold: 1, by: 'utterance' }, fewer);
  refuses(() => crossFitGroups([models[0]!, other, models[1]!]), /m0, m2.*no model of fold 1;/);
  const torn = candidate('m1', { folds: 3, fold: 1, by: 'utterance' });
  torn.crossFit.leftOut.pop();
  refuses(() => crossFitGroups([models[0]!, torn, models[1]!]), /left out 7 utterances in 7 places, of 8/);
});
