import type { Splicing } from '../math/splice.ts';
import { taps } from '../math/unfold.ts';

interface Common extends Splicing {
  /** Units of a hidden layer; of each direction of a recurrent one. */
  width: number;
  tokens: number;
  /** Probability that a unit is dropped in training. */
  dropout: number;
}

/**
 * A time-delay network with residual layers. With x the spliced input frames,
 * y = drop(relu(norm(x·W + b))), then for each dilation y = y + drop(relu(norm(conv(y) + b))), logits = y·W + b.
 * A convolution has three taps, `dilation` output frames apart, and zeros beyond an utterance's edges; with dilation 0 it
 * has one, and the layer sees its own frame alone; where it is causal, the taps look back alone; norm is layer normalisation over the units (Ba et al., 2016) with a
 * gain and a bias of its own.
 */
export interface TdnnArchitecture extends Common {
  kind: 'tdnn';
  dilations: readonly number[];
  causal?: boolean;
}

/**
 * A recurrent network: layers of long short-term memory, or of gated recurrent units, over the spliced input frames, then
 * logits = y·W + b. In both directions, each layer's outputs lie side by side, forward first. Units are dropped between
 * layers and before the logits.
 * @see Hochreiter, Schmidhuber (1997), Long Short-Term Memory; Gers et al. (2000), Learning to Forget; Cho et al. (2014),
 *   Learning Phrase Representations using RNN Encoder–Decoder
 */
export interface RecurrentArchitecture extends Common {
  kind: 'lstm' | 'gru';
  layers: number;
  bidirectional: boolean;
}

/**
 * A network of self-attention over whole utterances. With y = drop(relu(norm(x·W + b))) of the spliced input frames, each
 * layer adds twice to it: y = y + drop(attention(norm(y))·W + b), then y = y + drop(relu(norm(y)·W + b)·W + b), four times
 * as wide between the products; logits = norm(y)·W + b.
 * @see Vaswani et al. (2017), Attention Is All You Need; Xiong et al. (2020), On Layer Normalization in the Transformer
 *   Architecture, for where the normalisation stands; `Attention` for positions
 */
export interface AttentionArchitecture extends Common {
  kind: 'attention';
  layers: number;
  heads: number;
  /** Output frames before and after a frame whose distances have biases of their own. */
  reach: number;
}

export type Architecture = AttentionArchitecture | TdnnArchitecture | RecurrentArchitecture;

export interface Parameter {
  name: string;
  shape: readonly number[];
  /** Place in the flat array of all parameters. */
  offset: number;
  size: number;
}

export const isRecurrent = (architecture: Architecture): architecture is RecurrentArchitecture =>
  architecture.kind === 'lstm' || architecture.kind === 'gru';

/** Columns of a recurrent layer's matrices, for each of its units. */
export const gatesOf = ({ kind }: RecurrentArchitecture): number => (kind === 'lstm' ? 4 : 3);

/** How many times wider an attention network's layers are between the products of their second half. */
export const feedforwardFactor = 4;

/** Units of the spliced input. */
export const inputWidth = ({ bins, spliceLeft, spliceRight }: Splicing): number =>
  bins * (spliceLeft + 1 + spliceRight);

/** Taps of a layer's convolution. */
export const tapsOf = (dilation: number): number => (dilation === 0 ? 1 : taps);

/** Input frames after the centre of an output frame that it depends on; Infinity where that is all of them. */
export function futureFrames(architecture: Architecture): number {
  const { spliceRight, stride } = architecture;
  if (isRecurrent(architecture)) return architecture.bidirectional ? Infinity : spliceRight;
  if (architecture.kind === 'attention') return Infinity;
  return spliceRight + (architecture.causal ? 0 : stride * architecture.dilations.reduce((sum, d) => sum + d, 0));
}

/** Directions of a recurrent network, in the order of their outputs. */
export const directionsOf = ({ bidirectional }: RecurrentArchitecture): readonly ('forward' | 'backward')[] =>
  bidirectional ? ['forward', 'backward'] : ['forward'];

/** Units that the output layer sees. */
export const hiddenWidth = (architecture: Architecture): number =>
  isRecurrent(architecture) ? architecture.width * directionsOf(architecture).length : architecture.width;

/** Every parameter of a network, in the order of `weights.bin`. Matrices are [inputs × outputs], row-major. */
export function parameterLayout(architecture: Architecture): Parameter[] {
  const { tokens } = architecture;
  const shapes: [string, number[]][] = [
    ...hiddenShapes(architecture),
    ['output.matrix', [hiddenWidth(architecture), tokens]],
    ['output.bias', [tokens]],
  ];
  let offset = 0;
  return shapes.map(([name, shape]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    offset += size;
    return { name, shape, offset: offset - size, size };
  });
}

function hiddenShapes(architecture: Architecture): [string, number[]][] {
  if (isRecurrent(architecture)) return recurrentShapes(architecture);
  return architecture.kind === 'attention' ? attentionShapes(architecture) : tdnnShapes(architecture);
}

function tdnnShapes(architecture: TdnnArchitecture): [string, number[]][] {
  const { width, dilations } = architecture;
  const hidden = (name: string, inputs: number): [string, number[]][] => [
    [`${name}.matrix`, [inputs, width]],
    [`${name}.bias`, [width]],
    [`${name}.norm.gain`, [width]],
    [`${name}.norm.bias`, [width]],
  ];
  return [
    ...hidden('input', inputWidth(architecture)),
    ...dilations.flatMap((dilation, i) => hidden(`layer${i + 1}`, tapsOf(dilation) * width)),
  ];
}

/**
 * Columns of the matrices: of long short-term memory input gate, forget gate, candidate, output gate; of gated recurrent
 * units reset gate, update gate, candidate, and in the bias a second one of the candidate, that of its recurrent product.
 */
function recurrentShapes(architecture: RecurrentArchitecture): [string, number[]][] {
  const { width, layers } = architecture;
  const columns = gatesOf(architecture) * width;
  return Array.from({ length: layers }, (_, i) => i).flatMap((i) =>
    directionsOf(architecture).flatMap((direction): [string, number[]][] => [
      [`layer${i + 1}.${direction}.input`, [i === 0 ? inputWidth(architecture) : hiddenWidth(architecture), columns]],
      [`layer${i + 1}.${direction}.recurrent`, [width, columns]],
      [`layer${i + 1}.${direction}.bias`, [4 * width]],
    ]),
  );
}

function attentionShapes(architecture: AttentionArchitecture): [string, number[]][] {
  const { width, layers, heads, reach } = architecture;
  const linear = (name: string, inputs: number, outputs: number): [string, number[]][] => [
    [`${name}.matrix`, [inputs, outputs]],
    [`${name}.bias`, [outputs]],
  ];
  const norm = (name: string): [string, number[]][] => [
    [`${name}.gain`, [width]],
    [`${name}.bias`, [width]],
  ];
  return [
    ...tdnnShapes({ ...architecture, kind: 'tdnn', dilations: [] }),
    ...Array.from({ length: layers }, (_, i) => `layer${i + 1}`).flatMap((layer) => [
      ...norm(`${layer}.attention.norm`),
      ...linear(`${layer}.attention.input`, width, 3 * width),
      [`${layer}.attention.positions`, [heads * (2 * reach + 1)]] satisfies [string, number[]],
      ...linear(`${layer}.attention.output`, width, width),
      ...norm(`${layer}.feedforward.norm`),
      ...linear(`${layer}.feedforward.input`, width, feedforwardFactor * width),
      ...linear(`${layer}.feedforward.output`, feedforwardFactor * width, width),
    ]),
    ...norm('norm'),
  ];
}

export const parameterCount = (architecture: Architecture): number =>
  parameterLayout(architecture).reduce((sum, { size }) => sum + size, 0);
