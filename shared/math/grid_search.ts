/** Values to try of one setting, ascending. An axis of one value is fixed. */
export interface Axis<Name extends string = string> {
  name: Name;
  values: readonly number[];
  /** The value beyond `edge`, whose neighbour inside the grid is `neighbour`; undefined where there is none. */
  beyond?(edge: number, neighbour: number): number | undefined;
}

export type Point<Name extends string = string> = Record<Name, number>;

export interface GridSearch<Name extends string = string> {
  best: Point<Name>;
  cost: number;
  points: { point: Point<Name>; cost: number }[]; // all that were tried
  extended: Name[]; // axes that grew because the best lay at their edge
  atEdge: Name[]; // axes at whose edge the best still lies although there are values beyond
}

/** Equal steps. */
export const stepBeyond =
  ({ min = -Infinity, max = Infinity } = {}) =>
  (edge: number, neighbour: number): number | undefined => {
    const next = 2 * edge - neighbour;
    const bounded = Math.min(max, Math.max(min, next));
    return bounded === edge ? undefined : bounded;
  };

/** Equal ratios; positive values only. */
export const ratioBeyond = (edge: number, neighbour: number): number => (edge * edge) / neighbour;

/**
 * The point of least cost on a grid that grows where the best lies at its edge, a value at a time.
 *
 * Of equally good points the one nearest to the middle of them all is taken (distances in steps of the axes, then the
 * first in ascending order): in the middle of a plateau small changes cost nothing.
 *
 * @param cost called once per point
 * @param maxExtensions values that may be added to the grid, all axes together
 * @throws {RangeError} (the promise) when an axis is empty or not ascending
 */
export async function gridSearch<Name extends string>({
  axes,
  cost,
  maxExtensions = 12,
}: {
  axes: readonly Axis<Name>[];
  cost: (point: Point<Name>) => number | Promise<number>;
  maxExtensions?: number;
}): Promise<GridSearch<Name>> {
  for (const { name, values } of axes) {
    if (values.length === 0 || values.some((value, i) => !(i === 0 || value > values[i - 1]!))) {
      throw new RangeError(`Cannot search ${name} over [${values.join(', ')}]: give ascending values`);
    }
  }
  const grid = axes.map((axis) => ({ ...axis, values: [...axis.values] }));
  const costs = new Map<string, { point: Point<Name>; cost: number }>();
  const extended = new Set<Name>();
  for (let extensions = 0; ; ) {
    for (const point of pointsOf(grid)) {
      const key = JSON.stringify(grid.map(({ name }) => point[name]));
      if (!costs.has(key)) costs.set(key, { point, cost: await cost(point) });
    }
    const points = [...costs.values()];
    const best = middleOfBest(points, grid);
    const edges = grid.flatMap((axis) => edgeOf(axis, best.point[axis.name]) ?? []);
    if (edges.length === 0 || extensions >= maxExtensions) {
      return {
        best: best.point,
        cost: best.cost,
        points,
        extended: [...extended],
        atEdge: edges.map(({ name }) => name),
      };
    }
    for (const { name, values, next } of edges) {
      if (next < values[0]!) values.unshift(next);
      else values.push(next);
      extended.add(name);
      extensions++;
    }
  }
}

function* pointsOf<Name extends string>(axes: readonly Axis<Name>[]): Generator<Point<Name>> {
  const [axis, ...rest] = axes;
  if (!axis) return yield {} as Point<Name>;
  for (const value of axis.values)
    for (const point of pointsOf(rest)) yield { [axis.name]: value, ...point } as Point<Name>;
}

function middleOfBest<Name extends string>(
  points: readonly { point: Point<Name>; cost: number }[],
  axes: readonly Axis<Name>[],
): { point: Point<Name>; cost: number } {
  const least = points.reduce((low, { cost }) => Math.min(low, cost), Infinity);
  const tied = points
    .filter(({ cost }) => cost === least)
    .map((entry) => ({ entry, steps: axes.map(({ name, values }) => values.indexOf(entry.point[name])) }))
    .sort((a, b) => compareSteps(a.steps, b.steps));
  const middle = axes.map((_, axis) => tied.reduce((sum, { steps }) => sum + steps[axis]!, 0) / tied.length);
  const distance = (steps: readonly number[]) =>
    steps.reduce((sum, step, axis) => sum + (step - middle[axis]!) ** 2, 0);
  return tied.reduce((a, b) => (distance(b.steps) < distance(a.steps) ? b : a)).entry;
}

function compareSteps(a: readonly number[], b: readonly number[]): number {
  const axis = a.findIndex((step, i) => step !== b[i]);
  return axis < 0 ? 0 : a[axis]! - b[axis]!;
}

function edgeOf<Name extends string>(
  { name, values, beyond }: Axis<Name> & { values: number[] },
  value: number,
): { name: Name; values: number[]; next: number } | undefined {
  const place = values.indexOf(value);
  if (values.length < 2 || (place > 0 && place < values.length - 1)) return undefined;
  const next = beyond?.(value, values[place === 0 ? 1 : place - 1]!);
  return next === undefined ? undefined : { name, values, next };
}
