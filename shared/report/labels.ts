/** Text size of the charts, in units of their viewBox. */
export const fontSize = 12;

/** Width a text will take at most, without asking a browser: an upper estimate for common sans-serif faces. */
export const textWidth = (text: string): number => Math.ceil(text.length * fontSize * 0.62);

/** The text, cut off with an ellipsis where it would be wider than that. */
export function shortened(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let end = text.length - 1;
  while (end > 1 && textWidth(`${text.slice(0, end)}…`) > width) end--;
  return `${text.slice(0, end)}…`;
}

/**
 * Heights for labels that would like to stand at `wishes`: in the same order, at least `gap` apart, within the
 * bounds as far as they fit, and moved little.
 */
export function spreadLabels(
  wishes: readonly number[],
  { gap, low, high }: { gap: number; low: number; high: number },
): number[] {
  const order = wishes.map((_, i) => i).sort((a, b) => wishes[a]! - wishes[b]!);
  // Labels that touch form a block, which stands where its members' wishes are on average.
  const blocks: { members: number[]; top: number }[] = [];
  const settle = (members: number[]) => {
    const middle = members.reduce((sum, member, i) => sum + wishes[member]! - i * gap, 0) / members.length;
    return { members, top: Math.max(low, Math.min(high - (members.length - 1) * gap, middle)) };
  };
  for (const label of order) {
    let block = settle([label]);
    for (
      let above = blocks.at(-1);
      above && above.top + above.members.length * gap > block.top;
      above = blocks.at(-1)
    ) {
      blocks.pop();
      block = settle([...above.members, ...block.members]);
    }
    blocks.push(block);
  }
  const places = new Array<number>(wishes.length);
  for (const { members, top } of blocks)
    members.forEach((member, i) => {
      places[member] = top + i * gap;
    });
  return places;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const overlaps = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

export interface PlacedLabel {
  /** Where the text is anchored, and its middle height. */
  x: number;
  y: number;
  anchor: 'start' | 'middle' | 'end';
  /** Whether it stands so far off that a line should lead to it. */
  far: boolean;
}

/**
 * A free place for the label of each point, near it: beside it first, then further and further around. A label stands
 * nearer to its own mark than to any other, or its leading line passes all others by.
 *
 * @param points with the width of their label; `radius` is that of their marks
 * @returns in the same order; undefined where there was no room
 */
export function placeLabels(
  points: readonly { x: number; y: number; width: number }[],
  { bounds, radius }: { bounds: Box; radius: number },
): (PlacedLabel | undefined)[] {
  const half = fontSize * 0.62;
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - radius,
    right: x + radius,
    top: y - radius,
    bottom: y + radius,
  }));
  return points.map(({ x, y, width }) => {
    for (let distance = radius + 3; distance < 120; distance += 6) {
      for (const [dx, dy] of directions) {
        const anchor = dx > 0 ? 'start' : dx < 0 ? 'end' : 'middle';
        const anchorX = x + dx * distance;
        const left = anchorX - width * { start: 0, middle: 0.5, end: 1 }[anchor];
        const middle = y + dy * (distance + (Math.abs(dx) < 1 ? half : 0));
        const box = { left: left - 1, right: left + width + 1, top: middle - half, bottom: middle + half };
        const inside =
          box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top && box.bottom <= bounds.bottom;
        if (!inside || taken.some((other) => overlaps(box, other))) continue;
        const far = distance > radius + 8;
        const others = points.filter((other) => other.x !== x || other.y !== y);
        const own = distanceToBox({ x, y }, box);
        const ambiguous = others.some((other) =>
          far
            ? distanceToSegment(other, [
                { x, y },
                { x: anchorX, y: middle },
              ]) < radius
            : distanceToBox(other, box) <= own,
        );
        if (ambiguous) continue;
        taken.push(box);
        return { x: anchorX, y: middle, anchor, far };
      }
    }
    return undefined;
  });
}

interface Place {
  x: number;
  y: number;
}

const distanceToBox = ({ x, y }: Place, { left, right, top, bottom }: Box): number =>
  Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));

function distanceToSegment({ x, y }: Place, [a, b]: readonly [Place, Place]): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const share = Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - a.x - share * dx, y - a.y - share * dy);
}

const directions = [
  [1, 0],
  [-1, 0],
  [0.7, -0.7],
  [0.7, 0.7],
  [-0.7, -0.7],
  [-0.7, 0.7],
  [0, -1],
  [0, 1],
] as const;
