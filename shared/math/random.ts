/**
 * A seeded stream of random numbers: the same numbers for the same seeds on every machine and engine.
 */
export interface Random {
  /** A whole number in [0, 2³²). */
  uint32(): number;
  /** A number in [0, 1), 53 random bits. */
  uniform(): number;
  /** A draw from the standard normal distribution (Box–Muller). */
  normal(): number;
  /** A whole number in [0, below), without modulo bias. */
  integer(below: number): number;
  /** The array itself, its elements in random order (Fisher–Yates). */
  shuffle<Values extends { length: number; [index: number]: unknown }>(values: Values): Values;
}

/** 32-bit hash of a string's UTF-16 units (MurmurHash3's mixing), from a starting state. */
function hash(text: string, state: number): number {
  let h = state;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0xcc9e2d51);
    h = Math.imul((h << 15) | (h >>> 17), 0x1b873593);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** State of xoshiro128** for a list of seeds: four uint32, not all zero. */
export function randomState(...seeds: (number | string)[]): Uint32Array {
  const text = JSON.stringify(seeds);
  const starts = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef];
  const state = Uint32Array.from(starts, (start) => hash(text, start));
  state[3]! |= 1;
  return state;
}

/**
 * A random stream of its own for each list of seeds, so that what is drawn for one utterance does not
 * depend on what was drawn for another: `createRandom(seed, 'noise', utterance)`.
 *
 * The generator is xoshiro128** 1.1.
 * @see Blackman, Vigna (2021), Scrambled Linear Pseudorandom Number Generators
 */
export const createRandom = (...seeds: (number | string)[]): Random => randomFrom(randomState(...seeds));

/** The stream that starts at a state, which is left as it is. */
export function randomFrom(state: Uint32Array): Random {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  const uint32 = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992;
  const integer = (below: number): number => {
    if (!(Number.isInteger(below) && below > 0 && below <= 4294967296)) {
      throw new RangeError(`Cannot draw below ${below}: need a whole number from 1 to 2^32`);
    }
    const limit = 4294967296 - (4294967296 % below);
    let draw = uint32();
    while (draw >= limit) draw = uint32();
    return draw % below;
  };
  return {
    uint32,
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (values) => {
      for (let i = values.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [values[i], values[j]] = [values[j], values[i]];
      }
      return values;
    },
  };
}
