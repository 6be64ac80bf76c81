import type { OptionTable } from './options.ts';

/** Masks over features, see `Masking`; none unless told. */
export const maskingOptions = {
  'frequency-masks': {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    max: 1000,
    describe: 'masked bands an utterance',
  },
  'frequency-mask-bins': {
    type: 'number',
    default: 8,
    integer: true,
    min: 0,
    belongsTo: { 'frequency-masks': 'above 0' },
    describe: 'widest masked band, bins',
  },
  'time-masks': {
    type: 'number',
    default: 0,
    integer: true,
    min: 0,
    max: 1000,
    describe: 'masked stretches for each 100 frames',
  },
  'time-mask-frames': {
    type: 'number',
    default: 15,
    integer: true,
    min: 0,
    belongsTo: { 'time-masks': 'above 0' },
    describe: 'longest masked stretch, input frames',
  },
} as const satisfies OptionTable;
