import { type Kernels, plainKernels } from './kernels.ts';
import { simdKernels } from './simd_kernels.ts';

/** The fastest kernels there are, with a memory of their own. */
export const openKernels = (): Kernels => simdKernels() ?? plainKernels;
