import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advancePaths, createFrameScores, createPathCells, scoreFrame } from '../path_cells.ts';
import { createRandom } from '../random.ts';
import { openPathMemory } from './fast_paths.ts';

test('openPathMemory() goes on as advancePaths() and scoreFrame() do, to the last bit, and when it has grown', () => {
  for (const vocabularySize of [1, 2, 41]) {
    const random = createRandom('paths', vocabularySize);
    const memory = openPathMemory(40, vocabularySize);
    const [cells, heard] = [createPathCells(80), createFrameScores(vocabularySize)];
    const both = (set: (side: { cells: typeof cells; heard: typeof heard }) => void): void => {
      set({ cells, heard });
      set(memory);
    };
    const same = (what: string): void => {
      for (const [name, array] of Object.entries(cells)) {
        const found = memory.cells[name as keyof typeof cells];
        const count = name === 'origins' ? 80 : 40;
        assert.deepEqual(found.slice(0, count), array.slice(0, count), `${name} ${what}`);
      }
    };
    for (let cell = 0; cell < 40; cell++) {
      const isEntry = cell % 7 === 0;
      const cost = () => (isEntry ? -Infinity : Math.log(random.uniform()));
      const [token, stay, come, score] = [random.integer(vocabularySize), cost(), cost(), -4 * random.uniform()];
      both(({ cells }) => {
        cells.tokens[cell] = token;
        cells.stays[cell] = stay;
        cells.comes[cell] = come;
        cells.scores[cell] = cell % 3 === 0 ? -Infinity : score;
        cells.origins.set([cell - 1, 100 + cell], 2 * cell);
        cells.logPosteriorSums[cell] = cell;
      });
    }
    const bias = Float64Array.from({ length: vocabularySize }, () => random.normal());
    both(({ heard }) => heard.bias.set(bias));
    for (const [frame, [first, last]] of [
      [1, 39],
      [1, 1],
      [5, 8],
      [6, 8],
      [7, 7],
      [1, 38],
    ].entries()) {
      if (frame === 3) memory.resize(80);
      const logPosteriors = Float32Array.from({ length: vocabularySize }, () => -9 * random.uniform());
      if (frame === 4) logPosteriors.fill(-Infinity);
      both(({ heard }) => heard.logPosteriors.set(logPosteriors));
      scoreFrame(heard, 0.7);
      memory.hear(0.7);
      assert.deepEqual(memory.heard.emissions.slice(0, vocabularySize), heard.emissions);
      assert.equal(memory.advance(first!, last!), advancePaths(cells, first!, last!, heard));
      same(`after frame ${frame} of ${vocabularySize} tokens`);
    }
  }
});

test('advancePaths() takes the better way into a state, with what it said; of equally good ways staying', () => {
  const [cells, heard] = [createPathCells(4), createFrameScores(2)];
  cells.tokens.set([0, 0, 1, 0]);
  cells.stays.set([0, -Infinity, -1, -1]);
  cells.comes.set([0, -Infinity, 0, -1]);
  cells.scores.set([-Infinity, -2, -2, -2]);
  cells.logPosteriorSums.set([0, 0, -5, -6]);
  cells.origins.set([0, 0, 7, 3, 8, 1, 9, 2]);
  heard.logPosteriors.set([-0.5, -0.25]);
  heard.bias.set([1, 0]);
  scoreFrame(heard, 2);
  assert.deepEqual([...heard.emissions], [0, -0.5]);
  assert.equal(advancePaths(cells, 1, 3, heard), -2.5);
  assert.deepEqual([...cells.scores], [-Infinity, -Infinity, -2.5, -3]);
  assert.deepEqual([...cells.logPosteriorSums.subarray(2)], [-0.25, -6.5]);
  assert.deepEqual([...cells.origins.subarray(4)], [7, 3, 9, 2]);
});
