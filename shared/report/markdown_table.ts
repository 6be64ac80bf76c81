import { alignedTable } from './aligned_table.ts';
import { costColumns } from './cost_columns.ts';
import { count, fixed, interval, percent, plural, points, pValue, unknown } from './format.ts';
import { type Comparison, isComparison, type Refusal, type Row, type Rows } from './rows.ts';

const headersFor = (rate: string, costs: typeof costColumns) => [
  'size',
  'arm',
  'parameters',
  'model bytes',
  ...costs.map(([header]) => header),
  `${rate} % [95 %]`,
  'seeds',
  'vs baseline',
  'p (Holm)',
  'vs ensemble',
  'p (Holm)',
  'ins/del/sub',
  'frames right %',
  'mass kept %',
  'bytes/frame',
  'training s',
];

/** The rows as Markdown tables, one per protocol, aligned for reading as plain text too; footnotes below each. */
export function markdownTables(
  { rate: rateName, unit, rows, comparisons, notes }: Rows,
  { baseline, ensemble }: { baseline: string; ensemble: string },
): string {
  const rate = rateName.toUpperCase();
  const costs = rows.some(({ cost }) => cost) ? costColumns : [];
  const headers = headersFor(rate, costs);
  const protocols = [...new Set(rows.map(({ protocol }) => protocol))];
  const tables = protocols.map((protocol) => {
    const own = rows.filter((row) => row.protocol === protocol);
    const footnotes = [...new Set(own.flatMap(remarksOn))];
    const body = own.map((row) =>
      cellsOf(
        row,
        remarksOn(row).map((remark) => footnotes.indexOf(remark) + 1),
        costs,
      ),
    );
    return [
      `## ${protocol}`,
      '',
      ...alignedTable(
        headers,
        body,
        headers.map((_, column) => column > 1),
      ),
      '',
      ...footnotes.map((footnote, i) => `${i + 1}. ${footnote}`),
      ...(footnotes.length > 0 ? [''] : []),
      ...testLines(own, baseline, ({ toBaseline }) => toBaseline),
      ...testLines(own, ensemble, ({ toEnsemble }) => toEnsemble),
    ];
  });
  const method = `${rate} with 95 % percentile intervals of a bootstrap over ${unit}s and seeds; differences in points to "${baseline}" of the same size and to "${ensemble}"; p by sign flips over ${unit}s, with the seeds as they are, in brackets after Holm's correction for ${plural(comparisons, 'comparison')}; in bold where that is below 0.05 and the interval, over several seeds, leaves out 0.`;
  return `${[...tables.flat(), method, ...notes].join('\n')}\n`;
}

/** What tests of others find: of segments, seed by seed, and of speakers, where they are the unit. */
function testLines(
  rows: readonly Row[],
  other: string,
  comparisonOf: (row: Row) => Comparison | Refusal | undefined,
): string[] {
  const compared = rows.flatMap((row) => {
    const comparison = comparisonOf(row);
    return isComparison(comparison) ? [{ name: `${row.arm} (${row.size})`, comparison }] : [];
  });
  if (compared.length === 0) return [];
  const segments = compared.map(({ name, comparison: { mapsswe } }) => {
    const [single, ...more] = mapsswe;
    const below = mapsswe.filter(({ p }) => p < 0.05).length;
    return `${name} ${more.length === 0 ? `p ${pValue(single!.p)}` : `${below}/${mapsswe.length}`}`;
  });
  const speakers = compared.flatMap(({ name, comparison: { speakers, signTestP } }) =>
    speakers ? [`${name} ${speakers.better}/${speakers.equal}/${speakers.worse}, p ${pValue(signTestP)}`] : [],
  );
  return [
    `MAPSSWE against "${other}", p or seeds below 0.05 of all, not corrected: ${segments.join('; ')}.`,
    '',
    ...(speakers.length > 0
      ? [`Speakers better/equal/worse than with "${other}", p of signs: ${speakers.join('; ')}.`, '']
      : []),
  ];
}

const boldIf = (isBold: boolean, text: string): string => (isBold ? `**${text}**` : text);

/** What must be said about a row: its warnings, and why a comparison is missing. */
export function remarksOn({ warnings, toBaseline, toEnsemble }: Row): string[] {
  const refusals = [toBaseline, toEnsemble].flatMap((comparison) =>
    comparison && 'refused' in comparison ? [`not compared: ${comparison.refused}`] : [],
  );
  return [...warnings, ...refusals];
}

function cellsOf(row: Row, marks: number[], costs: typeof costColumns): string[] {
  const compared = (comparison: Comparison | Refusal | undefined) =>
    !isComparison(comparison)
      ? [unknown, unknown]
      : [
          boldIf(comparison.stands, `${points(comparison.difference)} ${interval(comparison, points)}`),
          `${pValue(comparison.p)} (${pValue(comparison.pHolm)})`,
        ];
  return [
    row.size,
    `${row.arm.replaceAll('|', '\\|')}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`,
    count(row.parameters),
    count(row.modelBytes),
    ...costs.map(([, spell]) => spell(row.cost)),
    `${percent(row.wer.value)} ${interval(row.wer, percent)}`,
    String(row.seeds.length),
    ...compared(row.toBaseline),
    ...compared(row.toEnsemble),
    [row.errors.insertions, row.errors.deletions, row.errors.substitutions].map((errors) => fixed(errors, 0)).join('/'),
    percent(row.frameAccuracy, 1),
    percent(row.keptMass, 1),
    fixed(row.bytesPerFrame, 1),
    fixed(row.trainingSeconds, 1),
  ];
}
