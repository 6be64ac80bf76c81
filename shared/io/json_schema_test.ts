import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonSchema, schemaProblems } from './json_schema.ts';

const schema: JsonSchema = {
  type: 'object',
  required: ['name', 'shiftMs'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1 },
    kind: { enum: ['a', 'b'] },
    version: { const: 1 },
    shiftMs: { type: 'number', exclusiveMinimum: 0 },
    bins: { type: 'integer', minimum: 1 },
    list: { type: 'array', minItems: 1, items: { type: 'number' } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    x: {},
    y: {},
  },
  oneOf: [{ required: ['x'] }, { required: ['y'] }],
};
const good = { name: 'n', shiftMs: 10, x: 0 };
const cases: [changes: Record<string, unknown>, problems: string[]][] = [
  [{}, []],
  [{ kind: 'b', version: 1, bins: 40, list: [1, 2], map: { a: 'b' } }, []],
  [{ name: undefined, shiftMs: 0 }, ['name is undefined, not of type string', 'shiftMs is 0, not above 0']],
  [{ name: '' }, ['name is "", not a text']],
  [{ kind: 'c' }, ['kind is "c", not one of a, b']],
  [{ version: 2 }, ['version is 2, not 1']],
  [{ bins: 0 }, ['bins is 0, not at least 1']],
  [{ bins: 1.5 }, ['bins is 1.5, not of type integer']],
  [{ bins: '40' }, ['bins is "40", not of type integer']],
  [{ list: [] }, ['list is [], not a list of at least 1']],
  [{ list: [1, null] }, ['list[1] is null, not of type number']],
  [{ map: { a: 3 } }, ['map.a is 3, not of type string']],
  [{ map: [] }, ['map is [], not of type object']],
  [{ nmae: 'n' }, ['nmae is not one of name, kind, version, shiftMs, bins, list, map, x, y']],
  [{ y: 0 }, ['it has not exactly one of x, y']],
];
for (const [changes, problems] of cases) {
  test(`schemaProblems() of ${JSON.stringify(changes)}: ${problems.join('; ') || 'none'}`, () => {
    assert.deepEqual(schemaProblems(schema, { ...good, ...changes }), problems);
  });
}

test('schemaProblems() names what is missing, and what is no object at all', () => {
  assert.deepEqual(schemaProblems(schema, { x: 1 }), ['name is missing', 'shiftMs is missing']);
  assert.deepEqual(schemaProblems(schema, null), ['it is null, not of type object']);
});
