import type { Tensor2D } from '@tensorflow/tfjs-core';
import { columnSums } from '../math/column_sums.ts';
import { randomState } from '../math/random.ts';
import { directionsOf, gatesOf, hiddenWidth, inputWidth, type RecurrentArchitecture } from './architecture.ts';
import type { NetworkMemory, PackedBatch } from './engine.ts';
import type { Layers, Tools } from './layers.ts';

/** In which order a direction goes over the frames of a batch; see `RecurrentStep`. */
interface Order {
  places: Int32Array;
  /** First frame of each step, and the end of the last. */
  steps: number[];
}

/** Of one layer. */
type Memory = NetworkMemory['layers'][number];

/** What the backward pass needs of one direction of a layer. */
interface Trace {
  name: string;
  order: Order;
  gates: Float32Array;
  inner: Float32Array;
  hidden: Float32Array;
}

/** What it needs of a layer: its input, and which units of its output stayed. */
interface LayerTrace {
  input: Tensor2D;
  directions: Trace[];
  kept: Float32Array | undefined;
}

/** The layers of a recurrent network: all products of the input at once, those of the step before step by step. */
export function recurrentLayers(
  architecture: RecurrentArchitecture,
  { products, kernels, part, matrix, own }: Tools,
): Layers {
  const { kind, width, layers, dropout } = architecture;
  const step = kind === 'lstm' ? kernels.lstmStep : kernels.gruStep;
  const stepGradient = kind === 'lstm' ? kernels.lstmStepGradient : kernels.gruStepGradient;
  const gateColumns = gatesOf(architecture) * width;
  const directions = directionsOf(architecture);
  const columns = hiddenWidth(architecture);
  let traces: LayerTrace[] = [];
  let frames = 0;

  /** @param memory of the frame before, which has the first place of the order then */
  function runForward(name: string, input: Tensor2D, order: Order, memory?: Memory): Trace {
    const { places, steps } = order;
    const gates = own(products.product(input, matrix(`${name}.input`)));
    const bias = own(part(`${name}.bias`));
    const [inner, hidden] = [kernels.floats(places.length * width), kernels.floats(places.length * width)];
    if (memory) {
      inner.set(memory.inner);
      hidden.set(memory.hidden);
    }
    const recurrent = kernels.floats(((steps[1] ?? 0) - steps[0]!) * gateColumns);
    for (let i = 0; i + 1 < steps.length; i++) {
      const [first, before] = [steps[i]!, steps[i - 1] ?? steps[0]! - 1];
      const count = steps[i + 1]! - first;
      if (before >= 0) recurrent.set(productOfRows(hidden, before, count, `${name}.recurrent`));
      step({ units: width, count, first, before, places, gates, recurrent, bias, inner, hidden });
    }
    return { name, order, gates, inner, hidden };
  }

  /** Rows of an array times a matrix. */
  function productOfRows(rows: Float32Array, first: number, count: number, name: string): Float32Array {
    const some = products.upload(rows.subarray(first * width, (first + count) * width), count, width);
    const product = products.product(some, matrix(name));
    some.dispose();
    return product;
  }

  /** The gradient with respect to the products of the input, by place. */
  function runBackward(
    { name, order: { places, steps }, gates, inner, hidden }: Trace,
    gradient: Float32Array,
    column: number,
    put: (name: string, values: Float32Array) => void,
  ): Float32Array {
    const utterances = steps[1] ?? 0;
    const gateGradient = kernels.floats(frames * gateColumns);
    // where products of the input and of the step before have one gradient, it is one array
    const recurrentGradient = kind === 'lstm' ? gateGradient : kernels.floats(frames * gateColumns);
    const [fromAfter, carried] = [kernels.floats(utterances * width), kernels.floats(utterances * width)];
    let following = 0;
    for (let i = steps.length - 2; i >= 0; i--) {
      const [first, before] = [steps[i]!, steps[i - 1] ?? -1];
      const count = steps[i + 1]! - first;
      stepGradient({
        ...{ units: width, count, first, before, places, gates, inner, hidden, gradient, columns, column },
        ...{ fromAfter, following, carried, gateGradient, recurrentGradient },
      });
      following = count;
      if (before < 0) continue;
      const rows = recurrentGradient.subarray(first * gateColumns, (first + count) * gateColumns);
      const some = products.upload(rows, count, gateColumns);
      fromAfter.set(products.productTransposed(some, matrix(`${name}.recurrent`)));
      some.dispose();
    }
    put(`${name}.bias`, biasGradient(gateGradient, recurrentGradient));
    // what each step saw of the one before: nothing in the first
    const seen = kernels.floats(frames * width).fill(0);
    for (let step = 1; step + 1 < steps.length; step++) {
      const [before, first, end] = [steps[step - 1]!, steps[step]!, steps[step + 1]!];
      seen.set(hidden.subarray(before * width, (before + end - first) * width), first * width);
    }
    const before = products.upload(seen, frames, width);
    const own = products.upload(recurrentGradient, frames, gateColumns);
    put(`${name}.recurrent`, products.transposedProduct(before, own));
    before.dispose();
    own.dispose();
    const byPlace = kernels.floats(frames * gateColumns);
    kernels.scatterRows(byPlace, gateGradient, { places, columns: gateColumns, column: 0 });
    return byPlace;
  }

  function biasGradient(gateGradient: Float32Array, recurrentGradient: Float32Array): Float32Array {
    const sums = columnSums(gateGradient, gateColumns);
    if (kind === 'lstm') return sums;
    return Float32Array.of(...sums, ...columnSums(recurrentGradient, gateColumns).subarray(2 * width));
  }

  return {
    numbersOf: ({ frames }) =>
      layers * (directions.length * (frames + 1) * 26 * width + frames * (4 * columns + inputWidth(architecture))),
    forward(batch, training, memory) {
      frames = batch.frames;
      const goesOn = memory !== undefined && memory.layers.length > 0;
      const orders = directions.map((direction) => orderOf(batch, direction, goesOn ? 1 : 0));
      let input = products.upload(batch.features, frames, inputWidth(architecture));
      let y: Float32Array = new Float32Array(0);
      for (let i = 0; i < layers; i++) {
        y = kernels.floats(frames * columns);
        const runs = directions.map((direction, k) => {
          const run = runForward(`layer${i + 1}.${direction}`, input, orders[k]!, memory?.layers[i]);
          const { places, steps } = orders[k]!;
          const own = { places: places.subarray(steps[0]), columns, column: k * width };
          kernels.scatterRows(y, run.hidden.subarray(steps[0]! * width), own);
          if (memory) memory.layers[i] = { hidden: run.hidden.slice(-width), inner: run.inner.slice(-width) };
          return run;
        });
        const kept = training && dropout > 0 ? kernels.floats(frames * columns) : undefined;
        if (kept) {
          kernels.keepUnitsInto({ kept, dropout, state: randomState(...training!.dropoutSeed, i) });
          kernels.multiplyInto(y, kept);
        }
        traces.push({ input, directions: runs, kept });
        if (i + 1 < layers) input = products.upload(y, frames, columns);
      }
      return y;
    },
    backward(gradient, put) {
      let wanted = gradient;
      for (let i = layers - 1; i >= 0; i--) {
        const { input, directions: runs, kept } = traces[i]!;
        if (kept) kernels.multiplyInto(wanted, kept);
        const below = i > 0 ? kernels.floats(frames * columns).fill(0) : undefined;
        runs.forEach((run, k) => {
          const gates = products.upload(runBackward(run, wanted, k * width, put), frames, gateColumns);
          put(`${run.name}.input`, products.transposedProduct(input, gates));
          if (below) kernels.addInto(below, own(products.productTransposed(gates, matrix(`${run.name}.input`))));
          gates.dispose();
        });
        if (below) wanted = below;
      }
    },
    forget() {
      for (const { input } of traces) input.dispose();
      traces = [];
    },
  };

  /** @param lead places before the first step: of a frame that is remembered */
  function orderOf({ utteranceOffsets }: PackedBatch, direction: 'forward' | 'backward', lead: 0 | 1): Order {
    const utterances = Array.from({ length: utteranceOffsets.length - 1 }, (_, i) => ({
      first: utteranceOffsets[i]!,
      end: utteranceOffsets[i + 1]!,
    }));
    utterances.sort((a, b) => b.end - b.first - (a.end - a.first));
    const places = kernels.integers(lead + frames);
    const steps: number[] = [lead];
    let filled: number = lead;
    for (let step = 0; filled < lead + frames; step++) {
      for (const { first, end } of utterances) {
        if (first + step >= end) break;
        places[filled++] = direction === 'forward' ? first + step : end - 1 - step;
      }
      steps.push(filled);
    }
    return { places, steps };
  }
}
