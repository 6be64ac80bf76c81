import {
  checkShapes,
  type DistillationLoss,
  distillationLoss,
  type StudentAndTargets,
  sharesOf,
} from '../distillation_loss.ts';
import { noTargets, type SparseTargets, type Tail } from '../sparse_targets.ts';
import { openKernelMemory } from './memory.ts';

/** As assembly/losses.ts numbers them. */
const tails: Record<Tail, number> = { renormalise: 0, ghost: 1, uniform: 2, 'to-label': 3 };

/**
 * The loss of `distillationLoss`, four tokens at once in float32 with sums in float64; `distillationLoss` itself where
 * the processor has no SIMD. The gradient lies in a memory of its own and is overwritten by the next call.
 *
 * @throws {RangeError} as `distillationLoss`
 */
export function openDistillationLoss(): (given: StudentAndTargets) => DistillationLoss {
  const memory = openKernelMemory();
  if (!memory) return distillationLoss;
  return (given) => {
    const frames = checkShapes(given);
    if (isRefused(given)) return distillationLoss(given);
    const { logits, vocabularySize, hardLabels, tail, temperature, labelSmoothing } = given;
    const { offsets, tokens, logPosteriors, logTail } = given.soft ?? noTargets(frames);
    memory.clear(8 * logits.length + 12 * vocabularySize + 48 * frames + 6 * tokens.length);
    const shares = [0, 1].map(() => memory.floats64(frames));
    for (let frame = 0; frame < frames; frame++) {
      const { hardShare, softShare } = sharesOf(given, frame);
      shares[0]![frame] = hardShare;
      shares[1]![frame] = softShare;
    }
    const inputs = [hardLabels, ...shares, offsets, tokens, logPosteriors, logTail];
    const places = [logits, ...inputs].map((values) => memory.put(values));
    const row = memory.floats(3 * vocabularySize);
    const gradient = memory.floats(logits.length);
    const sums = memory.floats64(2);
    const [at, ...others] = places;
    memory.functions.distillation!(
      ...[at!, frames, vocabularySize, ...others],
      ...[row, gradient, sums].map(memory.at),
      ...[tails[tail], temperature, labelSmoothing],
    );
    const [hardNats, softNats] = Array.from(sums, (sum) => (frames > 0 ? sum / frames : 0)) as [number, number];
    return { lossNats: hardNats + softNats, hardNats, softNats, gradient };
  };
}

/** Whether labels or targets are wrong, so that the definition will say how. */
function isRefused({ vocabularySize, hardLabels, soft, tail }: StudentAndTargets): boolean {
  if (hardLabels.some((label) => label >= vocabularySize)) return true;
  if (!soft) return false;
  return (
    soft.tokens.some((token) => token >= vocabularySize) ||
    (tail !== 'renormalise' && leavesTail(soft, tail, vocabularySize))
  );
}

/** Whether some frame that counts has mass left over and no token to give it to. */
const leavesTail = ({ offsets, logTail, weight }: SparseTargets, tail: Tail, vocabularySize: number): boolean =>
  logTail.some(
    (mass, frame) =>
      weight[frame]! > 0 &&
      mass > -Infinity &&
      (tail === 'to-label' || offsets[frame + 1]! - offsets[frame]! >= vocabularySize),
  );
