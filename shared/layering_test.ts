import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import glob from 'fast-glob';

/** Which room may import from which; every room may import from itself. */
const mayImport: Record<string, readonly string[]> = {
  'shared/math': [],
  'shared/text': ['shared/math'],
  'shared/io': ['shared/math', 'shared/text'],
  'shared/report': ['shared/math', 'shared/text'],
  'shared/engine': ['shared/math', 'shared/io'],
  'shared/training': ['shared/math', 'shared/text', 'shared/io', 'shared/engine'],
  'shared/decoding': ['shared/math', 'shared/text', 'shared/io', 'shared/engine', 'shared/training'],
  stages: [
    'shared/math',
    'shared/text',
    'shared/io',
    'shared/report',
    'shared/engine',
    'shared/training',
    'shared/decoding',
  ],
};

/** Packages that only certain rooms may load. */
const owners: Record<string, readonly string[]> = {
  '@tensorflow/': ['shared/engine'],
  'onnxruntime-node': ['shared/engine'],
  'apache-arrow': ['shared/io'],
  ora: ['shared/io'],
  yargs: ['shared/io'],
  'fast-glob': ['shared/io', 'stages'],
  '@wasm-audio-decoders/': ['shared/io'],
  '@bokuweb/': ['shared/io'],
  'opus-decoder': ['shared/io'],
  'mpg123-decoder': ['shared/io'],
  'codec-parser': ['shared/io'],
  '@huggingface/tokenizers': ['shared/io'],
};

const rooms = Object.keys(mayImport);
const roomOf = (path: string): string | undefined => rooms.find((room) => path.startsWith(`${room}/`));
const files = glob.sync(['shared/**/*.ts', 'stages/**/*.ts'], { ignore: ['**/*_test.ts'] }).sort();

interface Import {
  from: string;
  to: string;
}
const imports: Import[] = files.flatMap((from) => {
  const code = readFileSync(from, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g);
  return [...found].map((match) => ({ from, to: match[1]! }));
});

test('every room imports only from the rooms below it', () => {
  assert.ok(
    files.length > 20 && imports.length > 40,
    `only ${files.length} files and ${imports.length} imports were found`,
  );
  const wrong = imports.filter(({ from, to }) => {
    if (!to.startsWith('.')) return false;
    const target = relative('.', join(dirname(from), to));
    const [own, other] = [roomOf(from), roomOf(target)];
    if (own === 'stages' && other === 'stages') return true;
    return own !== other && !(own && other && mayImport[own]!.includes(other));
  });
  assert.deepEqual(wrong, []);
});

test('mathematics and text touch no disk, clock or terminal', () => {
  const wrong = imports.filter(({ from, to }) => /^shared\/(math|text|report)\//.test(from) && isBuiltin(to));
  assert.deepEqual(wrong, []);
  const impure = files.filter(
    (file) =>
      /^shared\/(math|text)\//.test(file) &&
      /\b(Math\.random|Date\.now|process\.|console\.)/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(impure, []);
});

test('each package is loaded in its own room only', () => {
  const wrong = imports.filter(({ from, to }) =>
    Object.entries(owners).some(([name, rooms]) => to.startsWith(name) && !rooms.includes(roomOf(from) ?? '')),
  );
  assert.deepEqual(wrong, []);
});

const isBuiltin = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name);
