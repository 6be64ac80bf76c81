import { checkLogits } from './log_softmax.ts';

/**
 * What normalises a frame at a temperature: log Σ exp(z / T).
 *
 * @param logits [frames × vocabularySize], left as they are
 * @returns nats, [frames]
 * @throws {RangeError} as `logSoftmax`
 */
export function logSums(logits: Float32Array, vocabularySize: number, temperature: number): Float64Array {
  checkLogits(logits, vocabularySize, temperature);
  return Float64Array.from({ length: logits.length / vocabularySize }, (_, frame) => {
    const row = logits.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
    let largest = -Infinity;
    for (const logit of row) if (logit > largest) largest = logit;
    let sum = 0;
    for (const logit of row) sum += Math.exp((logit - largest) / temperature);
    return largest / temperature + Math.log(sum);
  });
}
