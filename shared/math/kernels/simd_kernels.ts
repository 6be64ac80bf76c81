import { type AdamSettings, type AdamState, adamCorrections } from '../adamw.ts';
import { forEachHead } from '../attention.ts';
import { dropRule } from '../kept_units.ts';
import type { RecurrentStep, RecurrentStepGradient } from '../recurrent_step.ts';
import { forEachUtterance } from '../unfold.ts';
import type { Kernels } from './kernels.ts';
import { openKernelMemory } from './memory.ts';

/** Kernels in WebAssembly, with a memory of their own; undefined where the processor has no SIMD. */
export function simdKernels(): Kernels | undefined {
  const memory = openKernelMemory();
  if (!memory) return undefined;
  const { functions: wasm, floats, integers, bytes, at } = memory;
  const stepOf = (step: RecurrentStep): number[] => {
    const { units, count, first, before, places, gates, recurrent, bias, inner, hidden } = step;
    return [units, count, first, before, ...[places, gates, recurrent, bias, inner, hidden].map(at)];
  };
  const wayBackOf = ({ units, count, first, before, columns, column, following }: RecurrentStepGradient): number[] => [
    units,
    count,
    first,
    before,
    columns,
    column,
    following,
  ];
  return {
    name: 'simd',
    clear: (numbers) => memory.clear(4 * numbers),
    floats,
    integers,
    bytes,
    normReluInPlace({ z, bias, gain, shift, kept, residual, y, scale }) {
      const arrays = [z, bias, gain, shift, kept, residual, y, scale].map(at);
      wasm.normRelu!(...arrays, scale.length, bias.length);
    },
    normReluGradient(layer) {
      const { normalised, scale, gain, shift, kept, gradient, z, biasGradient, gainGradient, shiftGradient } = layer;
      const sums = [biasGradient, gainGradient, shiftGradient];
      for (const sum of sums) sum.fill(0);
      const arrays = [normalised, scale, gain, shift, kept, gradient, z, ...sums].map(at);
      wasm.normReluGradient!(...arrays, scale.length, gain.length);
    },
    unfoldInto(target, x, { units, dilation, back, utteranceOffsets }) {
      const [to, from] = [at(target), at(x)];
      forEachUtterance(utteranceOffsets, (first, end) => wasm.unfold!(to, from, units, dilation, back, first, end));
    },
    addFoldInto(target, gradient, { units, dilation, back, utteranceOffsets }) {
      const [to, from] = [at(target), at(gradient)];
      forEachUtterance(utteranceOffsets, (first, end) => wasm.addFold!(to, from, units, dilation, back, first, end));
    },
    addInto: (target, values) => void wasm.add!(at(target), at(values), target.length),
    multiplyInto: (target, factors) => void wasm.multiply!(at(target), at(factors), target.length),
    lstmStep: (step) => void wasm.lstmStep!(...stepOf(step)),
    lstmStepGradient(step) {
      const { places, gates, inner, gradient, fromAfter, carried, gateGradient } = step;
      const arrays = [places, gates, inner, gradient, fromAfter, carried, gateGradient].map(at);
      wasm.lstmStepGradient!(...wayBackOf(step), ...arrays);
    },
    gruStep: (step) => void wasm.gruStep!(...stepOf(step)),
    gruStepGradient(step) {
      const { places, gates, inner, hidden, gradient, fromAfter, carried, gateGradient, recurrentGradient } = step;
      const read = [places, gates, inner, hidden, gradient, fromAfter].map(at);
      wasm.gruStepGradient!(...wayBackOf(step), ...read, ...[carried, gateGradient, recurrentGradient].map(at));
    },
    attentionInto(attention) {
      const { units, heads, reach, qkv, positions, weights, y } = attention;
      const [from, bias, to, result] = [qkv, positions, weights, y].map(at) as [number, number, number, number];
      const width = units / heads;
      forEachHead(attention, ({ unit, position, weight, first, frames }) => {
        const [query, own] = [from + 4 * (3 * first * units + unit), result + 4 * (first * units + unit)];
        const places = [query, bias + 4 * position, to + 4 * weight, own];
        wasm.attention!(...places, units, width, reach, frames, 1 / Math.sqrt(width));
      });
    },
    attentionGradient(given) {
      const { units, heads, reach, qkv, weights, gradient, qkvGradient, positionGradient, scratch } = given;
      const [from, shares, wanted] = [qkv, weights, gradient].map(at) as [number, number, number];
      const [to, bias, room] = [qkvGradient, positionGradient, scratch].map(at) as [number, number, number];
      const width = units / heads;
      qkvGradient.fill(0);
      positionGradient.fill(0);
      forEachHead(given, ({ unit, position, weight, first, frames }) => {
        const query = 4 * (3 * first * units + unit);
        const read = [from + query, shares + 4 * weight, wanted + 4 * (first * units + unit)];
        const written = [to + query, bias + 4 * position, room];
        wasm.attentionGradient!(...read, ...written, units, width, reach, frames, 1 / Math.sqrt(width));
      });
    },
    scatterRows(target, rows, { places, columns, column }) {
      const width = rows.length / places.length;
      wasm.scatterRows!(at(target), at(rows), at(places), places.length, width, columns, column);
    },
    keepUnitsInto({ kept, dropout, state }) {
      const { threshold, factor } = dropRule(dropout);
      const [a, b, c, d] = state as unknown as [number, number, number, number];
      wasm.keepUnits!(at(kept), kept.length, a, b, c, d, threshold, factor);
    },
    adamWInto(weights: Float32Array, gradients: Float32Array, state: AdamState, settings: AdamSettings) {
      const { stepSize, perSquare, decayed } = adamCorrections(weights, gradients, state, settings);
      const { decay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = settings;
      const arrays = [weights, gradients, state.mean, state.square, decay].map(at);
      const shares = [beta1, beta2, 1 - beta1, 1 - beta2];
      wasm.adamW!(...arrays, weights.length, ...shares, stepSize, perSquare, decayed, epsilon);
    },
    clipByGlobalNormInto(gradients, limit) {
      const norm = Math.sqrt(wasm.sumOfSquares!(at(gradients), gradients.length));
      if (norm > limit) wasm.scale!(at(gradients), gradients.length, limit / norm);
      return norm;
    },
  };
}
