// Compiles the SIMD kernels to WebAssembly, and writes the bytes as a module that the sources import and bundles hold.
import { writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const folder = 'shared/math/kernels';
let binary;
const { error, stderr } = await asc.main(
  [
    `${folder}/assembly/index.ts`,
    '--outFile',
    'kernels.wasm',
    '--enable',
    'simd',
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
  ],
  {
    writeFile: (_name, contents) => {
      binary = contents;
    },
  },
);
if (error) throw new Error(`Cannot compile ${folder}/assembly: ${error.message}\n${stderr}`);
writeFileSync(`${folder}/bytes.ts`, `export const bytes =\n  '${Buffer.from(binary).toString('base64')}';\n`);
