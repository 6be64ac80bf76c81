import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCompression } from '../shared/io/compression.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { sparseTargetsOfRow } from '../shared/io/essence.ts';
import { createOutputFolder, type OutputFolder } from '../shared/io/output_folder.ts';
import { runStage } from '../shared/io/stage.ts';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { openUtterances, type UtteranceTable } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { fromHalf, toHalf } from '../shared/math/half.ts';
import { logSoftmax } from '../shared/math/log_softmax.ts';
import { createRandom } from '../shared/math/random.ts';
import { cacheFrames } from '../shared/math/sparse_cache.ts';
import type { SparseTargets } from '../shared/math/sparse_targets.ts';
import { filterCached } from '../shared/training/filter_cached.ts';
import {
  createDenseCache,
  createSparseCaches,
  figuresOfCache,
  type SparseCaches,
} from '../shared/training/logits_cache.ts';
import { namedCombinations } from '../shared/training/named_combinations.ts';
import { stage as cacheLogits } from './cache_logits.ts';
import { stage as filterTargets } from './filter_targets.ts';
import {
  call,
  vocabularySize as tinySize,
  writeStageFolder,
  writeTinyAlignment,
  writeTinyFeatures,
  writeTinyModel,
} from './testdata/tiny_corpus.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const vocabularySize = 40;
const tokensText = Array.from({ length: vocabularySize }, (_, i) => `t${i} ${i}\n`).join('');
const lengths: Record<string, number> = { 'u-1': 30, 'u-2': 1, 'u-3': 17 };
const teacherCount = 3;

/** What a teacher says: in half precision, so that a dense cache keeps it as it is. */
function posteriorsOf(utterance: string, teacher: number): Float32Array {
  const random = createRandom('sparse', utterance, teacher);
  const logits = Float32Array.from({ length: lengths[utterance]! * vocabularySize }, () => 2 * random.normal());
  labelsOf(utterance).forEach((label, frame) => {
    logits[frame * vocabularySize + label]! += 4;
  });
  return fromHalf(toHalf(logSoftmax(logits, vocabularySize)));
}

const labelsOf = (utterance: string): Uint16Array => {
  const random = createRandom('labels', utterance);
  return Uint16Array.from({ length: lengths[utterance]! }, () => random.integer(vocabularySize));
};

function writeAlignment(path: string): string {
  return writeStageFolder(path, { id: path, stage: 'align_labels' }, (out) => {
    const metadata = { 'kd.format': 'alignment', 'kd.tokens': tokensDigest(tokensText) };
    const columns = { labels: 'list<uint16>' } as const;
    const writer = createUtteranceWriter(out.createFile('alignment.arrow'), { columns, metadata });
    for (const utterance of Object.keys(lengths)) {
      writer.append({ utterance, frames: lengths[utterance]!, labels: labelsOf(utterance) });
    }
    writer.close();
  });
}
const alignment = writeAlignment(at('alignment'));
const otherAlignment = writeAlignment(at('other-alignment'));

/** A folder as cache_logits leaves it: dense, or sparse as asked. */
async function writeCache(name: string, asked?: Partial<SparseCaches> & { combine?: string[]; compressed?: boolean }) {
  const isFrame = !asked?.hasBlank;
  const table = asked && isFrame ? await openUtterances(alignment) : undefined;
  const teachers = Array.from({ length: asked?.teachers ?? teacherCount }, (_, i) => ({
    ...{ name: `t${i}`, id: `id${i}`, prior: new Array(vocabularySize).fill(1 / vocabularySize) },
    selfLoop: new Array(vocabularySize).fill(0.5),
  }));
  if (asked?.compressed) await openCompression();
  const path = at(name);
  let summary: Record<string, unknown> = {};
  await writeAsync(path, async (out) => {
    const place = {
      ...{ out, part: 'part-00000-of-00001.arrow', vocabularySize },
      compression: asked?.compressed ? ('zstd' as const) : undefined,
      metadata: {
        ...{ 'kd.tokens': tokensDigest(tokensText), 'kd.frameShiftMs': '30', 'kd.firstFrameCentreMs': '15' },
        'kd.objective': isFrame ? 'frame' : 'ctc',
        'kd.teachers': JSON.stringify(teachers.map(({ id }) => id)),
      },
    };
    const cache = asked
      ? createSparseCaches(place, {
          ...{ k: 12, temperatures: [1, 2], hasBlank: false, teachers: teachers.length },
          combinations: namedCombinations(asked.combine ?? ['linear'], { teachers: teachers.length }),
          alignment: table && { table, id: alignment },
          ...asked,
        })
      : createDenseCache(place, teacherCount);
    for (const utterance of Object.keys(lengths)) {
      await cache.append(
        utterance,
        teachers.map((_, i) => posteriorsOf(utterance, i)),
      );
    }
    await cache.close();
    out.writeText('tokens.txt', tokensText);
    summary = figuresOfCache([cache.counted()]);
    return { teachers, ...summary };
  });
  return { path, summary: summary as { caches: Record<string, { kl: number; bytesPerFrame: number }> } };
}

/** As writeStageFolder, of what takes time. */
async function writeAsync(path: string, fill: (out: OutputFolder) => Promise<Record<string, unknown>>): Promise<void> {
  const out = createOutputFolder(path);
  const figures = await fill(out);
  out.commit({ ...{ stage: 'cache_logits', ...figures }, id: path, files: { ...out.files } });
}

const dense = (await writeCache('dense')).path;
const whole = await writeCache('whole', {
  k: vocabularySize,
  combine: ['linear', 'geometric', 'best', 'first=linear:1,0,0'],
});
const short = await writeCache('short', { combine: ['linear', 'geometric', 'best', 'first=linear:1,0,0'] });
const compressed = await writeCache('compressed', { compressed: true });

test('createSparseCaches() refuses teachers without a token in common where a combination needs one', async () => {
  const certainOf = (token: number) =>
    Float32Array.from({ length: vocabularySize }, (_, i) => (i === token ? 0 : -Infinity));
  const out = createOutputFolder(at('disjoint'));
  const place = { out, part: 'a.arrow', metadata: {}, compression: undefined, vocabularySize };
  const asked = { k: 3, temperatures: [1, 2], hasBlank: false, teachers: 2, alignment: undefined };
  const combinations = namedCombinations(['linear', 'geometric'], { teachers: 2 });
  const caches = createSparseCaches(place, { ...asked, combinations });
  await caches.append('fine', [certainOf(1), certainOf(1)]);
  await assert.rejects(
    caches.append('torn', [certainOf(1), certainOf(2)]),
    /utterance "torn" as geometric: the teachers have no token in common in frame 0; take --combine linear/,
  );
  out.discard();
});

test('filterCached() refuses a frame that is no distribution, naming it', () => {
  const asked = { k: 3, temperatures: [1], hasBlank: false };
  const { cached } = cacheFrames([posteriorsOf('u-1', 0)], { vocabularySize, rule: 'linear' }, asked);
  cached.logZ.get(1)![2] = Number.NaN;
  const policy = { temperature: 1, select: 'top-k', amount: 2, seed: 0, gate: 'none', chosen: [0] } as const;
  assert.throws(
    () => filterCached({ utterance: 'u-1', frames: cached, labels: undefined, path: 'exp/sparse' }, policy),
    /utterance "u-1": what exp\/sparse says of frame 2 is no distribution/,
  );
});

let calls = 0;
async function filter(given: Record<string, unknown>) {
  const out = at(`out-${calls++}`);
  const report = (await runStage(filterTargets, { ...given, out })) as unknown as Record<string, number> & {
    keptMass: Record<string, number>;
    meanPosterior: number[];
  };
  const table: UtteranceTable = await openUtterances(out, { format: 'essence' });
  const targets: Record<string, SparseTargets> = {};
  for await (const row of table.rows()) targets[row.utterance] = sparseTargetsOfRow(row, table.metadata);
  await table.close();
  return { report, targets, metadata: table.metadata };
}

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++) {
    const isSame = found[i] === expected[i] || Math.abs(found[i]! - expected[i]!) <= tolerance;
    assert.ok(isSame, `${what}: ${found[i]} for ${expected[i]} at ${i}`);
  }
}

/** Half a unit in the last place of a half below 16, twice. */
const rounding = 2 ** -7;

interface Same {
  name: string;
  asked: Record<string, unknown>;
  cache?: string;
  /** What a dense cache is asked in place of the name of a cache. */
  combine?: Record<string, unknown>;
  needsAll?: boolean;
}
const same: Same[] = [
  { name: 'the best three', asked: { k: 3 } },
  { name: 'twelve, the rest evenly', asked: { k: 12, tail: 'uniform' } },
  { name: 'top-p', asked: { select: 'top-p', p: 0.6 } },
  { name: 'a threshold', asked: { select: 'threshold', threshold: 0.06, tail: 'renormalise' } },
  { name: 'the tail to the label', asked: { k: 2, tail: 'to-label' } },
  { name: 'correct frames', asked: { gate: 'correct' } },
  { name: 'confidence', asked: { gate: 'confidence' } },
  { name: 'confident frames', asked: { gate: 'confidence', gateThreshold: 0.5 } },
  { name: 'certainty', asked: { gate: 'entropy' } },
  { name: 'agreement', asked: { gate: 'agreement', gateThreshold: 0.6 } },
  {
    name: 'a geometric combination at T = 2',
    asked: { k: 4, temperature: 2 },
    cache: 'geometric',
    combine: { combine: 'geometric' },
  },
  {
    name: 'the surest teacher at T = 2',
    asked: { select: 'top-p', p: 0.3, temperature: 2 },
    cache: 'best',
    combine: { combine: 'best' },
  },
  {
    name: 'one teacher at T = 2, confident frames',
    asked: { gate: 'confidence', gateThreshold: 0.3, temperature: 2 },
    cache: 'first',
    combine: { weights: [1, 0, 0] },
  },
  { name: 'all tokens', asked: { select: 'all' }, needsAll: true },
  {
    name: 'all tokens of one teacher at T = 2',
    asked: { select: 'all', temperature: 2 },
    cache: 'first',
    combine: { weights: [1, 0, 0] },
    needsAll: true,
  },
  { name: 'all mass', asked: { select: 'top-p', p: 1, tail: 'renormalise' }, needsAll: true },
  {
    name: 'draws',
    asked: { select: 'sample', samples: 20 },
    cache: 'first',
    combine: { weights: [1, 0, 0] },
    needsAll: true,
  },
];
for (const { name, asked, cache = 'linear', combine = {}, needsAll } of same) {
  for (const [which, { path, summary }] of Object.entries({ whole, short })) {
    if (needsAll && which === 'short') continue;
    test(`filter_targets says of a ${which === 'short' ? 'sparse cache' : 'sparse cache of all tokens'} what it says of a dense one: ${name}`, async () => {
      const found = await filter({ logits: path, cache, alignment, ...asked });
      const expected = await filter({ logits: dense, alignment, ...combine, ...asked });
      for (const [utterance, { offsets, tokens, logPosteriors, logTail, weight }] of Object.entries(expected.targets)) {
        const got = found.targets[utterance]!;
        assert.deepEqual([got.offsets, got.tokens], [offsets, tokens], utterance);
        assertNear(got.logPosteriors, logPosteriors, rounding, 'log-posteriors');
        assertNear(got.logTail.map(Math.exp), logTail.map(Math.exp), 1e-3, 'tail');
        assertNear(got.weight, weight, 2e-3, 'weight');
      }
      const [a, b] = [found.report, expected.report];
      assert.deepEqual(
        [a.utterances, a.frames, a.gatedFrames, a.tokensPerFrame, a.labelKept, a.frameError],
        [b.utterances, b.frames, b.gatedFrames, b.tokensPerFrame, b.labelKept, b.frameError],
      );
      assertNear(
        [a.crossEntropyNats!, a.calibrationError!, a.keptMass.mean!, a.keptMass.p05!, a.meanWeight!],
        [b.crossEntropyNats!, b.calibrationError!, b.keptMass.mean!, b.keptMass.p05!, b.meanWeight!],
        2e-3,
        'figures',
      );
      // what the cache lost, and what was lost of the cache, make all that was lost
      const isComparable = b.gatedFrames === 0 && (asked.temperature ?? 1) === 1 && b.kl !== null;
      if (isComparable) assertNear([a.kl! + summary.caches[cache]!.kl], [b.kl!], 2e-3, 'divergence');
      if (which === 'whole') assertNear(a.meanPosterior, b.meanPosterior, 1e-3, 'mean posterior');
      assertNear([a.meanPosterior.reduce((sum, p) => sum + p, 0)], [1], 1e-4, 'sum of mean posteriors');
      assert.equal(found.metadata['kd.temperature'], String(asked.temperature ?? 1));
    });
  }
}

test('filter_targets says the same of a compressed cache as of a plain one, to the last bit', async () => {
  for (const asked of [{ k: 5 }, { select: 'top-p', p: 0.5 }]) {
    const [a, b] = [
      await filter({ logits: compressed.path, ...asked }),
      await filter({ logits: short.path, cache: 'linear', ...asked }),
    ];
    assert.deepEqual(a.targets, b.targets);
  }
  assert.ok(compressed.summary.caches.linear!.bytesPerFrame > 0);
});

test('filter_targets --compress writes the same targets', async () => {
  const [a, b] = [await filter({ logits: dense, compress: 'zstd' }), await filter({ logits: dense })];
  assert.deepEqual(a.targets, b.targets);
});

test('filter_targets --gate blank goes by the blank of a sparse cache, among the best or not', async () => {
  const { path } = await writeCache('ctc', { hasBlank: true, k: 2 });
  const { targets, report } = await filter({ logits: path, k: 2, gate: 'blank', gateThreshold: 0.02 });
  let gated = 0;
  for (const utterance of Object.keys(lengths)) {
    for (let frame = 0; frame < lengths[utterance]!; frame++) {
      const blank = [0, 1, 2].reduce(
        (sum, i) => sum + Math.exp(posteriorsOf(utterance, i)[frame * vocabularySize]!) / 3,
        0,
      );
      const weight = blank >= 0.02 ? 0 : 1;
      if (Math.abs(blank - 0.02) > 1e-4) assert.equal(targets[utterance]!.weight[frame], weight);
      gated += 1 - weight;
    }
  }
  assert.ok(gated > 0 && gated < report.frames!);
  assert.equal(report.gatedFrames, gated);
});

test('filter_targets compares with labels whose posteriors the cache lacks, as far as the best tokens tell', async () => {
  const { report } = await filter({ logits: short.path, cache: 'linear', alignment: otherAlignment });
  const expected = await filter({ logits: dense, alignment });
  assert.equal(report.frameError, expected.report.frameError);
  assert.ok(Number.isNaN(report.crossEntropyNats));
});

const faults: { name: string; argv: string[] | (() => Promise<string[]>); code?: number; message: RegExp }[] = [
  {
    name: 'no cache named of four',
    argv: ['--logits', short.path],
    message: /--cache is not given, and has to be one of those in .*short: linear, geometric, best, first/,
  },
  {
    name: 'a cache that is not there',
    argv: ['--logits', short.path, '--cache', 'mean'],
    message: /--cache mean has to be one of/,
  },
  {
    name: 'a cache of a dense folder',
    argv: ['--logits', dense, '--cache', 'linear'],
    message: /and .*dense is dense: leave it out/,
  },
  ...['--combine best', '--weights 1,1,1', '--teachers 0', `--tune --alignment ${alignment}`].map((flags) => ({
    name: `${flags.split(' ')[0]} of a sparse cache`,
    argv: ['--logits', compressed.path, ...flags.split(' ')],
    message: /a sparse one was combined when it was made: leave them out, or cache again with --combine/,
  })),
  {
    name: 'a temperature not declared',
    argv: ['--logits', compressed.path, '--temperature', '3'],
    message: /--temperature has to be one that the sparse cache was made for, 1, 2: .*cache again with --temperatures/,
  },
  {
    name: 'a mean of teachers, each softened first',
    argv: ['--logits', compressed.path, '--temperature', '2'],
    message:
      /A mean of teachers is that of their posteriors at --temperature, .* only that at 1: take a cache of --combine/,
  },
  {
    name: 'more tokens than cached',
    argv: ['--logits', compressed.path, '--k', '13'],
    message: /--k is more than the 12 tokens that the sparse cache keeps/,
  },
  {
    name: 'all tokens',
    argv: ['--logits', compressed.path, '--select', 'all'],
    message: /need every token, and the sparse cache keeps only the best/,
  },
  { name: 'draws', argv: ['--logits', compressed.path, '--select', 'sample'], message: /need every token/ },
  {
    name: 'all mass',
    argv: ['--logits', compressed.path, '--select', 'top-p', '--p', '1'],
    message: /--p 1 needs every token/,
  },
  {
    name: 'entropy at another temperature',
    argv: ['--logits', short.path, '--cache', 'geometric', '--gate', 'entropy', '--temperature', '2'],
    message: /--gate entropy of a sparse cache is that at temperature 1/,
  },
  {
    name: 'a mass that is not reached',
    argv: ['--logits', compressed.path, '--select', 'top-p', '--p', '0.999'],
    code: 3,
    message:
      /utterance "u-1": of frame 0, .*compressed.* has 12 tokens of mass 0\.\d+ at temperature 1, together, and --p 0\.999 may take more; lower it, or cache again with a larger --k/,
  },
  {
    name: 'a threshold that others may be above',
    argv: ['--logits', compressed.path, '--select', 'threshold', '--threshold', '0.001'],
    code: 3,
    message: /each at least that, and --threshold 0\.001 may take more; raise it/,
  },
  {
    name: 'agreement of one teacher',
    argv: async () => ['--logits', (await writeCache('single', { teachers: 1 })).path, '--gate', 'agreement'],
    message: /needs two teachers or more/,
  },
];
for (const [i, { name, argv, code = 2, message }] of faults.entries()) {
  test(`filter_targets exits ${code} for ${name}`, async () => {
    const given = typeof argv === 'function' ? await argv() : argv;
    const out = at(`fault-${i}`);
    const result = await call(filterTargets, [...given, '--out', out]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
    assert.equal(result.stderr.trimEnd().includes('\n'), false, 'one line');
    assert.equal(existsSync(join(out, 'report.json')), false);
  });
}

const features = writeTinyFeatures(at('features'));
const models = [writeTinyModel(at('model-1')), writeTinyModel(at('model-2'))];
const tinyAlignment = writeTinyAlignment(at('tiny-alignment'));
const caching = { features, teacher: models, engine: 'cpu' };

test('cache_logits --format sparse writes a cache of each combination, in one pass', async () => {
  const out = at('cached');
  const report = await runStage(cacheLogits, {
    ...{ ...caching, out, format: 'sparse', combine: ['mean=linear', 'sure=best'], k: 2, temperatures: [2, 1, 0.5] },
    alignment: tinyAlignment,
  });
  assert.deepEqual([report.format, report.k, report.temperatures], ['sparse', 2, [1, 0.5, 2]]);
  assert.deepEqual(Object.keys(report.files), [
    'mean/part-00000-of-00001.arrow',
    'sure/part-00000-of-00001.arrow',
    'tokens.txt',
  ]);
  const caches = report.caches as Record<string, { rule: string; kl: number; keptMass: { mean: number } }>;
  assert.deepEqual(
    Object.values(caches).map(({ rule }) => rule),
    ['linear', 'best'],
  );
  assert.ok(caches.mean!.keptMass.mean > 0.5 && caches.mean!.keptMass.mean < 1 && caches.mean!.kl > -1e-6);
  const { targets, report: filtered } = await filter({
    logits: out,
    cache: 'sure',
    alignment: tinyAlignment,
    k: 2,
    temperature: 0.5,
  });
  await runStage(cacheLogits, { ...caching, out: at('cached-dense') });
  const expected = await filter({
    ...{ logits: at('cached-dense'), combine: 'best' },
    ...{ alignment: tinyAlignment, k: 2, temperature: 0.5 },
  });
  assert.deepEqual(Object.keys(targets), Object.keys(expected.targets));
  for (const [utterance, { tokens, logPosteriors }] of Object.entries(targets)) {
    assert.equal(tokens[0], expected.targets[utterance]!.tokens[0]);
    assertNear(logPosteriors, expected.targets[utterance]!.logPosteriors, rounding, utterance);
  }
  assertNear([filtered.crossEntropyNats!], [expected.report.crossEntropyNats!], 2e-3, 'cross-entropy');
  assert.equal(readFileSync(join(out, 'tokens.txt'), 'utf8').split('\n').length, tinySize + 1);
});

test('cache_logits --compress writes dense caches too, with the same content', async () => {
  for (const compress of [undefined, 'zstd']) {
    await runStage(cacheLogits, { ...caching, compress, out: at(`dense-${compress}`) });
  }
  const [a, b] = [await filter({ logits: at('dense-zstd') }), await filter({ logits: at('dense-undefined') })];
  assert.deepEqual(a.targets, b.targets);
});

test('cache_logits --combination takes temperatures and weights from tuning', async () => {
  const ids = models.map((path) => path);
  const tuned = writeStageFolder(at('tuned'), { id: 'tuned', stage: 'filter_targets' }, (out) =>
    out.writeJson('combination.json', {
      teachers: ids,
      teacherTemperatures: [1, 3],
      weights: [0.25, 0.75],
      atEdge: [],
    }),
  );
  const out = at('cached-tuned');
  const report = await runStage(cacheLogits, {
    ...{ ...caching, out, format: 'sparse', combine: ['weighted', 'by-hand=linear:1,3'], k: 5, combination: tuned },
  });
  const caches = report.caches as Record<string, { weights: number[]; teacherTemperatures: number[] }>;
  assert.deepEqual(caches.weighted!.weights, [0.25, 0.75]);
  assert.deepEqual(caches.weighted!.teacherTemperatures, [1, 3]);
  const [a, b] = [await filter({ logits: out, cache: 'weighted' }), await filter({ logits: out, cache: 'by-hand' })];
  assert.deepEqual(a.targets, b.targets, 'the same weights');
});

const wrongCaching: { name: string; argv: string[]; code?: number; message: RegExp }[] = [
  ...['--k 3', '--combine linear', '--temperatures 2', `--alignment ${tinyAlignment}`].map((flags) => ({
    name: `${flags.split(' ')[0]} of a dense cache`,
    argv: flags.split(' '),
    message: /belongs to --format sparse, and this cache of 5 tokens is dense/,
  })),
  {
    name: 'more tokens than there are',
    argv: ['--format', 'sparse', '--k', '6'],
    message: /--k 6 is more than the 5 tokens/,
  },
  {
    name: 'temperature 0',
    argv: ['--format', 'sparse', '--temperatures', '2,0'],
    message: /--temperatures 0 is out of range/,
  },
  {
    name: 'a rule that is none',
    argv: ['--format', 'sparse', '--combine', 'mean=median'],
    message: /--combine mean=median is not NAME=RULE/,
  },
  {
    name: 'a name that is a path',
    argv: ['--format', 'sparse', '--combine', '../x=linear'],
    message: /is not NAME=RULE/,
  },
  {
    name: 'a name twice',
    argv: ['--format', 'sparse', '--combine', 'a=linear', 'a=best'],
    message: /--combine names a twice/,
  },
  {
    name: 'one weight for two',
    argv: ['--format', 'sparse', '--combine', 'linear:1'],
    message: /needs a weight, 0 or more, for each of 2 teachers/,
  },
  { name: 'no weight', argv: ['--format', 'sparse', '--combine', 'linear:0,0'], message: /the weights are all 0/ },
  {
    name: 'weights of the best',
    argv: ['--format', 'sparse', '--combine', 'best:1,1'],
    message: /best takes one teacher as it is/,
  },
  {
    name: 'weights that were not tuned',
    argv: ['--format', 'sparse', '--combine', 'weighted'],
    message: /takes its weights from --combination/,
  },
  {
    name: 'a tuning that is none',
    argv: ['--format', 'sparse', '--combination', tinyAlignment],
    code: 3,
    message: /it has no combination\.json/,
  },
  {
    name: 'labels over other tokens',
    argv: ['--format', 'sparse', '--alignment', alignment],
    code: 3,
    message: /kd\.tokens is/,
  },
  {
    name: 'labels that lack an utterance',
    argv: ['--format', 'sparse', '--alignment', writeTinyAlignment(at('lacking'), undefined, ['s1-a'])],
    code: 3,
    message: /2 of 3 utterances have no hard labels, first: s1-b, s2-a/,
  },
  {
    name: 'labels of another length',
    argv: ['--format', 'sparse', '--alignment', writeTinyAlignment(at('shorter'), () => [0])],
    code: 3,
    message: /Cannot cache utterance "s1-a": .*shorter has labels for 1 frames, what the teachers say has 13/,
  },
];
for (const [i, { name, argv, code = 2, message }] of wrongCaching.entries()) {
  test(`cache_logits exits ${code} for ${name}`, async () => {
    const result = await call(cacheLogits, [
      '--features',
      features,
      '--teacher',
      ...models,
      '--engine',
      'cpu',
      ...argv,
      '--out',
      at(`wrong-${i}`),
    ]);
    assert.match(result.stderr, message);
    assert.equal(result.code, code);
  });
}
