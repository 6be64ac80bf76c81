import { type Markup, markup } from './markup.ts';

/** A figure that screen readers announce by its title and, on request, by its description. */
export interface Figure {
  title: string;
  description: string;
  width: number;
  height: number;
}

/** Frames drawing in an SVG that scales down with its container. Ids are unique as long as `id` is. */
export function figureSvg(id: string, { title, description, width, height }: Figure, drawing: Markup[]): Markup {
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-title ${id}-text">
<title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>
${drawing}</svg>`;
}

/** How many styles of lines and marks there are before they repeat: 6 colours × 3 dash patterns. */
export const styles = 18;

/** Class of the colour of a style, see the page's style sheet. */
export const colourClass = (style: number): string => `c${style % 6}`;

/** Second cue beside the colour: a dash pattern. */
export const dashes = (style: number): string => ['none', '6 3', '2 2.5'][Math.floor(style / 6) % 3]!;

/** A mark of about `radius`, whose shape belongs to the style: a third cue. */
export function mark(style: number, x: number, y: number, radius: number): Markup {
  const path = (...corners: (readonly [number, number])[]) =>
    markup`<path d="M${corners.map(([dx, dy]) => `${(x + dx * radius).toFixed(2)},${(y + dy * radius).toFixed(2)}`).join('L')}Z"/>`;
  switch (style % 4) {
    case 0:
      return markup`<circle cx="${x}" cy="${y}" r="${radius}"/>`;
    case 1:
      return path([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
    case 2:
      return path([0, -1.2], [1.1, 0.8], [-1.1, 0.8]);
    default:
      return path([0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]);
  }
}

/** Places of a domain on a range. */
export type Scale = (value: number) => number;

export const linearScale = (domain: readonly [number, number], range: readonly [number, number]): Scale => {
  const factor = (range[1] - range[0]) / (domain[1] - domain[0]);
  return (value) => range[0] + (value - domain[0]) * factor;
};

export const logScale = ([low, high]: readonly [number, number], range: readonly [number, number]): Scale => {
  const linear = linearScale([Math.log(low), Math.log(high)], range);
  return (value) => linear(Math.log(value));
};
