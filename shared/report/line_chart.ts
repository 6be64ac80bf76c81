import { fixed } from './format.ts';
import { fontSize, shortened, spreadLabels, textWidth } from './labels.ts';
import { type Markup, markup } from './markup.ts';
import { colourClass, dashes, figureSvg, linearScale, logScale, mark } from './svg.ts';
import { axisAround, tickDecimals } from './ticks.ts';

/** One line: points in order of x. */
export interface Line {
  label: string;
  style: number;
  points: readonly { x: number; y: number }[];
}

export interface LineChart {
  id: string;
  title: string;
  description: string;
  width: number;
  xLabel: string;
  yLabel: string;
  lines: readonly Line[];
  /** Logarithmic y, for values above 0. */
  logY?: boolean;
}

/**
 * Lines over a common x axis, each with its label at its end; labels keep their distance, thin lines lead to them.
 *
 * @throws {RangeError} when no line has a point
 */
export function lineChart({ id, title, description, width, xLabel, yLabel, lines, logY = false }: LineChart): Markup {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0)
    throw new RangeError(`Cannot draw "${title}": its lines have no points; leave the chart out`);
  const gap = fontSize + 3;
  const labelRoom = Math.min(width * 0.34, Math.max(...lines.map(({ label }) => textWidth(label))));
  const [left, right, top, bottom] = [
    46,
    width - labelRoom - 26,
    28,
    Math.max(width * 0.56, 250, lines.length * gap + 30),
  ];
  const height = bottom + 44;
  const vertical = axisAround(
    points.map(({ y }) => y),
    { count: 6, log: logY },
  );
  const horizontal = axisAround(
    points.map(({ x }) => x),
    { count: Math.max(2, Math.floor((right - left) / 60)) },
  );
  const x = linearScale(horizontal.domain, [left, right]);
  const y = (logY ? logScale : linearScale)(vertical.domain, [bottom, top]);
  const decimals = tickDecimals(vertical.ticks);
  const ends = lines.map((line) => line.points.at(-1));
  const drawn = lines.flatMap((line, i) => (ends[i] ? [{ line, end: ends[i] }] : []));
  const heights = spreadLabels(
    drawn.map(({ end }) => y(end.y)),
    { gap, low: top, high: bottom },
  );
  return figureSvg(id, { title, description, width, height }, [
    markup`<text class="axis" x="4" y="14">${yLabel}</text>
${vertical.ticks.map((tick) => markup`<line class="grid" x1="${left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick" x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${logY ? String(tick) : fixed(tick, decimals)}</text>`)}
${horizontal.ticks.map((tick) => markup`<text class="tick" x="${x(tick)}" y="${bottom + 17}" text-anchor="middle">${String(tick)}</text>`)}
<line class="ground" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
<text class="axis" x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${xLabel}</text>`,
    ...drawn.map(
      ({ line, end }, i) => markup`<g class="${colourClass(line.style)}"><title>${line.label}</title>
<polyline class="line" stroke-dasharray="${dashes(line.style)}" points="${line.points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ')}"/>
${mark(line.style, x(end.x), y(end.y), 3)}
<polyline class="leader" points="${x(end.x) + 5},${y(end.y)} ${right + 12},${heights[i]!} ${right + 16},${heights[i]!}"/>
<text x="${right + 20}" y="${heights[i]! + 4}">${shortened(line.label, labelRoom)}</text></g>`,
    ),
  ]);
}
