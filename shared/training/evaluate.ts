import type { Architecture } from '../engine/architecture.ts';
import type { Network } from '../engine/engine.ts';
import { collapse } from '../math/ctc_collapse.ts';
import { spokenBatch } from '../math/ctc_distillation_loss.ts';
import { editCounts } from '../math/edit_distance.ts';
import { bestToken } from '../math/gate.ts';
import { openCtcLoss } from '../math/kernels/fast_ctc_loss.ts';
import { fastLogSoftmax } from '../math/kernels/fast_posteriors.ts';
import { checkFrames, type Source, usedRows } from './batches.ts';
import { type Normalisation, normalise, packBatch } from './network_input.ts';

interface Reading {
  architecture: Architecture;
  normalisation: Normalisation;
}

/** Utterances that go through the network together. */
const utterancesAtOnce = 16;

/** Log-posteriors of the utterances that are used, several at once, in file order. */
async function* logPosteriorsOf(
  network: Network,
  source: Pick<Source, 'features' | 'utterances'>,
  { architecture, normalisation }: Reading,
) {
  let inputs: Float32Array[] = [];
  let utterances: string[] = [];
  const take = () => {
    const batch = packBatch(inputs, architecture);
    const result = {
      logPosteriors: fastLogSoftmax(network.forward(batch), architecture.tokens),
      utteranceOffsets: batch.utteranceOffsets,
      utterances,
    };
    inputs = [];
    utterances = [];
    return result;
  };
  for await (const row of usedRows(source)) {
    inputs.push(normalise(row.features as Float32Array, normalisation));
    utterances.push(row.utterance);
    if (inputs.length === utterancesAtOnce) yield take();
  }
  if (inputs.length > 0) yield take();
}

/**
 * Mean cross-entropy with the hard labels (nats a frame), and the share of frames whose best token is the label.
 *
 * @throws {InputError} when labels are of another number of frames than the features
 */
export async function evaluateFrames(
  network: Network,
  source: Source,
  reading: Reading,
): Promise<{ crossEntropyNats: number; frameAccuracy: number }> {
  const { tokens } = reading.architecture;
  let nats = 0;
  let correct = 0;
  let frames = 0;
  for await (const { logPosteriors, utterances, utteranceOffsets } of logPosteriorsOf(network, source, reading)) {
    for (const [i, utterance] of utterances.entries()) {
      const labels = (await source.labels!.read(utterance)).labels as Uint16Array;
      const [first, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
      const given = { frames: end - first, what: 'labels', of: source.labels!, found: labels.length };
      checkFrames(utterance, source.features, given);
      labels.forEach((label, frame) => {
        const start = (first + frame) * tokens;
        nats -= logPosteriors[start + label]!;
        if (bestToken(logPosteriors.subarray(start, start + tokens)) === label) correct++;
      });
      frames += labels.length;
    }
  }
  return { crossEntropyNats: nats / frames, frameAccuracy: correct / frames };
}

/**
 * How far transcripts are from what the network says: −ln p(transcript | utterance) in nats a frame, and the errors of
 * the best path (the best token of each frame, collapsed) as a share of the transcripts' tokens.
 *
 * @param source with a transcript for each utterance that is used
 */
export async function evaluateTranscripts(
  network: Network,
  source: Source,
  reading: Reading,
): Promise<{ ctcNatsPerFrame: number; tokenErrorRate: number }> {
  const { tokens: vocabularySize } = reading.architecture;
  const ctcLoss = openCtcLoss();
  const sums = { nats: 0, frames: 0, errors: 0, tokens: 0 };
  for await (const { logPosteriors, utteranceOffsets, utterances } of logPosteriorsOf(network, source, reading)) {
    const transcripts = utterances.map((utterance) => source.transcripts!.get(utterance)!);
    const spoken = transcripts.map((labels, utterance) => ({ utterance, labels }));
    const { utteranceNats } = ctcLoss(spokenBatch({ logits: logPosteriors, vocabularySize, utteranceOffsets }, spoken));
    transcripts.forEach((reference, i) => {
      const [start, end] = [utteranceOffsets[i]!, utteranceOffsets[i + 1]!];
      const path = Array.from({ length: end - start }, (_, frame) => {
        const from = (start + frame) * vocabularySize;
        return bestToken(logPosteriors.subarray(from, from + vocabularySize));
      });
      const hypothesis = Int32Array.from(collapse(path), ({ token }) => token);
      const { insertions, deletions, substitutions } = editCounts({ reference, hypothesis });
      sums.nats += utteranceNats[i]!;
      sums.frames += end - start;
      sums.errors += insertions + deletions + substitutions;
      sums.tokens += reference.length;
    });
  }
  return { ctcNatsPerFrame: sums.nats / sums.frames, tokenErrorRate: sums.errors / sums.tokens };
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
