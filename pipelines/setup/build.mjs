// Bundles each program into dist/, without comments, so that a changed comment leaves the code digest alone; but for the versions
// of the packages that stay outside, which belong to it.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { build } from 'esbuild';

const bundled = ['apache-arrow', 'yargs'];
const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

const stages = readdirSync('stages').filter((name) => name.endsWith('.ts') && !name.endsWith('_test.ts'));
const programs = [
  ...stages.map((name) => ({ in: `stages/${name}`, out: name.replace('.ts', '') })),
  ...['bench', 'ours', 'context_labels', 'sparse_scale'].map((name) => ({
    in: `pipelines/bench/${name}.ts`,
    out: `bench/${name}`,
  })),
];
const { outputFiles, metafile } = await build({
  entryPoints: programs,
  outdir: 'dist',
  write: false,
  metafile: true,
  bundle: true,
  // a few hundred small modules, which start ten times faster as part of the bundle; the others find files of their own
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !bundled.includes(name)),
  alias: { 'string-width': './pipelines/setup/string_width.mjs' },
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  legalComments: 'none',
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const outside = (path) =>
  metafile.outputs[relative('.', path)].imports
    .filter(({ path, external }) => external && `node_modules/${path}` in packages)
    .map(({ path }) => `${path}@${packages[`node_modules/${path}`].version}`);
mkdirSync('dist/bench', { recursive: true });
for (const { path, text } of outputFiles) {
  const contents = Buffer.from(`${text}// ${[...new Set(outside(path))].sort().join(' ')}\n`);
  // a bundle that stays the same keeps its time: make calls only the stages whose code changed
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  writeFileSync(path, contents);
  chmodSync(path, 0o755);
}
writeFileSync('dist/build.json', `${JSON.stringify({ stages })}\n`);
