import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { OptionTable } from '../shared/io/options.ts';

/** Tables are constants whose flags name each other by text: a misspelt one would never be given, or never be refused. */
const folder = new URL('.', import.meta.url);
const programs = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('_test.ts'));
for (const name of programs) {
  test(`options of ${name} belong to others of their table, and to values that those have`, async () => {
    const { options }: { options: OptionTable } = await import(new URL(name, folder).href);
    for (const [flag, { belongsTo = [] }] of Object.entries(options)) {
      for (const [other, wish] of [belongsTo].flat().flatMap((company) => Object.entries(company))) {
        const what = `--${flag} belongs to --${other}`;
        const spec = options[other];
        assert.ok(spec && other !== flag, what);
        if (typeof wish === 'object')
          assert.ok(wish.length > 0 && wish.every((value) => spec.choices?.includes(value)), what);
        if (wish === 'on') assert.equal(spec.type, 'boolean', what);
        if (wish === 'above 0') assert.equal(spec.type, 'number', what);
        if (wish === 'given' || wish === 'not given') assert.equal(spec.default, undefined, what);
      }
    }
  });
}
