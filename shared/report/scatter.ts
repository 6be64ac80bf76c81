import { bytes, fixed } from './format.ts';
import { placeLabels, shortened, textWidth } from './labels.ts';
import { type Markup, markup } from './markup.ts';
import { colourClass, figureSvg, linearScale, logScale, mark } from './svg.ts';
import { axisAround, tickDecimals } from './ticks.ts';

/** A point with an interval in y. Without an x it stands in a band of its own, left of a break in the axis. */
export interface ScatterPoint {
  label: string;
  /** Colour and shape. */
  style: number;
  /** Bytes, above 0. */
  x: number | undefined;
  y: number;
  low: number;
  high: number;
}

export interface Scatter {
  id: string;
  title: string;
  description: string;
  width: number;
  xLabel: string;
  yLabel: string;
  /** What the points without x are. */
  withoutX: string;
  points: readonly ScatterPoint[];
}

/** Points over a logarithmic x axis, labelled directly where there is room; every point tells its figures on hovering. */
export function scatter({ id, title, description, width, xLabel, yLabel, withoutX, points }: Scatter): Markup {
  if (points.length === 0) throw new RangeError(`Cannot draw "${title}" without points; leave the chart out`);
  const [left, right, top, bottom] = [40, width - 14, 28, Math.max(300, width * 0.56)];
  const xs = points.flatMap(({ x }) => (x === undefined ? [] : [x]));
  const alone = xs.length < points.length;
  const band = !alone ? 0 : xs.length === 0 ? right - left : Math.max(textWidth(withoutX) + 16, width * 0.2);
  const start = left + band + (alone ? 14 : 0);
  const horizontal =
    xs.length === 0 ? undefined : axisAround(xs, { count: Math.max(2, Math.floor((right - start) / 70)), log: true });
  const ticks = horizontal?.ticks ?? [];
  const toX = horizontal ? logScale(horizontal.domain, [start + 12, right - 18]) : () => 0;
  const x = (value: number | undefined) => (value === undefined ? left + band / 3 : toX(value));
  const vertical = axisAround(
    points.flatMap(({ low, high }) => [low, high]),
    { count: 5 },
  );
  const y = linearScale(vertical.domain, [bottom, top]);
  const decimals = tickDecimals(vertical.ticks);
  const names = points.map(({ label }) => shortened(label, Math.min(170, width * 0.36)));
  const labels = placeLabels(
    points.map((point, i) => ({ x: x(point.x), y: y(point.y), width: textWidth(names[i]!) })),
    { bounds: { left, right: width, top: top - 4, bottom: bottom - 2 }, radius: 6 },
  );
  const breakX = left + band + 7;
  return figureSvg(id, { title, description, width, height: bottom + 46 }, [
    markup`<text class="axis" x="4" y="14">${yLabel}</text>
${vertical.ticks.map((tick) => markup`<line class="grid" x1="${left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick" x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${fixed(tick, decimals)}</text>`)}
${ticks.map((tick) => markup`<line class="grid" x1="${toX(tick)}" x2="${toX(tick)}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" x="${toX(tick)}" y="${bottom + 18}" text-anchor="middle">${bytes(tick)}</text>`)}
${alone && markup`<text class="tick" x="${left + band / 2}" y="${bottom + 18}" text-anchor="middle">${withoutX}</text>`}
${alone && ticks.length > 0 && markup`<g class="break"><line x1="${breakX - 5}" y1="${bottom + 6}" x2="${breakX}" y2="${bottom - 6}"/><line x1="${breakX}" y1="${bottom + 6}" x2="${breakX + 5}" y2="${bottom - 6}"/></g>`}
<line class="ground" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
<text class="axis" x="${(left + right) / 2}" y="${bottom + 38}" text-anchor="middle">${xLabel}</text>`,
    ...points.map((point, i) => {
      const [px, py, label] = [x(point.x), y(point.y), labels[i]];
      return markup`<g class="${colourClass(point.style)}"><title>${`${point.label}: ${fixed(point.y, 2)} [${fixed(point.low, 2)}, ${fixed(point.high, 2)}], ${point.x === undefined ? withoutX : bytes(point.x)}`}</title>
<line class="faint" x1="${px}" x2="${px}" y1="${y(point.low)}" y2="${y(point.high)}"/>${mark(point.style, px, py, 5)}
${label?.far && markup`<line class="leader" x1="${px}" y1="${py}" x2="${label.x}" y2="${label.y + 6 * Math.sign(py - label.y)}"/>`}
${label && markup`<text x="${label.x}" y="${label.y + 4}" text-anchor="${label.anchor}">${names[i]!}</text>`}</g>`;
    }),
  ]);
}
