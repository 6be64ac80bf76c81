/** A piece of HTML or SVG that is safe to put into a page as it stands. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | false | undefined | readonly Part[];

/** Text as it must be spelled in an element or a quoted attribute. */
export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * HTML or SVG from a template: text put into it is escaped, numbers are rounded to hundredths, markup is kept.
 *
 * @example markup`<text x="${3.14159}">${'R & D'}</text>` // <text x="3.14">R &#38; D</text>
 */
export function markup(template: TemplateStringsArray, ...parts: Part[]): Markup {
  return { markup: template.reduce((whole, piece, i) => whole + spell(parts[i - 1]) + piece) };
}

function spell(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'number') return String(Math.round(part * 100) / 100);
  if (typeof part === 'string') return escapeText(part);
  return 'markup' in part ? part.markup : part.map(spell).join('');
}
