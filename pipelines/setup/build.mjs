// Bundles each stage into dist/, without comments, so that a changed comment leaves the code digest alone.
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const stages = readdirSync('stages').filter((name) => name.endsWith('.ts') && !name.endsWith('_test.ts'));
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: stages.map((name) => `stages/${name}`),
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  legalComments: 'none',
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
for (const name of stages) chmodSync(`dist/${name.replace(/\.ts$/, '.js')}`, 0o755);
