import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../engine/architecture.ts';
import { openEngine } from '../engine/open_engine.ts';
import { createRandom } from '../math/random.ts';
import { openAcousticModel } from '../training/acoustic_model.ts';
import { initialWeights } from '../training/initial_weights.ts';
import type { Model } from '../training/model_folder.ts';
import { createPosteriorStream, streamPlan } from './posterior_stream.ts';

const engine = await openEngine({ engine: 'cpu', threads: 1 });
const bins = 3;
const common = { bins, tokens: 4, width: 8, dropout: 0, stride: 3, spliceLeft: 4, spliceRight: 4 };

/** A network of random weights, whose output depends on all that it sees. */
function modelOf(architecture: Architecture) {
  const model = { architecture, normalisation: { mean: [0, 1, 2], deviation: [1, 2, 3] } };
  return openAcousticModel(engine, { ...model, weights: initialWeights(architecture, 3) } as unknown as Model);
}

const noise = (frames: number): Float32Array => {
  const random = createRandom('features', frames);
  return Float32Array.from({ length: frames * bins }, () => 3 * random.normal());
};

/** The stream's posteriors, from pieces of random lengths, and how many of them came before the end. */
function stream(architecture: Architecture, features: Float32Array, seed: number) {
  const acoustic = modelOf(architecture);
  const plan = streamPlan(architecture, 10);
  const posteriors = createPosteriorStream(acoustic, architecture, plan);
  const random = createRandom('pieces', seed);
  const found: number[] = [];
  for (let at = 0; at < features.length; ) {
    const length = random.integer(40) * bins;
    found.push(...posteriors.push(features.subarray(at, at + length)));
    at += length;
  }
  const early = found.length / architecture.tokens;
  found.push(...posteriors.finish());
  return { found, early, plan, whole: [...acoustic.logPosteriors(features)] };
}

const exact: [string, Architecture][] = [
  ['a network that looks ahead', { ...common, kind: 'tdnn', dilations: [1, 2, 3] }],
  ['one that does not', { ...common, spliceLeft: 8, spliceRight: 0, kind: 'tdnn', dilations: [1, 2], causal: true }],
  ['one that speaks late', { ...common, spliceLeft: 0, spliceRight: 20, kind: 'tdnn', dilations: [2], causal: true }],
  ['one without context', { ...common, stride: 1, spliceLeft: 0, spliceRight: 0, kind: 'tdnn', dilations: [0] }],
  ['long short-term memory', { ...common, kind: 'lstm', layers: 2, bidirectional: false }],
  [
    'gated recurrent units that speak late',
    { ...common, spliceLeft: 0, spliceRight: 8, kind: 'gru', layers: 2, bidirectional: false },
  ],
  ['one of an even stride', { ...common, stride: 4, spliceLeft: 1, spliceRight: 2, kind: 'tdnn', dilations: [1] }],
];
for (const [name, architecture] of exact) {
  test(`createPosteriorStream() says what the whole utterance comes to: ${name}`, () => {
    for (const frames of [1, 7, 50, 400]) {
      for (let seed = 0; seed < 4; seed++) {
        const { found, early, plan, whole } = stream(architecture, noise(frames), seed);
        assert.ok(plan.isExact);
        assert.equal(found.length, whole.length, `${frames} frames`);
        found.forEach((value, i) => void assert.ok(Math.abs(value - whole[i]!) < 1e-5, `${frames} frames, ${i}`));
        if (frames === 400) assert.ok(early >= whole.length / architecture.tokens - plan.after - 1 && plan.after < 15);
      }
    }
  });
}

test('createPosteriorStream() hears networks that see all in windows, and what is shorter as a whole', () => {
  const architecture: Architecture = { ...common, kind: 'gru', layers: 1, bidirectional: true };
  const short = stream(architecture, noise(2900), 1);
  assert.deepEqual([short.plan.isExact, short.early], [false, 0]);
  assert.deepEqual(short.found, short.whole);
  const long = stream(architecture, noise(7000), 1);
  assert.equal(long.found.length, long.whole.length);
  const furthest = long.found.reduce((most, value, i) => Math.max(most, Math.abs(value - long.whole[i]!)), 0);
  assert.ok(long.early > 1000 && furthest < 1e-3, `4 s of context change ${furthest}`);
});
