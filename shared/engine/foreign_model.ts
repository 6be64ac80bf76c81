import { InputError } from '../io/errors.ts';

/** A network that was made elsewhere, and how it is to be called. */
export interface ForeignModelSource {
  format: 'onnx' | 'saved-model' | 'tfjs';
  /** A file, or the folder of a saved-model. */
  path: string;
  /** Names, needed where there are several. */
  input?: string;
  output?: string;
  /** An input that takes the number of frames. */
  lengths?: string;
  /** Order of batch (of one), time and features or tokens. */
  inputAxes?: Axes;
  outputAxes?: Axes;
  /** Of a saved-model. */
  signature?: string;
  tags?: readonly string[];
}

type Axes = 'BTF' | 'BFT' | 'TF' | 'FT';

/** Rows of numbers, one after another. */
export interface Rows {
  /** [rows × columns] */
  values: Float32Array;
  columns: number;
}

export interface ForeignModel {
  /**
   * What it answers to the features of one utterance.
   *
   * @throws {InputError} when it does not take them, or answers something else than a row for each frame
   */
  forward(features: Rows): Promise<Rows>;
  dispose(): Promise<void>;
}

/** A tensor as it lies in memory. */
export interface PlainTensor {
  values: Float32Array;
  shape: readonly number[];
}

/** What runs a network, whatever it comes from: one tensor in, one out. */
export interface Runtime {
  run(features: PlainTensor, frames: number): Promise<PlainTensor>;
  dispose(): Promise<void>;
}

/** A runtime with its axes sorted out. */
export function foreignModel(
  { path, inputAxes = 'BTF', outputAxes = 'BTF' }: ForeignModelSource,
  runtime: Runtime,
): ForeignModel {
  return {
    async forward({ values, columns }) {
      const rows = values.length / columns;
      const isTurned = inputAxes.endsWith('FT');
      const shape = isTurned ? [columns, rows] : [rows, columns];
      if (inputAxes.startsWith('B')) shape.unshift(1);
      const given = isTurned ? transposed(values, rows, columns) : values;
      let answer: PlainTensor;
      try {
        answer = await runtime.run({ values: given, shape }, rows);
      } catch (error) {
        throw new InputError(
          `Cannot run ${path} on features of shape [${shape}]: ${String((error as Error).message).split('\n')[0]}; check features, input and inputAxes in its description`,
        );
      }
      return rowsOf(answer, path, outputAxes);
    },
    dispose: runtime.dispose,
  };
}

function rowsOf({ values, shape }: PlainTensor, path: string, axes: Axes): Rows {
  const [a, b] = axes.startsWith('B') && shape[0] === 1 ? shape.slice(1) : shape;
  if (shape.length !== axes.length || a === undefined || b === undefined || a * b !== values.length) {
    throw new InputError(
      `Cannot use what ${path} answers: its shape is [${shape}], not that of ${axes} with a batch of one; check output and outputAxes in its description`,
    );
  }
  return axes.endsWith('TF') ? { values, columns: b } : { values: transposed(values, a, b), columns: a };
}

/** [rows × columns] → [columns × rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return result;
}

/**
 * The one of several names that is meant.
 *
 * @throws {InputError} when it is not among them, or none is asked for and there are several
 */
export function chooseName(
  path: string,
  what: 'input' | 'output',
  names: readonly string[],
  asked: string | undefined,
): string {
  const chosen = asked ?? (names.length === 1 ? names[0] : undefined);
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw new InputError(
    `Cannot use ${path}: its ${what}s are ${names.join(', ')}, and its description names ${asked ?? 'none'}; name the right one as model.${what}`,
  );
}
