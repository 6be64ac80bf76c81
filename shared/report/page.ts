import { costColumns } from './cost_columns.ts';
import { type ForestPlot, forestPlot, type ReferenceLine } from './forest_plot.ts';
import {
  bytes,
  count,
  duration,
  fixed,
  interval,
  percent,
  plural,
  points,
  pValue,
  rateTitles,
  unknown,
} from './format.ts';
import { lineChart } from './line_chart.ts';
import { remarksOn } from './markdown_table.ts';
import { type Markup, markup } from './markup.ts';
import { pageStyle } from './page_style.ts';
import { type Comparison, isComparison, type Refusal, type Row, type Rows } from './rows.ts';
import type { CurvePoint } from './runs.ts';
import { scatter } from './scatter.ts';
import { styles } from './svg.ts';

export interface PageOptions {
  title: string;
  baseline: string;
  ensemble: string;
  resamples: number;
  /** Who made the corpus, under which licence; shown as it is. */
  attribution?: string;
  /** What to type to make this page again. */
  command: string;
}

/** The page: complete in itself, no scripts, nothing loaded from elsewhere. */
export function reportPage(report: Rows, options: PageOptions): string {
  const { rows, notes } = report;
  const protocols = [...new Set(rows.map(({ protocol }) => protocol))];
  const arms = [...new Set(rows.map(({ arm }) => arm))];
  const styleOf = (arm: string) => arms.indexOf(arm) % styles;
  return markup`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${options.title}</title><link rel="icon" href="data:,">
<style>${{ markup: pageStyle }}</style></head>
<body>
<header><h1>${options.title}</h1>
<p class="lead">${`${plural(rows.length, 'row')} · ${plural(Math.max(...rows.map(({ seeds }) => seeds.length)), 'seed')} at most · ${plural(report.comparisons, 'paired comparison')}`}</p>
${notes.map((note) => markup`<p class="caption">${note}</p>`)}</header>
<main>
${protocols.map((protocol, i) =>
  section(
    protocol,
    rows.filter((row) => row.protocol === protocol),
    { ...options, rate: report.rate, key: `p${i}`, styleOf },
  ),
)}
${method(report, options)}
${settings(rows, options)}
</main>
<footer>${options.attribution && markup`<p>${options.attribution}</p>`}</footer>
</body>
</html>
`.markup;
}

interface SectionOptions extends PageOptions {
  rate: Rows['rate'];
  /** Prefix of ids. */
  key: string;
  styleOf: (arm: string) => number;
}

function section(protocol: string, rows: Row[], options: SectionOptions): Markup {
  const [first] = rows as [Row];
  return markup`<section aria-labelledby="${options.key}"><h2 id="${options.key}">${protocol}</h2>
<p class="caption">${`${plural(first.utterances, 'utterance')}${first.speakers === undefined ? '' : ` of ${plural(first.speakers, 'speaker')}`}, ${plural(first.words, 'word')} per seed`}</p>
${ratesTable(rows, options)}
${detailsTable(rows)}
${bytesFigures(rows, options)}
${curveFigures(rows, options)}</section>`;
}

function sizesOf(rows: Row[]): [size: string, rows: Row[]][] {
  return [...new Set(rows.map(({ size }) => size))].map((size) => [size, rows.filter((row) => row.size === size)]);
}

/** Error rates with their intervals drawn, and the comparisons. */
function ratesTable(rows: Row[], { rate, baseline, ensemble, styleOf, key }: SectionOptions): Markup {
  const plot = forestPlot(Math.max(...rows.map(({ wer }) => wer.high)));
  const remarks = [...new Set(rows.flatMap(remarksOn))];
  const whole = rows.find(({ arm, size }) => arm === ensemble && size === 'ensemble');
  return markup`<div class="card"><table class="rates" role="table"><caption>${`${rateTitles[rate]} in %, 95 % intervals. Dashed line: ${ensemble}; dotted line: ${baseline} of the same size. Differences in points, negative is better; p in brackets after Holm's correction.`}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Arm</th><th scope="col" role="columnheader">${rate.toUpperCase()} %</th><th class="plot" scope="col" role="columnheader" aria-label="Interval">${plot.axis()}</th><th scope="col" role="columnheader">${`vs ${baseline}`}</th><th scope="col" role="columnheader">${`vs ${ensemble}`}</th></tr></thead>
${sizesOf(rows).map(([size, alike], i) => {
  const base = alike.find(({ arm }) => arm === baseline);
  const references: ReferenceLine[] = [
    whole && { value: whole.wer.value, kind: 'ensemble' as const },
    base && { value: base.wer.value, kind: 'baseline' as const },
  ].filter((line) => line !== undefined);
  return markup`<tbody role="rowgroup" aria-labelledby="${key}-${i}"><tr role="row"><th id="${key}-${i}" scope="rowgroup" role="rowheader" colspan="5">${size}</th></tr>
${alike.map((row) => rateRow(row, { plot, references, remarks, style: styleOf(row.arm), baseline, ensemble }))}</tbody>`;
})}
</table>${remarks.length > 0 && markup`<ol class="remarks">${remarks.map((remark) => markup`<li>${remark}</li>`)}</ol>`}</div>`;
}

interface RateRow {
  plot: ForestPlot;
  references: ReferenceLine[];
  remarks: string[];
  style: number;
  baseline: string;
  ensemble: string;
}

function rateRow(row: Row, { plot, references, remarks, style, baseline, ensemble }: RateRow): Markup {
  const marks = remarksOn(row).map((remark) => remarks.indexOf(remark) + 1);
  const single = row.runs.map(({ wer }) => wer);
  const spread =
    row.size === 'teacher' &&
    single.length > 1 &&
    `${percent(Math.min(...single))}–${percent(Math.max(...single))} singly`;
  return markup`<tr role="row" class="row"><th scope="row" role="rowheader"><span class="arm">${row.arm}</span>${marks.length > 0 && markup`<sup>${marks.join(' ')}</sup>`}<span class="interval">${spread || plural(row.seeds.length, 'seed')}</span></th>
<td role="cell"><span class="value">${percent(row.wer.value)}</span><span class="interval">${interval(row.wer, percent)}</span></td>
<td role="cell" class="plot">${plot.row({ label: row.arm, ...row.wer, style }, references)}</td>
${comparisonCell(row.toBaseline, `vs ${baseline}`)}${comparisonCell(row.toEnsemble, `vs ${ensemble}`)}</tr>`;
}

function comparisonCell(comparison: Comparison | Refusal | undefined, label: string): Markup {
  const content = !isComparison(comparison)
    ? markup`<span${comparison && markup` title="${comparison.refused}"`}>${unknown}</span>`
    : markup`<span class="value${comparison.stands && ' surely'}">${points(comparison.difference)}</span><span class="interval">${interval(comparison, points)}</span><span class="p">${`p ${pValue(comparison.p)} (${pValue(comparison.pHolm)})`}</span>`;
  return markup`<td role="cell" class="versus" data-label="${label}">${content}</td>`;
}

const detailColumns: [header: string, cell: (row: Row) => string][] = [
  ['Seeds', ({ seeds }) => String(seeds.length)],
  ['Parameters', ({ parameters }) => count(parameters)],
  ['Model', ({ modelBytes }) => bytes(modelBytes)],
  ['Substi­tutions', ({ errors }) => fixed(errors.substitutions, 1)],
  ['Deletions', ({ errors }) => fixed(errors.deletions, 1)],
  ['Insertions', ({ errors }) => fixed(errors.insertions, 1)],
  ['Frames right %', ({ frameAccuracy }) => percent(frameAccuracy, 1)],
  ['Mass kept %', ({ keptMass }) => percent(keptMass, 1)],
  ['Bytes/frame', ({ bytesPerFrame }) => fixed(bytesPerFrame, 1)],
  ['Training', ({ trainingSeconds }) => duration(trainingSeconds)],
];

function detailsTable(rows: Row[]): Markup {
  const costs = costColumns.map(([header, spell]): (typeof detailColumns)[number] => [
    header,
    ({ cost }) => spell(cost),
  ]);
  const columns = rows.some(({ cost }) => cost) ? [...detailColumns, ...costs] : detailColumns;
  return markup`<h3>Costs and errors</h3><div class="card scroll" tabindex="0" role="region" aria-label="Costs and errors"><table class="details"><caption>Errors per seed; means over seeds.</caption>
<thead><tr><th scope="col">Arm</th>${columns.map(([header]) => markup`<th scope="col">${header}</th>`)}</tr></thead>
${sizesOf(rows).map(
  ([size, alike]) => markup`<tbody><tr><th scope="rowgroup" colspan="${columns.length + 1}">${size}</th></tr>
${alike.map((row) => markup`<tr><th scope="row">${row.arm}</th>${columns.map(([, cell]) => markup`<td>${cell(row)}</td>`)}</tr>`)}</tbody>`,
)}
</table></div>`;
}

function bytesFigures(rows: Row[], { rate, key, styleOf }: SectionOptions): Markup | false {
  const students = rows.filter(isStudent);
  if (!students.some(({ bytesPerFrame }) => bytesPerFrame !== undefined)) return false;
  return markup`<h3>Errors against storage</h3><div class="figures">${sizesOf(students).map(([size, alike], i) =>
    figure({
      caption: `${size}: ${rateTitles[rate].toLowerCase()} by size of the soft targets`,
      text: 'Per cent, 95 % intervals; bytes per frame on disk, logarithmic.',
      id: `${key}b${i}`,
      draw: (id, width) =>
        scatter({
          id,
          width,
          title: `${size}: ${rateTitles[rate].toLowerCase()} by size of the soft targets`,
          description: `${plural(alike.length, 'arm')}; figures are in the tables above.`,
          xLabel: 'soft targets per frame',
          yLabel: `${rate.toUpperCase()} %`,
          withoutX: 'hard labels',
          points: alike.map(({ arm, bytesPerFrame, wer }) => ({
            label: arm,
            style: styleOf(arm),
            x: bytesPerFrame,
            y: 100 * wer.value,
            low: 100 * wer.low,
            high: 100 * wer.high,
          })),
        }),
    }),
  )}</div>`;
}

function curveFigures(rows: Row[], { key, styleOf }: SectionOptions): Markup | false {
  const groups = sizesOf(rows.filter((row) => isStudent(row) && row.curve.length > 0));
  const curves = [
    { name: 'frames wrong on dev', unit: '%', value: (point: CurvePoint) => 100 * (1 - point.devFrameAccuracy) },
    { name: 'cross-entropy on dev', unit: 'nats', value: (point: CurvePoint) => point.devCrossEntropy },
  ];
  if (groups.length === 0) return false;
  return markup`<h3>Learning curves</h3><div class="figures">${groups.flatMap(([size, alike], i) => {
    const last = Math.max(...alike.map(({ curve }) => curve.at(-1)!.update));
    return curves.map(({ name, unit, value }, c) => {
      const lines = alike.map(({ arm, curve }) => ({
        label: arm,
        style: styleOf(arm),
        points: curve
          .filter(({ update }) => update >= last / 10)
          .map((point) => ({ x: point.update, y: value(point) })),
      }));
      const logY = lines.every(({ points }) => points.every(({ y }) => y > 0));
      return (
        lines.some(({ points }) => points.length > 0) &&
        figure({
          caption: `${size}: ${name}`,
          text: `${unit === '%' ? 'Per cent' : 'Nats per frame'}${logY ? ', logarithmic' : ''}; mean over seeds, from a tenth of the updates on.`,
          id: `${key}c${i}${c}`,
          draw: (id, width) =>
            lineChart({
              id,
              width,
              lines,
              logY,
              title: `${size}: ${name}`,
              description: `Last values: ${alike.map(({ arm, curve }) => `${arm} ${fixed(value(curve.at(-1)!), 3)}`).join(', ')}.`,
              xLabel: 'updates',
              yLabel: unit,
            }),
        })
      );
    });
  })}</div>`;
}

interface FigureOptions {
  caption: string;
  text: string;
  id: string;
  draw: (id: string, width: number) => Markup;
}

/** A figure drawn twice, for wide and narrow windows, so that its text keeps its size. */
function figure({ caption, text, id, draw }: FigureOptions): Markup {
  return markup`<figure class="card"><figcaption><strong>${caption}</strong>${text}</figcaption><div class="wide">${draw(`${id}w`, 496)}</div><div class="narrow">${draw(`${id}n`, 336)}</div></figure>`;
}

const isStudent = ({ size }: Row): boolean => size !== 'teacher' && size !== 'ensemble';

function method({ unit, comparisons, rows }: Rows, { resamples, baseline, ensemble }: PageOptions): Markup {
  const single = rows.some(({ wer }) => wer.over === `${unit}s`);
  const held = unit === 'speaker' ? 'Training data are' : 'Speakers and training data are';
  return markup`<section aria-labelledby="method"><h2 id="method">How to read this</h2>
<p>${`Intervals: the middle 95 % of ${count(resamples)} bootstrap resamples of seeds (of n of them n − 1 at a time) and, independently, ${unit}s (pigeonhole bootstrap, Owen 2007). ${single ? `Where there is one seed only, ${unit}s alone are resampled. ` : ''}${held} held as they are: another corpus may differ by more.`}</p>
<p>${`Differences are paired: same utterances, same seeds, resampled together. An arm is compared with "${baseline}" of its size and with "${ensemble}"; an ensemble that exists once is paired with every seed.`}</p>
<p>${`p: ${count(resamples)} random sign flips of the seed-averaged difference per ${unit}, two-sided. It takes the seeds as they are; the interval does not. ${plural(comparisons, 'comparison')} in this report: in brackets p after Holm's correction for all of them, and bold type where that is below 0.05 and the interval, over several seeds, leaves out 0. The matched-pair sentence-segment test (MAPSSWE; Gillick, Cox 1989) of each seed by itself is in report.json; the table of report.md says in how many seeds it is below 0.05.`}</p></section>`;
}

function settings(rows: Row[], { command }: PageOptions): Markup {
  return markup`<section aria-labelledby="settings"><h2 id="settings">Where it comes from</h2>
<details><summary>The command that made it</summary><pre class="card"><code>${command}</code></pre></details>
<details><summary>Targets and ids of every arm</summary>${rows.map(
    (row) => markup`<h3>${`${row.protocol} · ${row.size} · ${row.arm}`}</h3>
${
  row.filter &&
  markup`<p><code>${Object.entries(row.filter)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')}</code></p>`
}
${row.runs.map(
  ({ arm, seed, wer, ids }) =>
    markup`<p><code>${`${[arm !== row.arm && arm, seed && `seed ${seed}`].filter(Boolean).join(' ')} ${percent(wer)} % · ${ids
      .map((chain) =>
        Object.entries(chain)
          .map(([stage, id]) => `${stage} ${id.slice(0, 12)}`)
          .join(' · '),
      )
      .join(' + ')}`.trim()}</code></p>`,
)}`,
  )}</details></section>`;
}
