import type { Splicing } from '../math/splice.ts';
import { taps } from '../math/unfold.ts';

/**
 * A time-delay network with residual layers. With x the spliced input frames,
 * y = drop(relu(norm(x·W + b))), then for each dilation y = y + drop(relu(norm(conv(y) + b))), logits = y·W + b.
 * A convolution has three taps, `dilation` output frames apart, and zeros beyond an utterance's edges; with dilation 0 it
 * has one, and the layer sees its own frame alone; norm is layer
 * normalisation over the units (Ba et al., 2016) with a gain and a bias of its own.
 */
export interface Architecture extends Splicing {
  kind: 'tdnn';
  width: number;
  dilations: readonly number[];
  tokens: number;
  /** Probability that a unit is dropped in training. */
  dropout: number;
}

export interface Parameter {
  name: string;
  shape: readonly number[];
  /** Place in the flat array of all parameters. */
  offset: number;
  size: number;
}

/** Units of the spliced input. */
export const inputWidth = ({ bins, spliceLeft, spliceRight }: Architecture): number =>
  bins * (spliceLeft + 1 + spliceRight);

/** Taps of a layer's convolution. */
export const tapsOf = (dilation: number): number => (dilation === 0 ? 1 : taps);

/** Every parameter of a network, in the order of `weights.bin`. Matrices are [inputs × outputs], row-major. */
export function parameterLayout(architecture: Architecture): Parameter[] {
  const { width, dilations, tokens } = architecture;
  const hidden = (name: string, inputs: number): [string, number[]][] => [
    [`${name}.matrix`, [inputs, width]],
    [`${name}.bias`, [width]],
    [`${name}.norm.gain`, [width]],
    [`${name}.norm.bias`, [width]],
  ];
  const shapes = [
    ...hidden('input', inputWidth(architecture)),
    ...dilations.flatMap((dilation, i) => hidden(`layer${i + 1}`, tapsOf(dilation) * width)),
    ['output.matrix', [width, tokens]] as [string, number[]],
    ['output.bias', [tokens]] as [string, number[]],
  ];
  let offset = 0;
  return shapes.map(([name, shape]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    offset += size;
    return { name, shape, offset: offset - size, size };
  });
}

export const parameterCount = (architecture: Architecture): number =>
  parameterLayout(architecture).reduce((sum, { size }) => sum + size, 0);
