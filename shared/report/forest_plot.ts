import { percent } from './format.ts';
import { type Markup, markup } from './markup.ts';
import { linearScale, mark } from './svg.ts';
import { linearTicks, tickDecimals } from './ticks.ts';

/** A value with its interval, one row of a forest plot. */
export interface Whisker {
  label: string;
  value: number;
  low: number;
  high: number;
  style: number;
}

/** Values (fractions) that all rows are drawn against, e.g. the ensemble. */
export interface ReferenceLine {
  value: number;
  kind: 'ensemble' | 'baseline';
}

export interface ForestPlot {
  axis(): Markup;
  row(whisker: Whisker, references: readonly ReferenceLine[]): Markup;
}

/**
 * A forest plot in the rows of a table: one axis for the header, one dot and whisker per row, all on one scale from 0.
 *
 * Places are percentages of the cell, so that the plot takes whatever width the table gives it.
 */
export function forestPlot(highest: number): ForestPlot {
  const ticks = linearTicks(0, highest, 5);
  const scale = linearScale([0, ticks.at(-1)!], [6, 94]);
  const decimals = tickDecimals(ticks.map((tick) => Number((tick * 100).toPrecision(10))));
  const place = (value: number) => `${scale(Math.min(value, ticks.at(-1)!)).toFixed(2)}%`;
  const grid = ticks.map(
    (tick) => markup`<line class="grid" x1="${place(tick)}" x2="${place(tick)}" y1="-40" y2="70"/>`,
  );
  return {
    axis: () =>
      markup`<svg class="forest" height="18" aria-hidden="true">${ticks.map((tick) => markup`<text x="${place(tick)}" y="13" text-anchor="middle">${percent(tick, decimals)}</text>`)}</svg>`,
    row: (
      { label, value, low, high, style },
      references,
    ) => markup`<svg class="forest" height="30" role="img"><title>${`${label}: ${percent(value)} %, 95 % interval ${percent(low)} to ${percent(high)} %`}</title>
${grid}${references.map(({ value, kind }) => markup`<line class="${kind}" x1="${place(value)}" x2="${place(value)}" y1="-40" y2="70"/>`)}
<g class="c${style % 6}"><line class="whisker" x1="${place(low)}" x2="${place(high)}" y1="15" y2="15"/>
<line class="whisker" x1="${place(low)}" x2="${place(low)}" y1="11" y2="19"/><line class="whisker" x1="${place(high)}" x2="${place(high)}" y1="11" y2="19"/>
<svg x="${place(value)}" y="15" overflow="visible">${mark(style, 0, 0, 4.5)}</svg></g></svg>`,
  };
}
