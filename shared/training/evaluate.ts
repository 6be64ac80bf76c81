import type { Architecture } from '../engine/architecture.ts';
import type { Network } from '../engine/engine.ts';
import { bestToken } from '../math/gate.ts';
import { fastLogSoftmax } from '../math/kernels/fast_posteriors.ts';
import { type Source, usedRows } from './batches.ts';
import type { Normalisation } from './model_folder.ts';
import { normalise, packBatch } from './network_input.ts';

interface Reading {
  architecture: Architecture;
  normalisation: Normalisation;
}

/** Utterances that go through the network together. */
const utterancesAtOnce = 16;

/** Log-posteriors of the utterances that are used, several at once, in file order. */
async function* logPosteriorsOf(
  network: Network,
  { features, utterances, labels }: Pick<Source, 'features' | 'utterances' | 'labels'>,
  { architecture, normalisation }: Reading,
) {
  let inputs: Float32Array[] = [];
  let labelsOfInputs: Uint16Array[] = [];
  const take = () => {
    const batch = packBatch(inputs, architecture);
    const result = {
      logPosteriors: fastLogSoftmax(network.forward(batch), architecture.tokens),
      labels: labelsOfInputs,
    };
    inputs = [];
    labelsOfInputs = [];
    return result;
  };
  for await (const row of usedRows({ features, utterances })) {
    inputs.push(normalise(row.features as Float32Array, normalisation));
    if (labels) labelsOfInputs.push((await labels.read(row.utterance)).labels as Uint16Array);
    if (inputs.length === utterancesAtOnce) yield take();
  }
  if (inputs.length > 0) yield take();
}

/** Mean cross-entropy with the hard labels (nats a frame), and the share of frames whose best token is the label. */
export async function evaluateFrames(
  network: Network,
  source: Source,
  reading: Reading,
): Promise<{ crossEntropyNats: number; frameAccuracy: number }> {
  const { tokens } = reading.architecture;
  let nats = 0;
  let correct = 0;
  let frames = 0;
  for await (const { logPosteriors, labels } of logPosteriorsOf(network, source, reading)) {
    let start = 0;
    for (const label of labels.flatMap((part) => [...part])) {
      nats -= logPosteriors[start + label]!;
      if (bestToken(logPosteriors.subarray(start, start + tokens)) === label) correct++;
      frames++;
      start += tokens;
    }
  }
  return { crossEntropyNats: nats / frames, frameAccuracy: correct / frames };
}

/** Mean posterior of each token over all frames: the prior that decoding divides by. */
export async function meanPosterior(
  network: Network,
  { features, utterances }: Pick<Source, 'features' | 'utterances'>,
  reading: Reading,
): Promise<number[]> {
  const { tokens } = reading.architecture;
  const sums = new Float64Array(tokens);
  let frames = 0;
  for await (const { logPosteriors } of logPosteriorsOf(network, { features, utterances }, reading)) {
    for (let i = 0; i < logPosteriors.length; i++) sums[i % tokens]! += Math.exp(logPosteriors[i]!);
    frames += logPosteriors.length / tokens;
  }
  return Array.from(sums, (sum) => sum / frames);
}
