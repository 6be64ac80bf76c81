import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions, type OptionTable } from './options.ts';

const table = {
  kind: { type: 'string', default: 'plain', choices: ['plain', 'deep', 'wide'], describe: 'kind' },
  teacher: { type: 'string', describe: 'file' },
  texts: { type: 'string', describe: 'file' },
  streaming: { type: 'boolean', default: false, describe: 'live' },
  masks: { type: 'number', default: 0, describe: 'how many' },
  layers: { type: 'number', default: 2, belongsTo: { kind: ['deep', 'wide'] }, describe: 'deep, wide' },
  weight: {
    type: 'number',
    default: 0.5,
    belongsTo: [{ teacher: 'given' }, { texts: 'given' }],
    describe: 'of either',
  },
  delay: { type: 'number', default: 0, belongsTo: { streaming: 'on' }, describe: 'streaming' },
  bins: { type: 'number', default: 8, belongsTo: { masks: 'above 0' }, describe: 'of masks' },
  stride: { type: 'number', default: 3, belongsTo: { teacher: 'not given' }, describe: 'without a teacher' },
  gated: { type: 'boolean', default: true, belongsTo: { kind: ['deep'], teacher: 'given' }, describe: 'both' },
} as const satisfies OptionTable;

test('checkOptions() fills in defaults, also of options that have no effect', () => {
  const { layers, weight, delay, bins, stride, gated } = checkOptions(table, {});
  assert.deepEqual([layers, weight, delay, bins, stride, gated], [2, 0.5, 0, 8, 3, true]);
});

const taken: Record<string, unknown>[] = [
  { kind: 'wide', layers: 3 },
  { teacher: 'a', weight: 0.1 },
  { texts: 'a', weight: 0.1 },
  { streaming: true, delay: 0 },
  { masks: '1', bins: '2' },
  { stride: 1 },
  { kind: 'deep', teacher: 'a', gated: false },
];
for (const given of taken) {
  test(`checkOptions() takes ${JSON.stringify(given)}`, () => {
    checkOptions(table, given);
  });
}

const refused: [given: Record<string, unknown>, message: string][] = [
  [{ layers: 2 }, '--layers belongs to --kind deep, wide, not to plain: leave it out'],
  [{ weight: 0.5 }, '--weight belongs to --teacher or --texts: give one of those as well, or leave it out'],
  [{ delay: 0 }, '--delay belongs to --streaming: give both, or leave it out'],
  [{ masks: 0, bins: 8 }, '--bins belongs to --masks above 0: give both, or leave it out'],
  [{ teacher: 'a', stride: 3 }, '--stride does not go with --teacher: leave out one of them'],
  [{ teacher: 'a', gated: true }, '--gated belongs to --kind deep, not to plain: leave it out'],
  [{ kind: 'deep', gated: true }, '--gated belongs to --teacher: give both, or leave it out'],
  [{ masks: 'many' }, '--masks many is not a number: need a number'],
  [{ masks: ' ' }, '--masks   is not a number: need a number'],
];
for (const [given, message] of refused) {
  test(`checkOptions() refuses ${JSON.stringify(given)}`, () => {
    assert.throws(() => checkOptions(table, given), { name: 'UsageError', message });
  });
}
