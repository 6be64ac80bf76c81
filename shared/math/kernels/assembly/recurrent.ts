// Twins of lstm_step.ts, gru_step.ts and recurrent_step.ts: four units at once. Their number is a multiple of four.
import { sigmoid4, tanh4 } from './vectors';

export function lstmStep(
  units: i32,
  count: i32,
  first: i32,
  before: i32,
  places: usize,
  gates: usize,
  recurrent: usize,
  bias: usize,
  cells: usize,
  hidden: usize,
): void {
  const width = (<usize>units) << 2;
  for (let r = 0; r < count; r++) {
    const gate = gates + <usize>load<i32>(places + ((<usize>(first + r)) << 2)) * 4 * width;
    const own = <usize>(first + r) * width;
    const earlier = cells + <usize>(before + r) * width;
    for (let u: usize = 0; u < width; u += 16) {
      let zi = f32x4.add(v128.load(gate + u), v128.load(bias + u));
      let zf = f32x4.add(v128.load(gate + width + u), v128.load(bias + width + u));
      let zg = f32x4.add(v128.load(gate + 2 * width + u), v128.load(bias + 2 * width + u));
      let zo = f32x4.add(v128.load(gate + 3 * width + u), v128.load(bias + 3 * width + u));
      if (before >= 0) {
        const row = recurrent + <usize>r * 4 * width + u;
        zi = f32x4.add(zi, v128.load(row));
        zf = f32x4.add(zf, v128.load(row + width));
        zg = f32x4.add(zg, v128.load(row + 2 * width));
        zo = f32x4.add(zo, v128.load(row + 3 * width));
      }
      const i = sigmoid4(zi);
      const f = sigmoid4(zf);
      const g = tanh4(zg);
      const o = sigmoid4(zo);
      v128.store(gate + u, i);
      v128.store(gate + width + u, f);
      v128.store(gate + 2 * width + u, g);
      v128.store(gate + 3 * width + u, o);
      let cell = f32x4.mul(i, g);
      if (before >= 0) cell = f32x4.add(cell, f32x4.mul(f, v128.load(earlier + u)));
      v128.store(cells + own + u, cell);
      v128.store(hidden + own + u, f32x4.mul(o, tanh4(cell)));
    }
  }
}

export function lstmStepGradient(
  units: i32,
  count: i32,
  first: i32,
  before: i32,
  columns: i32,
  column: i32,
  following: i32,
  places: usize,
  gates: usize,
  cells: usize,
  gradient: usize,
  fromAfter: usize,
  cellGradient: usize,
  gateGradient: usize,
): void {
  const width = (<usize>units) << 2;
  const one = f32x4.splat(1);
  for (let r = 0; r < count; r++) {
    const place = load<i32>(places + ((<usize>(first + r)) << 2));
    const gate = gates + <usize>place * 4 * width;
    const wanted = gradient + ((<usize>(place * columns + column)) << 2);
    const to = gateGradient + <usize>(first + r) * 4 * width;
    const cell = cells + <usize>(first + r) * width;
    const earlier = cells + <usize>(before + r) * width;
    const carried = <usize>r * width;
    for (let u: usize = 0; u < width; u += 16) {
      const i = v128.load(gate + u);
      const f = v128.load(gate + width + u);
      const g = v128.load(gate + 2 * width + u);
      const o = v128.load(gate + 3 * width + u);
      const t = tanh4(v128.load(cell + u));
      let dh = v128.load(wanted + u);
      if (r < following) dh = f32x4.add(dh, v128.load(fromAfter + carried + u));
      let dc = f32x4.mul(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(t, t)));
      if (r < following) dc = f32x4.add(dc, v128.load(cellGradient + carried + u));
      const cellBefore = before < 0 ? f32x4.splat(0) : v128.load(earlier + u);
      v128.store(to + u, f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i))));
      v128.store(to + width + u, f32x4.mul(f32x4.mul(dc, cellBefore), f32x4.mul(f, f32x4.sub(one, f))));
      v128.store(to + 2 * width + u, f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g))));
      v128.store(to + 3 * width + u, f32x4.mul(f32x4.mul(dh, t), f32x4.mul(o, f32x4.sub(one, o))));
      v128.store(cellGradient + carried + u, f32x4.mul(dc, f));
    }
  }
}

export function gruStep(
  units: i32,
  count: i32,
  first: i32,
  before: i32,
  places: usize,
  gates: usize,
  recurrent: usize,
  bias: usize,
  candidates: usize,
  hidden: usize,
): void {
  const width = (<usize>units) << 2;
  const one = f32x4.splat(1);
  for (let r = 0; r < count; r++) {
    const gate = gates + <usize>load<i32>(places + ((<usize>(first + r)) << 2)) * 3 * width;
    const own = <usize>(first + r) * width;
    const earlier = hidden + <usize>(before + r) * width;
    for (let u: usize = 0; u < width; u += 16) {
      let zr = f32x4.add(v128.load(gate + u), v128.load(bias + u));
      let zz = f32x4.add(v128.load(gate + width + u), v128.load(bias + width + u));
      const zn = f32x4.add(v128.load(gate + 2 * width + u), v128.load(bias + 2 * width + u));
      let q = v128.load(bias + 3 * width + u);
      if (before >= 0) {
        const row = recurrent + <usize>r * 3 * width + u;
        zr = f32x4.add(zr, v128.load(row));
        zz = f32x4.add(zz, v128.load(row + width));
        q = f32x4.add(q, v128.load(row + 2 * width));
      }
      const reset = sigmoid4(zr);
      const z = sigmoid4(zz);
      const n = tanh4(f32x4.add(zn, f32x4.mul(reset, q)));
      v128.store(gate + u, reset);
      v128.store(gate + width + u, z);
      v128.store(gate + 2 * width + u, n);
      v128.store(candidates + own + u, q);
      let h = f32x4.mul(f32x4.sub(one, z), n);
      if (before >= 0) h = f32x4.add(h, f32x4.mul(z, v128.load(earlier + u)));
      v128.store(hidden + own + u, h);
    }
  }
}

export function gruStepGradient(
  units: i32,
  count: i32,
  first: i32,
  before: i32,
  columns: i32,
  column: i32,
  following: i32,
  places: usize,
  gates: usize,
  candidates: usize,
  hidden: usize,
  gradient: usize,
  fromAfter: usize,
  carried: usize,
  gateGradient: usize,
  recurrentGradient: usize,
): void {
  const width = (<usize>units) << 2;
  const one = f32x4.splat(1);
  for (let r = 0; r < count; r++) {
    const place = load<i32>(places + ((<usize>(first + r)) << 2));
    const gate = gates + <usize>place * 3 * width;
    const wanted = gradient + ((<usize>(place * columns + column)) << 2);
    const to = <usize>(first + r) * 3 * width;
    const candidate = candidates + <usize>(first + r) * width;
    const earlier = hidden + <usize>(before + r) * width;
    const own = <usize>r * width;
    for (let u: usize = 0; u < width; u += 16) {
      const reset = v128.load(gate + u);
      const z = v128.load(gate + width + u);
      const n = v128.load(gate + 2 * width + u);
      let dh = v128.load(wanted + u);
      if (r < following) dh = f32x4.add(dh, f32x4.add(v128.load(fromAfter + own + u), v128.load(carried + own + u)));
      const hiddenBefore = before < 0 ? f32x4.splat(0) : v128.load(earlier + u);
      const dn = f32x4.mul(f32x4.mul(dh, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)));
      const dr = f32x4.mul(f32x4.mul(dn, v128.load(candidate + u)), f32x4.mul(reset, f32x4.sub(one, reset)));
      const dz = f32x4.mul(f32x4.mul(dh, f32x4.sub(hiddenBefore, n)), f32x4.mul(z, f32x4.sub(one, z)));
      v128.store(gateGradient + to + u, dr);
      v128.store(gateGradient + to + width + u, dz);
      v128.store(gateGradient + to + 2 * width + u, dn);
      v128.store(recurrentGradient + to + u, dr);
      v128.store(recurrentGradient + to + width + u, dz);
      v128.store(recurrentGradient + to + 2 * width + u, f32x4.mul(dn, reset));
      v128.store(carried + own + u, f32x4.mul(dh, z));
    }
  }
}

export function scatterRows(
  target: usize,
  rows: usize,
  places: usize,
  count: i32,
  width: i32,
  columns: i32,
  column: i32,
): void {
  const bytes = (<usize>width) << 2;
  for (let i = 0; i < count; i++, rows += bytes) {
    const place = load<i32>(places + ((<usize>i) << 2));
    memory.copy(target + ((<usize>(place * columns + column)) << 2), rows, bytes);
  }
}
