/** The fields of a line, parted by white space of any kind and number; none of an empty line. */
export function fieldsOf(line: string): string[] {
  if (hasSingleSpaces(line)) return line.split(' ');
  const trimmed = line.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

/** Whether a line is ASCII, parted by single spaces: most are, and no regular expression is needed for them. */
function hasSingleSpaces(line: string): boolean {
  let wasSpace = true;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    const isSpace = code === 32;
    if ((isSpace && wasSpace) || code < 32 || code > 126) return false;
    wasSpace = isSpace;
  }
  return !wasSpace;
}
