import type { Tensor2D } from '@tensorflow/tfjs-core';
import { randomState } from '../math/random.ts';
import { taps } from '../math/unfold.ts';
import { inputWidth, type TdnnArchitecture, tapsOf } from './architecture.ts';
import type { PackedBatch } from './engine.ts';
import type { Layers, Tools } from './layers.ts';

/** What the backward pass needs of a layer's forward pass. */
interface Trace {
  /** Input of the matrix product: spliced, or unfolded into taps. */
  input: Tensor2D;
  normalised: Float32Array;
  scale: Float32Array;
  gain: Float32Array;
  shift: Float32Array;
  kept: Float32Array | undefined;
}

/** The layers of a time-delay network. */
export function tdnnLayers(architecture: TdnnArchitecture, { products, kernels, part, matrix, own }: Tools): Layers {
  const { width, dilations, dropout, causal } = architecture;
  const back = causal ? 2 : 1;
  const names = ['input', ...dilations.map((_, i) => `layer${i + 1}`)];
  let batch: PackedBatch | undefined;
  let traces: Trace[] = [];

  return {
    numbersOf: ({ frames }) =>
      (dilations.length + 1) * (frames * width * (4 + 2 * taps) + frames + 6 * width) +
      frames * inputWidth(architecture),
    forward(given, training) {
      batch = given;
      const { frames, utteranceOffsets } = batch;
      const layer = (i: number, input: Tensor2D, residual?: Float32Array): Float32Array => {
        const [bias, gain, shift] = ['bias', 'norm.gain', 'norm.bias'].map((p) => own(part(`${names[i]}.${p}`)));
        const kept = training && dropout > 0 ? kernels.floats(frames * width) : undefined;
        if (kept) kernels.keepUnitsInto({ kept, dropout, state: randomState(...training!.dropoutSeed, i) });
        const normalised = own(products.product(input, matrix(`${names[i]}.matrix`)));
        const [y, scale] = [kernels.floats(frames * width), kernels.floats(frames)];
        kernels.normReluInPlace({ z: normalised, bias: bias!, gain: gain!, shift: shift!, kept, residual, y, scale });
        traces.push({ input, normalised, scale, gain: gain!, shift: shift!, kept });
        return y;
      };
      let y = layer(0, products.upload(own(batch.features), frames, inputWidth(architecture)));
      dilations.forEach((dilation, i) => {
        let neighbours = y;
        if (dilation > 0) {
          neighbours = kernels.floats(frames * taps * width);
          kernels.unfoldInto(neighbours, y, { units: width, dilation, back, utteranceOffsets });
        }
        y = layer(i + 1, products.upload(neighbours, frames, tapsOf(dilation) * width), y);
      });
      return y;
    },
    backward(gradient, put) {
      const { frames, utteranceOffsets } = batch!;
      for (let i = dilations.length; i >= 0; i--) {
        const { input, normalised, scale, gain, shift, kept } = traces[i]!;
        const z = kernels.floats(frames * width);
        const [biasGradient, gainGradient, shiftGradient] = [0, 1, 2].map(() => kernels.floats(width));
        kernels.normReluGradient({
          ...{ normalised, scale, gain, shift, kept, gradient, z },
          biasGradient: biasGradient!,
          gainGradient: gainGradient!,
          shiftGradient: shiftGradient!,
        });
        const zGradient = products.upload(z, frames, width);
        put(`${names[i]}.matrix`, products.transposedProduct(input, zGradient));
        put(`${names[i]}.bias`, biasGradient!);
        put(`${names[i]}.norm.gain`, gainGradient!);
        put(`${names[i]}.norm.bias`, shiftGradient!);
        if (i > 0) {
          const neighbours = own(products.productTransposed(zGradient, matrix(`${names[i]}.matrix`)));
          const dilation = dilations[i - 1]!;
          if (dilation === 0) kernels.addInto(gradient, neighbours);
          else kernels.addFoldInto(gradient, neighbours, { units: width, dilation, back, utteranceOffsets });
        }
        zGradient.dispose();
      }
    },
    forget() {
      for (const { input } of traces) input.dispose();
      traces = [];
      batch = undefined;
    },
  };
}
