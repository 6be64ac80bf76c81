import { alignedTable } from './aligned_table.ts';
import { count, fixed, interval, percent, plural, points, pValue, unknown } from './format.ts';
import { type Comparison, isComparison, type Refusal, type Row, type Rows } from './rows.ts';

const headers = [
  'size',
  'arm',
  'parameters',
  'model bytes',
  'WER % [95 %]',
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
const numeric = headers.map((_, column) => column > 1);

/** The rows as Markdown tables, one per protocol, aligned for reading as plain text too; footnotes below each. */
export function markdownTables(
  { unit, rows, comparisons, notes }: Rows,
  { baseline, ensemble }: { baseline: string; ensemble: string },
): string {
  const protocols = [...new Set(rows.map(({ protocol }) => protocol))];
  const tables = protocols.map((protocol) => {
    const own = rows.filter((row) => row.protocol === protocol);
    const footnotes = [...new Set(own.flatMap(remarksOn))];
    const body = own.map((row) =>
      cellsOf(
        row,
        remarksOn(row).map((remark) => footnotes.indexOf(remark) + 1),
      ),
    );
    return [
      `## ${protocol}`,
      '',
      ...alignedTable(headers, body, numeric),
      '',
      ...footnotes.map((footnote, i) => `${i + 1}. ${footnote}`),
      ...(footnotes.length > 0 ? [''] : []),
      ...speakersLine(own, baseline, ({ toBaseline }) => toBaseline),
      ...speakersLine(own, ensemble, ({ toEnsemble }) => toEnsemble),
    ];
  });
  const method = `WER with 95 % percentile intervals of a bootstrap over ${unit}s and seeds; differences in points to "${baseline}" of the same size and to "${ensemble}"; p by sign flips over ${unit}s, in brackets after Holm's correction for ${plural(comparisons, 'comparison')}.`;
  return `${[...tables.flat(), method, ...notes].join('\n')}\n`;
}

/** How many speakers gain and lose with each arm; nothing where they are not the unit. */
function speakersLine(
  rows: readonly Row[],
  other: string,
  comparisonOf: (row: Row) => Comparison | Refusal | undefined,
): string[] {
  const counts = rows.flatMap((row) => {
    const comparison = comparisonOf(row);
    if (!isComparison(comparison) || !comparison.speakers) return [];
    const { better, equal, worse } = comparison.speakers;
    return [`${row.arm} (${row.size}) ${better}/${equal}/${worse}`];
  });
  return counts.length === 0 ? [] : [`Speakers better/equal/worse than with "${other}": ${counts.join(', ')}.`, ''];
}

/** What must be said about a row: its warnings, and why a comparison is missing. */
export function remarksOn({ warnings, toBaseline, toEnsemble }: Row): string[] {
  const refusals = [toBaseline, toEnsemble].flatMap((comparison) =>
    comparison && 'refused' in comparison ? [`not compared: ${comparison.refused}`] : [],
  );
  return [...warnings, ...refusals];
}

function cellsOf(row: Row, marks: number[]): string[] {
  const compared = (comparison: Comparison | Refusal | undefined) =>
    !isComparison(comparison)
      ? [unknown, unknown]
      : [
          `${points(comparison.difference)} ${interval(comparison, points)}`,
          `${pValue(comparison.p)} (${pValue(comparison.pHolm)})`,
        ];
  return [
    row.size,
    `${row.arm.replaceAll('|', '\\|')}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`,
    count(row.parameters),
    count(row.modelBytes),
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
