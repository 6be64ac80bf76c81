// Exits 0 when the native engine in the folder named loads and multiplies two matrices.
import { createRequire } from 'node:module';
import { inspect } from 'node:util';

const require = createRequire(import.meta.url);
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined; // gone from Node 23; the package calls it
const tf = require(process.argv[2]);
const product = tf.matMul([[1, 2]], [[3], [4]]).dataSync();
if (tf.getBackend() !== 'tensorflow' || product[0] !== 11) throw new Error(`wrong answer: ${inspect(product)}`);
