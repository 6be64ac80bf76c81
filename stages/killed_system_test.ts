/** Every stage that writes, killed at random moments and called again: in the end the bytes of an undisturbed run. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';
import { createRandom } from '../shared/math/random.ts';
import { callStep, filesBelow, smallChain, writtenIn } from './testdata/small_chain.ts';

const folder = temporaryFolder();
const killsOfEach = 7;
let kills = 0;
after(() => assert.ok(kills >= 50, `only ${kills} kills hit`));

for (const step of smallChain(folder)) {
  test(`${step.name}: ${step.argv[0]} killed ${killsOfEach} times writes what it writes undisturbed`, async () => {
    const undisturbed = await callStep(step, join(folder, step.name));
    assert.equal(undisturbed.code, 0, undisturbed.stderr);
    const out = join(folder, `${step.name}-killed`);
    const random = createRandom('kills', step.name);
    let hits = 0;
    for (let calls = 0; hits < killsOfEach; calls++) {
      assert.ok(calls < 5 * killsOfEach, `only ${hits} of ${calls} kills hit`);
      const { code, signal, stderr } = await callStep(step, out, random.uniform() * undisturbed.milliseconds);
      if (signal === 'SIGKILL') hits++;
      else {
        assert.equal(code, 0, stderr);
        rmSync(out, { recursive: true }); // it got to its end before it was killed: anew
      }
    }
    kills += hits;
    const last = await callStep(step, out);
    assert.equal(last.code, 0, last.stderr);
    assert.deepEqual(
      filesBelow(out).filter((name) => name.includes('.tmp-')),
      [],
    );
    const expected = writtenIn(join(folder, step.name));
    const found = writtenIn(out);
    assert.deepEqual(
      found.map(([name]) => name),
      expected.map(([name]) => name),
    );
    for (const [i, [name, content]] of expected.entries()) assert.ok(content === found[i]![1], `${name} differs`);
  });
}
