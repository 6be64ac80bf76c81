import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepTokens } from '../keep_tokens.ts';
import { logSoftmax } from '../log_softmax.ts';
import { createRandom } from '../random.ts';
import { selectTokens, topK, topP } from '../select.ts';
import { fastKeepTokens } from './fast_keep_tokens.ts';

test('fastKeepTokens() keeps, loses and counts what keepTokens() does', () => {
  for (const vocabularySize of [1, 3, 4, 41, 500, 4099]) {
    for (const scale of [0.1, 3, 60]) {
      for (const selection of [topK(Math.min(3, vocabularySize)), topP(0.95), topK(vocabularySize)]) {
        const random = createRandom('keep', vocabularySize, scale);
        const frames = 9;
        const logPosteriors = logSoftmax(
          Float32Array.from({ length: frames * vocabularySize }, () =>
            random.uniform() < 0.05 ? -80 : scale * random.normal(),
          ),
          vocabularySize,
        );
        const weight = Float32Array.from({ length: frames }, (_, i) => (i === 4 ? 0 : 1));
        const ranked = selectTokens(logPosteriors, vocabularySize, weight, selection);
        const expected = keepTokens(logPosteriors, vocabularySize, ranked);
        const found = fastKeepTokens(logPosteriors, vocabularySize, ranked);
        const what = `${vocabularySize} tokens, ${scale}`;
        assert.deepEqual(found.logPosteriors, expected.logPosteriors, what);
        for (let frame = 0; frame < frames; frame++) {
          const [tail, plain] = [found, expected].map(({ logTail }) => Math.exp(logTail[frame]!)) as [number, number];
          assert.ok(Math.abs(tail - plain) <= 2e-6 * plain + 1e-37, `${what}: tail ${tail}, not ${plain}`);
          assert.ok(Math.abs(Math.log(found.lostMass[frame]!) - found.logTail[frame]!) < 1e-4 || tail < 1e-37, what);
          const nats = Math.abs(found.divergence[frame]! - expected.divergence[frame]!);
          assert.ok(
            nats <= 1e-5 * plain * Math.log(vocabularySize + 1) * (1 + scale) + 1e-36,
            `${what}: ${nats} nats apart`,
          );
        }
        for (let token = 0; token < vocabularySize; token++) {
          assert.ok(Math.abs(found.mass[token]! - expected.mass[token]!) < 1e-6, `${what}: mass of ${token}`);
        }
      }
    }
  }
});
