import { bytes, fixed } from './format.ts';
import type { Cost } from './runs.ts';

/** What a model takes, in columns that are there where it was measured. */
export const costColumns: [header: string, spell: (cost: Cost | undefined) => string][] = [
  ['M multiply-adds/s', (cost) => fixed(cost && cost.multiplyAddsPerSecond / 1e6, 2)],
  ['look-ahead ms', (cost) => (cost?.lookAheadMs === null ? 'all' : fixed(cost?.lookAheadMs, 0))],
  ['real-time factor', (cost) => fixed(cost?.realTimeFactor, 4)],
  ['peak memory', (cost) => bytes(cost?.peakMemoryBytes)],
];
