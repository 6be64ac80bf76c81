/**
 * Round places between two values, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
 * The first and last enclose the values, so that they make an axis.
 *
 * @throws {RangeError} when the values are not finite or not in order
 */
export function linearTicks(low: number, high: number, count = 5): number[] {
  checkRange(low, high);
  const span = high > low ? high - low : Math.abs(low) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Round places on a logarithmic axis that enclose two values: as many as `most` allows of those easy to read
 * between powers of ten, every so many powers where there are too many of those.
 *
 * @throws {RangeError} when a value is not positive and finite
 */
export function logTicks(low: number, high: number, most = 8): number[] {
  checkRange(low, high);
  if (!(low > 0)) throw new RangeError(`Cannot put ${low} on a logarithmic axis; give positive numbers`);
  for (const factors of [[1, 1.5, 2, 3, 4, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
    const ticks = enclosing(factors, low, high);
    if (ticks.length <= most) return ticks;
  }
  const decades = enclosing([1], low, high);
  const stride = Math.ceil(decades.length / most);
  const last = decades.length - 1;
  return decades.filter((_, i) => i === last || (i % stride === 0 && last - i >= stride / 2));
}

function enclosing(factors: readonly number[], low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1];
  const places: number[] = [];
  for (let power = first; power <= last; power++) {
    for (const factor of factors) places.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  const start = places.findLastIndex((place) => place <= low * (1 + 1e-9));
  const end = places.findIndex((place, i) => i > start && place >= high * (1 - 1e-9));
  return places.slice(start, end + 1);
}

function checkRange(low: number, high: number): void {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw new RangeError(`Cannot make an axis from ${low} to ${high}; give finite numbers in order`);
  }
}

/** As many decimals as the ticks need to be told apart. */
export function tickDecimals(ticks: readonly number[]): number {
  const decimals = ticks.map((tick) => (String(tick).split('.')[1] ?? '').length);
  return Math.max(0, ...decimals);
}

export interface Axis {
  domain: [low: number, high: number];
  ticks: number[];
}

/**
 * An axis that leaves a little room around the values, with the ticks that lie within; where that would be fewer
 * than two, the axis reaches from tick to tick.
 */
export function axisAround(values: readonly number[], { count, log = false }: { count: number; log?: boolean }): Axis {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const all = log ? logTicks(low, high, count + 2) : linearTicks(low, high, count);
  const room = log ? (high / low) ** 0.04 : 0.04 * (high - low);
  const domain: [number, number] = log ? [low / room, high * room] : [low - room, high + room];
  const ticks = all.filter((tick) => domain[0] <= tick && tick <= domain[1]);
  return ticks.length >= 2 ? { domain, ticks } : { domain: [all[0]!, all.at(-1)!], ticks: all };
}
