/** Power spectrum of real signals of one length. */
export interface PowerSpectrum {
  size: number;
  /**
   * |X(k)|² for k = 0 … size/2, of `size` samples.
   *
   * @param signal [size], destroyed
   * @param power [size/2 + 1], written
   */
  into(power: Float64Array, signal: Float64Array): void;
}

/**
 * Prepares tables for a real FFT: a complex FFT of half the size (radix 2, in place) and one pass that unpacks it.
 *
 * @param size a power of two, at least 4
 * @throws {RangeError} for another size
 * @see Sorensen et al. (1987), Real-valued fast Fourier transform algorithms
 */
export function createPowerSpectrum(size: number): PowerSpectrum {
  if (!(size >= 4 && Number.isInteger(Math.log2(size))))
    throw new RangeError(`FFT of ${size} samples: need a power of two, at least 4; take longer frames`);
  const half = size / 2;
  const cosine = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sine = Float64Array.from({ length: half }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
  const bits = Math.log2(half);
  const reversed = Uint32Array.from({ length: half }, (_, i) => {
    let result = 0;
    for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) result |= 1 << (bits - 1 - bit);
    return result;
  });
  const re = new Float64Array(half);
  const im = new Float64Array(half);

  const transform = (): void => {
    for (let span = 1; span < half; span *= 2) {
      const step = half / span; // of the twiddle tables, which are of the full size
      for (let k = 0, twiddle = 0; k < span; k++, twiddle += step) {
        const c = cosine[twiddle]!;
        const s = sine[twiddle]!;
        for (let a = k; a < half; a += 2 * span) {
          const b = a + span;
          const x = re[b]!;
          const y = im[b]!;
          const tr = x * c - y * s;
          const ti = x * s + y * c;
          re[b] = re[a]! - tr;
          im[b] = im[a]! - ti;
          re[a]! += tr;
          im[a]! += ti;
        }
      }
    }
  };

  return {
    size,
    into(power, signal) {
      for (let i = 0; i < half; i++) {
        const j = reversed[i]!;
        re[j] = signal[2 * i]!;
        im[j] = signal[2 * i + 1]!;
      }
      transform();
      power[0] = (re[0]! + im[0]!) ** 2;
      power[half] = (re[0]! - im[0]!) ** 2;
      for (let k = 1; k < half; k++) {
        // even and odd samples' spectra, from the symmetries of the packed one
        const ar = re[k]!;
        const ai = im[k]!;
        const br = re[half - k]!;
        const bi = -im[half - k]!;
        const oddRe = (ai - bi) / 2;
        const oddIm = (br - ar) / 2;
        const c = cosine[k]!;
        const s = sine[k]!;
        const xr = (ar + br) / 2 + oddRe * c - oddIm * s;
        const xi = (ai + bi) / 2 + oddRe * s + oddIm * c;
        power[k] = xr * xr + xi * xi;
      }
    },
  };
}
