/**
 * A Markdown table whose columns also stand below each other as plain text.
 *
 * @param numeric which columns are set flush right
 * @returns its lines
 */
export function alignedTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string[] {
  const widths = headers.map((header, column) => Math.max(3, header.length, ...rows.map((row) => row[column]!.length)));
  const spell = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => `${'-'.repeat(width - 1)}${numeric[column] ? ':' : '-'}`).join(' | ')} |`;
  return [spell(headers), rule, ...rows.map(spell)];
}
