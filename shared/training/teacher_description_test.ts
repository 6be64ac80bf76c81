import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../io/errors.ts';
import { type JsonSchema, schemaProblems } from '../io/json_schema.ts';
import { temporaryFolder } from '../io/testdata/temporary_folder.ts';
import { openTeacherFolder, readTeacher } from './teacher_description.ts';

const folder = temporaryFolder();
cpSync('shared/engine/testdata/foreign', folder, { recursive: true });
const features = { kind: 'fbank', bins: 5, sampleRateHz: 8000, frameShiftMs: 10 };
const output = { values: 'logits', frameShiftMs: 30, firstFrameCentreMs: 5, tokens: 'tokens.txt' };
const model = { format: 'onnx', path: 'model.onnx', features };
const good = { format: 'teacher', version: 1, name: 'n', origin: 'o', licence: 'l', objective: 'frame', model, output };
function describe(changes: Record<string, unknown> | string): string {
  const file = join(folder, 'described.json');
  writeFileSync(file, typeof changes === 'string' ? changes : JSON.stringify({ ...good, ...changes }));
  return file;
}

test('the examples of FORMATS.md are as the schema says', () => {
  const schema: JsonSchema = JSON.parse(readFileSync('shared/training/teacher.schema.json', 'utf8'));
  const blocks = [...readFileSync('shared/training/FORMATS.md', 'utf8').matchAll(/```json\n([\s\S]*?)```/g)];
  const teachers = blocks.map(([, text]) => JSON.parse(text!)).filter(({ format }) => format === 'teacher');
  assert.equal(teachers.length, 2);
  for (const teacher of teachers) assert.deepEqual(schemaProblems(schema, teacher), []);
});

test('readTeacher() takes a description, or a folder with teacher.json', () => {
  const { description, tokens } = readTeacher(describe({}));
  assert.deepEqual([description.model, tokens.symbols], [model, ['TWO', 'UH', 'ONE', 'SIL']]);
  writeFileSync(join(folder, 'teacher.json'), JSON.stringify(good));
  assert.deepEqual(readTeacher(folder).description, good);
});

const bad: [name: string, changes: Record<string, unknown> | string, message: RegExp][] = [
  ['what is no JSON', '{', /described\.json: it is no JSON .*; correct it as .*teacher\.schema\.json says/],
  ['neither model nor posteriors', { model: undefined }, /it has not exactly one of model, posteriors/],
  ['both', { posteriors: { format: 'kaldi', path: 'x.scp' } }, /it has not exactly one of model, posteriors/],
  ['a word it does not know', { ouptut: output }, /ouptut is not one of/],
  ['a shift of 0', { output: { ...output, frameShiftMs: 0 } }, /output\.frameShiftMs is 0, not above 0/],
  ['a map of no token', { output: { ...output, map: { x: [] } } }, /tokens\.txt has no x, which it maps/],
  ['ctc without a blank', { objective: 'ctc' }, /output\.blank names the blank of a teacher of objective ctc/],
  ['a blank among frames', { output: { ...output, blank: 'UH' } }, /output\.blank names the blank/],
  [
    'a prior of other length',
    { output: { ...output, prior: [1] } },
    /output\.prior has 1 numbers, tokens\.txt 4 tokens/,
  ],
];
for (const [name, changes, message] of bad) {
  test(`readTeacher() refuses ${name}`, () => {
    const file = describe(changes);
    assert.throws(
      () => readTeacher(file),
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  });
}

test('tokens are checked with their line', () => {
  writeFileSync(join(folder, 'wrong.txt'), 'a 0\nb 2\n');
  const file = describe({ output: { ...output, tokens: 'wrong.txt' } });
  assert.throws(() => readTeacher(file), /wrong\.txt, line 2: id 2 of b should be 1/);
});

test('openTeacherFolder() believes stated digests where the sizes fit, and reads files otherwise', () => {
  const entry = (name: string, sha256: string) => ({
    [name]: { bytes: readFileSync(join(folder, name)).length, sha256 },
  });
  const idOf = (files?: Record<string, unknown>) => openTeacherFolder(describe(files ? { files } : {})).id;
  const stated = { ...entry('tokens.txt', 'a'.repeat(64)), ...entry('model.onnx', 'b'.repeat(64)) };
  assert.notEqual(idOf(stated), idOf());
  assert.equal(idOf(stated), idOf(stated));
  const short = { ...stated, 'model.onnx': { bytes: 3, sha256: 'b'.repeat(64) } };
  assert.throws(() => idOf(short), /its files say 3 bytes of model\.onnx, which has \d+ bytes/);
  assert.throws(() => idOf(entry('tokens.txt', 'a'.repeat(64))), /its files say nothing of model\.onnx/);
});

test('the key of archives is what is in them, wherever the list says they are', () => {
  const archives = 'shared/io/testdata/kaldi';
  const idOf = (name: string) => {
    const place = join(folder, name);
    mkdirSync(place);
    cpSync(archives, place, { recursive: true });
    return openTeacherFolder(
      describe({ model: undefined, posteriors: { format: 'kaldi', path: join(name, 'cm.scp') } }),
    ).id;
  };
  assert.equal(idOf('here'), idOf('there'));
});
