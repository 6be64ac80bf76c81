/**
 * Log-posteriors of logits (or of log-posteriors, at another temperature), frame by frame: log softmax(z / T).
 *
 * A logit of −∞ stays −∞; a frame whose logits are all −∞, or one of them NaN, becomes NaN.
 *
 * @param logits row-major [frames × vocabularySize], left as they are
 * @returns nats, same shape
 * @throws {RangeError} when the logits are no whole number of frames, or the temperature is not above 0
 * @see Hinton, Vinyals, Dean (2015), Distilling the Knowledge in a Neural Network, eq. 1
 */
export function logSoftmax(
  logits: Float32Array,
  vocabularySize: number,
  { temperature = 1 }: { temperature?: number } = {},
): Float32Array {
  checkLogits(logits, vocabularySize, temperature);
  const inverse = 1 / temperature;
  const result = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += vocabularySize) {
    const end = start + vocabularySize;
    let largest = -Infinity;
    for (let i = start; i < end; i++) if (logits[i]! > largest) largest = logits[i]!;
    let sum = 0;
    for (let i = start; i < end; i++) sum += Math.exp((logits[i]! - largest) * inverse);
    const logSum = Math.log(sum);
    for (let i = start; i < end; i++) result[i] = (logits[i]! - largest) * inverse - logSum;
  }
  return result;
}

/** @throws {RangeError} as `logSoftmax` */
export function checkLogits(logits: Float32Array, vocabularySize: number, temperature: number): void {
  if (!(vocabularySize > 0 && logits.length % vocabularySize === 0)) {
    throw new RangeError(
      `Cannot take frames of ${vocabularySize} tokens from ${logits.length} logits; give whole frames`,
    );
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new RangeError(`Cannot use temperature ${temperature}; give a finite number above 0`);
  }
}
