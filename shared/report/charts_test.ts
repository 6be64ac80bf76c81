import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forestPlot } from './forest_plot.ts';
import { lineChart } from './line_chart.ts';
import { scatter } from './scatter.ts';
import { linearScale, logScale } from './svg.ts';

const frame = { id: 'x', title: 'A & B', description: 'what it shows', width: 400, xLabel: 'updates', yLabel: '%' };
const places = (svg: string, name: string) =>
  [...svg.matchAll(new RegExp(` ${name}="([^"]+)"`, 'g'))].map(([, value]) => Number.parseFloat(value!));

test('scales map ends to ends', () => {
  assert.deepEqual([0, 5, 10].map(linearScale([0, 10], [100, 200])), [100, 150, 200]);
  assert.deepEqual(
    [1, 10, 100].map(logScale([1, 100], [0, 2])).map((x) => Math.round(x * 1e9) / 1e9),
    [0, 1, 2],
  );
});

test('lineChart() has a title and a description for screen readers, escaped', () => {
  const { markup } = lineChart({
    ...frame,
    lines: [
      {
        label: '<hard>',
        style: 0,
        points: [
          { x: 0, y: 1 },
          { x: 10, y: 2 },
        ],
      },
    ],
  });
  assert.match(markup, /role="img" aria-labelledby="x-title x-text"/);
  assert.match(markup, /<title id="x-title">A &#38; B<\/title><desc id="x-text">what it shows<\/desc>/);
  assert.ok(markup.includes('&#60;hard&#62;') && !markup.includes('<hard>'));
});

test('charts have finite places for a single point, equal values and many lines', () => {
  const line = (points: { x: number; y: number }[], style = 0) => ({ label: `arm ${style}`, style, points });
  const drawings = [
    lineChart({ ...frame, lines: [line([{ x: 0, y: 1 }])] }),
    lineChart({
      ...frame,
      logY: true,
      lines: Array.from({ length: 20 }, (_, i) =>
        line(
          [
            { x: 0, y: 3 },
            { x: 9, y: 3 },
          ],
          i,
        ),
      ),
    }),
    scatter({ ...frame, withoutX: 'none', points: [{ label: 'hard', style: 0, x: undefined, y: 0, low: 0, high: 0 }] }),
    scatter({
      ...frame,
      withoutX: 'none',
      points: [
        { label: 'a', style: 0, x: 18, y: 4, low: 3, high: 5 },
        { label: 'b', style: 1, x: 18, y: 4, low: 3, high: 5 },
      ],
    }),
  ];
  for (const { markup } of drawings) assert.doesNotMatch(markup, /NaN|Infinity|undefined/);
});

test('lineChart() and scatter() refuse to draw nothing', () => {
  assert.throws(() => lineChart({ ...frame, lines: [{ label: 'a', style: 0, points: [] }] }), /no points/);
  assert.throws(() => scatter({ ...frame, withoutX: 'none', points: [] }), /without points/);
});

test('scatter() puts points without x left of all others, behind a break in the axis', () => {
  const point = (label: string, x: number | undefined) => ({ label, style: 0, x, y: 1, low: 0.5, high: 2 });
  const { markup } = scatter({
    ...frame,
    withoutX: 'hard labels',
    points: [point('a', 10), point('b', undefined), point('c', 90)],
  });
  const [a, b, c] = places(markup, 'cx');
  assert.ok(b! < a! && a! < c!);
  assert.match(markup, /class="break"/);
});

test('forestPlot() draws all rows on one scale from 0', () => {
  const plot = forestPlot(0.2);
  const whisker = (value: number) =>
    plot.row({ label: 'arm', value, low: value / 2, high: value, style: 0 }, [{ value: 0.1, kind: 'ensemble' }]).markup;
  assert.match(plot.axis().markup, />0<.*>20</);
  assert.match(whisker(0.2), /<svg x="94\.00%"/);
  assert.match(whisker(0), /<svg x="6\.00%"/);
  assert.match(whisker(0.1), /class="ensemble" x1="50\.00%"/);
  assert.match(whisker(0.1), /<title>arm: 10\.00 %, 95 % interval 5\.00 to 10\.00 %<\/title>/);
});
