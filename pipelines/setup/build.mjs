// Bundles each program into dist/, without comments, so that a changed comment leaves the code digest alone.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const { outputFiles } = await build({
  entryPoints: programs,
  outdir: 'dist',
  write: false,
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
mkdirSync('dist/bench', { recursive: true });
for (const { path, contents } of outputFiles) {
  // a bundle that stays the same keeps its time: make calls only the stages whose code changed
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  writeFileSync(path, contents);
  chmodSync(path, 0o755);
}
writeFileSync('dist/build.json', `${JSON.stringify({ stages })}\n`);
