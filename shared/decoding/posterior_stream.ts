import { type Architecture, futureFrames, isRecurrent } from '../engine/architecture.ts';
import type { NetworkMemory } from '../engine/engine.ts';
import { concatenate } from '../math/concatenate.ts';
import { outputFrameCount } from '../math/splice.ts';
import type { AcousticModel } from '../training/acoustic_model.ts';

/** Log-posteriors of features that come in pieces, [output frames × tokens]. */
export interface PosteriorStream {
  /** @returns those that can be said by now and were not */
  push(features: Float32Array): Float32Array;
  finish(): Float32Array;
}

/** What a network needs around an output frame, in output frames, and how many it hears at once at least. */
export interface StreamPlan {
  before: number;
  after: number;
  window: number;
  /** Whether that is all it can see: the posteriors are then those of the whole utterance. */
  isExact: boolean;
}

/** How networks are used that see all of an utterance: windows, and how much of each end is not used. */
const [windowSeconds, overlapSeconds] = [30, 4];

/**
 * A time-delay network sees so many frames and no more; one that is recurrent in one direction remembers those before. Any
 * other one is given windows of 30 s, of which 4 s at either end are context alone; audio shorter than a window is heard
 * as a whole.
 */
export function streamPlan(architecture: Architecture, inputFrameShiftMs: number): StreamPlan {
  const { stride, spliceLeft, spliceRight } = architecture;
  const centre = stride >> 1;
  // output frames whose window of input frames would begin before that of the first, or end after that of the last
  const first = Math.max(0, Math.ceil((spliceLeft - centre) / stride));
  const last = Math.max(0, Math.ceil((spliceRight + centre + 1) / stride) - 1);
  if (remembers(architecture)) return { before: first, after: last, window: 0, isExact: true };
  if (isRecurrent(architecture) || architecture.kind === 'attention') {
    const framesOf = (seconds: number): number => Math.ceil((1000 * seconds) / (stride * inputFrameShiftMs));
    const overlap = framesOf(overlapSeconds);
    return { before: overlap, after: overlap, window: framesOf(windowSeconds), isExact: false };
  }
  const reach = architecture.dilations.reduce((sum, dilation) => sum + dilation, 0);
  const { causal } = architecture;
  return { before: first + (causal ? 2 : 1) * reach, after: last + (causal ? 0 : reach), window: 0, isExact: true };
}

const remembers = (architecture: Architecture): boolean =>
  isRecurrent(architecture) && Number.isFinite(futureFrames(architecture));

/**
 * Log-posteriors piece by piece. Each is said as soon as what the network sees of the audio is there; pieces overlap by
 * that, so memory does not grow.
 */
export function createPosteriorStream(
  acoustic: Pick<AcousticModel, 'logPosteriors' | 'nextLogPosteriors'>,
  architecture: Architecture,
  { before, after, window }: StreamPlan,
): PosteriorStream {
  const { bins, stride, tokens } = architecture;
  let held: Float32Array = new Float32Array(0);
  let given = 0; // of the output frames of what is held
  const memory: NetworkMemory = { layers: [] };
  const rows = (from: number, to: number): Float32Array =>
    remembers(architecture)
      ? acoustic.nextLogPosteriors(held, { from, to, memory })
      : acoustic.logPosteriors(held).slice(from * tokens, to * tokens);
  return {
    push(features) {
      held = concatenate(Float32Array, [held, features]);
      const whole = Math.floor(held.length / bins / stride);
      const ready = whole - after;
      if (ready <= given || whole < window) return new Float32Array(0);
      const result = rows(given, ready);
      const dropped = Math.max(0, ready - before);
      held = held.slice(dropped * stride * bins);
      given = ready - dropped;
      return result;
    },
    finish() {
      const all = outputFrameCount(held.length / bins, stride);
      return all > given ? rows(given, all) : new Float32Array(0);
    },
  };
}
