import {
  type CtcLoss,
  ctcLoss,
  ctcOfUtteranceInto,
  type LogitsAndTranscripts,
  lossOfUtterances,
  utterancesOf,
} from '../ctc_loss.ts';
import { openKernelMemory } from './memory.ts';

/**
 * The loss of `ctcLoss`: softmax four tokens at once in float32, paths two states at once in float64; `ctcLoss` itself
 * where the processor has no SIMD, and for utterances whose loss is not finite. The gradient lies in a memory of its
 * own and is overwritten by the next call.
 *
 * @throws {RangeError} as `ctcLoss`
 */
export function openCtcLoss(): (given: LogitsAndTranscripts) => CtcLoss {
  const memory = openKernelMemory();
  if (!memory) return ctcLoss;
  const { ctc, ctcScratch } = memory.functions;
  return (given) => {
    const utterances = utterancesOf(given);
    const scratchBytes = Math.max(0, ...utterances.map(({ frames, labels }) => ctcScratch!(frames, labels.length)));
    memory.clear(8 * given.logits.length + 4 * given.labels.length + scratchBytes);
    const [logits, allLabels] = [memory.put(given.logits), memory.put(given.labels)];
    const gradient = memory.floats(given.logits.length);
    const scratch = memory.at(memory.bytes(scratchBytes));
    return lossOfUtterances(utterances, gradient, (_, utterance, scale) => {
      const { vocabularySize, start, frames, labels, blank } = utterance;
      const ownLabels = allLabels + labels.byteOffset - given.labels.byteOffset;
      const places = [logits + 4 * start, frames, vocabularySize, ownLabels, labels.length, blank];
      const nats = ctc!(...places, scale, memory.at(gradient) + 4 * start, scratch);
      return Number.isNaN(nats) ? ctcOfUtteranceInto(gradient, utterance, scale) : nats;
    });
  };
}
