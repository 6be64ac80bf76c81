/** Hertz to mel, as HTK and Kaldi have it. */
export const melOf = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

/** One triangle of a mel bank, over bins of a power spectrum. */
export interface MelFilter {
  /** First bin of the spectrum with a weight. */
  first: number;
  weights: Float64Array;
}

export interface MelBankOptions {
  bins: number;
  sampleRateHz: number;
  fftSize: number;
  lowFrequencyHz: number;
  /** 0 or less: from the Nyquist frequency down. */
  highFrequencyHz: number;
}

/**
 * Triangles of equal width on the mel scale, each of height 1, as in Kaldi's mel-computations.cc.
 *
 * @throws {RangeError} when the frequencies are not ascending below Nyquist, or a triangle is too narrow for any bin
 */
export function melBank({ bins, sampleRateHz, fftSize, lowFrequencyHz, highFrequencyHz }: MelBankOptions): MelFilter[] {
  const nyquist = sampleRateHz / 2;
  const high = highFrequencyHz > 0 ? highFrequencyHz : nyquist + highFrequencyHz;
  if (!(lowFrequencyHz >= 0 && lowFrequencyHz < high && high <= nyquist)) {
    throw new RangeError(`Frequencies from ${lowFrequencyHz} to ${high} Hz do not lie between 0 and ${nyquist} Hz`);
  }
  const lowMel = melOf(lowFrequencyHz);
  const delta = (melOf(high) - lowMel) / (bins + 1);
  return Array.from({ length: bins }, (_, bin) => {
    const [left, centre, right] = [lowMel + bin * delta, lowMel + (bin + 1) * delta, lowMel + (bin + 2) * delta];
    let first = -1;
    const weights: number[] = [];
    for (let k = 0; k < fftSize / 2; k++) {
      const mel = melOf((k * sampleRateHz) / fftSize);
      if (mel <= left || mel >= right) continue;
      if (first < 0) first = k;
      weights.push(mel <= centre ? (mel - left) / (centre - left) : (right - mel) / (right - centre));
    }
    if (first < 0) {
      throw new RangeError(
        `Mel bin ${bin} of ${bins} lies between two lines of the spectrum; take fewer bins, or longer frames`,
      );
    }
    return { first, weights: Float64Array.from(weights) };
  });
}
