// Twin of fbank.ts: four frames at once, one in each lane.
import { log4 } from './vectors';

/** A Stockham FFT of `half` complex numbers, in place of `a`; the result lies where it returns, a or b. */
function fft(a: usize, b: usize, half: i32, twiddles: usize): usize {
  // real parts, then imaginary parts, 16 bytes each
  const plane = (<usize>half) << 4;
  let x = a;
  let y = b;
  let stride = 1;
  let n = half;
  while (n >= 4) {
    const quarter = n >> 2;
    for (let p = 0; p < quarter; p++) {
      // e^(−2πi·p/n) and its square and cube; the table is of e^(−2πi·k/half)
      const place = twiddles + ((<usize>(p * stride)) << 3);
      const place2 = twiddles + ((<usize>(2 * p * stride)) << 3);
      const place3 = twiddles + ((<usize>(3 * p * stride)) << 3);
      const c1 = v128.load32_splat(place);
      const s1 = v128.load32_splat(place, 4);
      const c2 = v128.load32_splat(place2);
      const s2 = v128.load32_splat(place2, 4);
      const c3 = v128.load32_splat(place3);
      const s3 = v128.load32_splat(place3, 4);
      const step = (<usize>(stride * quarter)) << 4;
      let from = x + ((<usize>(stride * p)) << 4);
      let to = y + ((<usize>(stride * p)) << 6);
      const row = (<usize>stride) << 4;
      for (let q = 0; q < stride; q++) {
        const ar = v128.load(from);
        const ai = v128.load(from + plane);
        const br = v128.load(from + step);
        const bi = v128.load(from + step + plane);
        const cr = v128.load(from + 2 * step);
        const ci = v128.load(from + 2 * step + plane);
        const dr = v128.load(from + 3 * step);
        const di = v128.load(from + 3 * step + plane);
        const acr = f32x4.add(ar, cr);
        const aci = f32x4.add(ai, ci);
        const amcr = f32x4.sub(ar, cr);
        const amci = f32x4.sub(ai, ci);
        const bdr = f32x4.add(br, dr);
        const bdi = f32x4.add(bi, di);
        const bmdr = f32x4.sub(br, dr);
        const bmdi = f32x4.sub(bi, di);
        v128.store(to, f32x4.add(acr, bdr));
        v128.store(to + plane, f32x4.add(aci, bdi));
        // −i·(b − d)
        const ur = f32x4.add(amcr, bmdi);
        const ui = f32x4.sub(amci, bmdr);
        v128.store(to + row, f32x4.sub(f32x4.mul(ur, c1), f32x4.mul(ui, s1)));
        v128.store(to + row + plane, f32x4.add(f32x4.mul(ur, s1), f32x4.mul(ui, c1)));
        const vr = f32x4.sub(acr, bdr);
        const vi = f32x4.sub(aci, bdi);
        v128.store(to + 2 * row, f32x4.sub(f32x4.mul(vr, c2), f32x4.mul(vi, s2)));
        v128.store(to + 2 * row + plane, f32x4.add(f32x4.mul(vr, s2), f32x4.mul(vi, c2)));
        const wr = f32x4.sub(amcr, bmdi);
        const wi = f32x4.add(amci, bmdr);
        v128.store(to + 3 * row, f32x4.sub(f32x4.mul(wr, c3), f32x4.mul(wi, s3)));
        v128.store(to + 3 * row + plane, f32x4.add(f32x4.mul(wr, s3), f32x4.mul(wi, c3)));
        from += 16;
        to += 16;
      }
    }
    const swap = x;
    x = y;
    y = swap;
    n = quarter;
    stride <<= 2;
  }
  if (n === 2) {
    const step = (<usize>stride) << 4;
    for (let q = 0; q < stride; q++) {
      const place = (<usize>q) << 4;
      const ar = v128.load(x + place);
      const ai = v128.load(x + place + plane);
      const br = v128.load(x + place + step);
      const bi = v128.load(x + place + step + plane);
      v128.store(y + place, f32x4.add(ar, br));
      v128.store(y + place + plane, f32x4.add(ai, bi));
      v128.store(y + place + step, f32x4.sub(ar, br));
      v128.store(y + place + step + plane, f32x4.sub(ai, bi));
    }
    x = y;
  }
  return x;
}

/**
 * @param signal float32 samples, mirrored at the ends so far that frames 4·⌈frames/4⌉ of `length` fit in; first sample
 *   of frame 0
 * @param window [length]
 * @param twiddles e^(−2πi·k/half) as cosine and sine, [half]; then e^(−2πi·k/size), [half]
 * @param bank for each bin its first line and their number as int32; weights of all bins as float32
 * @param work 4 · half complex numbers of four lanes
 * @param result [4·⌈frames/4⌉ × bins]
 */
export function fbank(
  signal: usize,
  frames: i32,
  shift: i32,
  length: i32,
  half: i32,
  window: usize,
  twiddles: usize,
  bins: i32,
  bank: usize,
  weights: usize,
  work: usize,
  result: usize,
  preemphasis: f32,
  floor: f32,
): void {
  const plane = (<usize>half) << 4;
  const a = work;
  const b = work + 2 * plane;
  const lengths = f32x4.splat(<f32>length);
  const factor = f32x4.splat(preemphasis);
  const size = half << 1;
  for (let frame = 0; frame < frames; frame += 4) {
    const first = signal + ((<usize>(frame * shift)) << 2);
    const apart = (<usize>shift) << 2;
    // samples of four frames side by side: into b, in order, `size` vectors
    let sums = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= length; j += 4) {
      const from = first + ((<usize>j) << 2);
      const r0 = v128.load(from);
      const r1 = v128.load(from + apart);
      const r2 = v128.load(from + 2 * apart);
      const r3 = v128.load(from + 3 * apart);
      const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
      const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
      const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
      const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
      const s0 = i64x2.shuffle(low01, low23, 0, 2);
      const s1 = i64x2.shuffle(low01, low23, 1, 3);
      const s2 = i64x2.shuffle(high01, high23, 0, 2);
      const s3 = i64x2.shuffle(high01, high23, 1, 3);
      const to = b + ((<usize>j) << 4);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
      sums = f32x4.add(sums, f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    }
    for (; j < length; j++) {
      const from = first + ((<usize>j) << 2);
      let s = v128.load32_splat(from);
      s = f32x4.replace_lane(s, 1, load<f32>(from + apart));
      s = f32x4.replace_lane(s, 2, load<f32>(from + 2 * apart));
      s = f32x4.replace_lane(s, 3, load<f32>(from + 3 * apart));
      v128.store(b + ((<usize>j) << 4), s);
      sums = f32x4.add(sums, s);
    }
    const means = f32x4.div(sums, lengths);
    // offset, pre-emphasis and window; even samples are real parts of the packed signal, odd ones imaginary: into a
    let before = f32x4.sub(v128.load(b), means);
    for (j = 0; j < size; j++) {
      const to = a + ((<usize>(j >> 1)) << 4) + (j & 1 ? plane : 0);
      if (j >= length) {
        v128.store(to, f32x4.splat(0));
        continue;
      }
      const value = f32x4.sub(v128.load(b + ((<usize>j) << 4)), means);
      const emphasised = f32x4.sub(value, f32x4.mul(factor, before));
      v128.store(to, f32x4.mul(emphasised, v128.load32_splat(window + ((<usize>j) << 2))));
      before = value;
    }
    const spectrum = fft(a, b, half, twiddles);
    const power = spectrum === a ? b : a;
    // even and odd samples' spectra, from the symmetries of the packed one
    const re0 = v128.load(spectrum);
    const im0 = v128.load(spectrum + plane);
    const sum0 = f32x4.add(re0, im0);
    v128.store(power, f32x4.mul(sum0, sum0));
    const oneHalf = f32x4.splat(0.5);
    for (let k = 1; k < half; k++) {
      const place = spectrum + ((<usize>k) << 4);
      const mirror = spectrum + ((<usize>(half - k)) << 4);
      const ar = v128.load(place);
      const ai = v128.load(place + plane);
      const br = v128.load(mirror);
      const bi = f32x4.neg(v128.load(mirror + plane));
      const oddRe = f32x4.sub(ai, bi);
      const oddIm = f32x4.sub(br, ar);
      const turn = twiddles + ((<usize>(half + k)) << 3);
      const c = v128.load32_splat(turn);
      const s = v128.load32_splat(turn, 4);
      const xr = f32x4.mul(oneHalf, f32x4.add(f32x4.add(ar, br), f32x4.sub(f32x4.mul(oddRe, c), f32x4.mul(oddIm, s))));
      const xi = f32x4.mul(oneHalf, f32x4.add(f32x4.add(ai, bi), f32x4.add(f32x4.mul(oddRe, s), f32x4.mul(oddIm, c))));
      v128.store(power + ((<usize>k) << 4), f32x4.add(f32x4.mul(xr, xr), f32x4.mul(xi, xi)));
    }
    let weight = weights;
    for (let bin = 0; bin < bins; bin++) {
      let line = power + ((<usize>load<i32>(bank + ((<usize>bin) << 3))) << 4);
      const end = weight + ((<usize>load<i32>(bank + ((<usize>bin) << 3), 4)) << 2);
      let energy = f32x4.splat(0);
      for (; weight < end; weight += 4, line += 16) {
        energy = f32x4.add(energy, f32x4.mul(v128.load32_splat(weight), v128.load(line)));
      }
      const logs = log4(f32x4.pmax(energy, f32x4.splat(floor)));
      const to = result + ((<usize>(frame * bins + bin)) << 2);
      const row = (<usize>bins) << 2;
      store<f32>(to, f32x4.extract_lane(logs, 0));
      store<f32>(to + row, f32x4.extract_lane(logs, 1));
      store<f32>(to + 2 * row, f32x4.extract_lane(logs, 2));
      store<f32>(to + 3 * row, f32x4.extract_lane(logs, 3));
    }
  }
}
