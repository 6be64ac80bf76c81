/**
 * Multi-head self-attention within each utterance, all of it: for head h and frames i, j,
 *
 *     p_ij = softmax_j(q_i · k_j / √(units / heads) + position_h(j − i));  y_i = Σ_j p_ij v_j
 *
 * with a learned bias for each distance, those beyond ±reach sharing the last one.
 *
 * @see Vaswani et al. (2017), Attention Is All You Need, eq. 1; Shaw et al. (2018), Self-Attention with Relative Position
 *   Representations, eq. 5, for the clipped distances; Raffel et al. (2020), Exploring the Limits of Transfer Learning,
 *   sec. 2.1, for a bias of the score alone
 */
export interface Attention {
  /** Of the result; the heads have equal parts of them, side by side. */
  units: number;
  heads: number;
  reach: number;
  /** First frame of each utterance, and the end of the last. */
  utteranceOffsets: Int32Array;
  /** Queries, keys and values side by side, [frames × 3·units]. */
  qkv: Float32Array;
  /** Bias by head and distance, [heads × (2·reach + 1)], the first one of −reach. */
  positions: Float32Array;
  /** Receives p, [heads × frames × frames] of each utterance, one utterance after another. */
  weights: Float32Array;
  /** Receives the result, [frames × units]. */
  y: Float32Array;
}

/** How many weights there are: of each utterance, heads × frames². */
export const attentionWeights = ({ heads, utteranceOffsets }: Pick<Attention, 'heads' | 'utteranceOffsets'>): number =>
  utteranceOffsets.reduce((sum, end, i) => (i === 0 ? 0 : sum + heads * (end - utteranceOffsets[i - 1]!) ** 2), 0);

/** One head of an utterance. */
export interface Head {
  /** Its first unit. */
  unit: number;
  /** Place of its bias of distance 0. */
  position: number;
  /** Place of its first weight. */
  weight: number;
  /** The utterance's first frame, and how many it has. */
  first: number;
  frames: number;
}

export function forEachHead(
  { units, heads, reach, utteranceOffsets }: Pick<Attention, 'units' | 'heads' | 'reach' | 'utteranceOffsets'>,
  use: (head: Head) => void,
): void {
  let weight = 0;
  for (let i = 0; i + 1 < utteranceOffsets.length; i++) {
    const first = utteranceOffsets[i]!;
    const frames = utteranceOffsets[i + 1]! - first;
    for (let head = 0; head < heads; head++) {
      use({ unit: (head * units) / heads, position: head * (2 * reach + 1) + reach, weight, first, frames });
      weight += frames * frames;
    }
  }
}

export function attentionInto(attention: Attention): void {
  const { units, heads, reach, qkv, positions, weights, y } = attention;
  const width = units / heads;
  const factor = 1 / Math.sqrt(width);
  forEachHead(attention, ({ unit, position, weight, first, frames }) => {
    for (let i = 0; i < frames; i++) {
      const query = (first + i) * 3 * units + unit;
      const row = weight + i * frames;
      let largest = -Infinity;
      for (let j = 0; j < frames; j++) {
        const key = (first + j) * 3 * units + units + unit;
        let dot = 0;
        for (let u = 0; u < width; u++) dot += qkv[query + u]! * qkv[key + u]!;
        const score = dot * factor + positions[position + Math.max(-reach, Math.min(reach, j - i))]!;
        weights[row + j] = score;
        if (score > largest) largest = score;
      }
      let sum = 0;
      for (let j = 0; j < frames; j++) {
        weights[row + j] = Math.exp(weights[row + j]! - largest);
        sum += weights[row + j]!;
      }
      const own = (first + i) * units + unit;
      y.fill(0, own, own + width);
      for (let j = 0; j < frames; j++) {
        const share = weights[row + j]! / sum;
        weights[row + j] = share;
        const value = (first + j) * 3 * units + 2 * units + unit;
        for (let u = 0; u < width; u++) y[own + u]! += share * qkv[value + u]!;
      }
    }
  });
}

export interface AttentionGradient
  extends Pick<Attention, 'units' | 'heads' | 'reach' | 'utteranceOffsets' | 'qkv' | 'weights'> {
  /** With respect to y, [frames × units]. */
  gradient: Float32Array;
  /** Receives that with respect to `qkv`, [frames × 3·units]. */
  qkvGradient: Float32Array;
  /** Receives that with respect to `positions`, [heads × (2·reach + 1)]. */
  positionGradient: Float32Array;
  /** To work in, as many numbers as the longest utterance has frames. */
  scratch: Float32Array;
}

export function attentionGradient(given: AttentionGradient): void {
  const { units, heads, reach, qkv, weights, gradient, qkvGradient, positionGradient, scratch } = given;
  const width = units / heads;
  const factor = 1 / Math.sqrt(width);
  qkvGradient.fill(0);
  positionGradient.fill(0);
  forEachHead(given, ({ unit, position, weight, first, frames }) => {
    for (let i = 0; i < frames; i++) {
      const query = (first + i) * 3 * units + unit;
      const own = (first + i) * units + unit;
      const row = weight + i * frames;
      let mean = 0;
      for (let j = 0; j < frames; j++) {
        const value = (first + j) * 3 * units + 2 * units + unit;
        let dot = 0;
        for (let u = 0; u < width; u++) {
          dot += gradient[own + u]! * qkv[value + u]!;
          qkvGradient[value + u]! += weights[row + j]! * gradient[own + u]!;
        }
        scratch[j] = dot;
        mean += weights[row + j]! * dot;
      }
      for (let j = 0; j < frames; j++) {
        const score = weights[row + j]! * (scratch[j]! - mean);
        positionGradient[position + Math.max(-reach, Math.min(reach, j - i))]! += score;
        const key = (first + j) * 3 * units + units + unit;
        for (let u = 0; u < width; u++) {
          qkvGradient[query + u]! += score * factor * qkv[key + u]!;
          qkvGradient[key + u]! += score * factor * qkv[query + u]!;
        }
      }
    }
  });
}
