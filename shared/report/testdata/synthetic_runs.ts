import { createRandom } from '../../math/random.ts';
import type { Run } from '../runs.ts';
import { alignedUtterance } from './aligned_utterance.ts';

interface ArmShape {
  arm: string;
  /** Chance that an utterance has an error. */
  errorRate: number;
  bytesPerFrame?: number;
  keptMass?: number;
}

const students: ArmShape[] = [
  { arm: 'hard', errorRate: 0.12 },
  { arm: 'label-smoothing', errorRate: 0.11 },
  { arm: 'born-again', errorRate: 0.1, bytesPerFrame: 90, keptMass: 1 },
  { arm: 'full', errorRate: 0.07, bytesPerFrame: 90, keptMass: 1 },
  { arm: 'top1', errorRate: 0.09, bytesPerFrame: 10, keptMass: 0.91 },
  { arm: 'top2', errorRate: 0.075, bytesPerFrame: 14, keptMass: 0.97 },
  { arm: 'top3-ghost', errorRate: 0.07, bytesPerFrame: 18, keptMass: 0.985 },
  { arm: 'top3-renormalise', errorRate: 0.072, bytesPerFrame: 18, keptMass: 0.985 },
  { arm: 'top3-uniform', errorRate: 0.074, bytesPerFrame: 18, keptMass: 0.985 },
  { arm: 'top5-gate-correct-temperature-2', errorRate: 0.071, bytesPerFrame: 26, keptMass: 0.993 },
  { arm: 'sample8 <&">', errorRate: 0.085, bytesPerFrame: 31.5, keptMass: 0.94 },
];

/** Runs of a whole experiment, made up: 11 arms of two sizes, 5 seeds, 5 teachers, one ensemble; the same for the same seed. */
export function syntheticRuns({ protocols = ['seen speakers'], utterances = 120, seeds = 5 } = {}): Run[] {
  return protocols.flatMap((protocol) => {
    const random = createRandom('synthetic runs', protocol);
    const difficulty = Array.from({ length: utterances }, () => 2 * random.uniform());
    const run = (shape: ArmShape, size: string, seed: string, parameters: number): Run => {
      const skill = 1 + 0.15 * random.normal();
      return {
        protocol,
        size,
        arm: shape.arm,
        seed,
        ids: { score: `score-${protocol}-${size}-${shape.arm}-${seed}`, decode: `decode-${size}-${shape.arm}-${seed}` },
        rate: 'wer',
        normalised: '',
        utterances: difficulty.map((hard, i) => alignedUtterance({
          utterance: `u${String(i).padStart(4, '0')}`,
          words: 3,
          insertions: random.uniform() < shape.errorRate * hard * skill ? 1 : 0,
          deletions: random.uniform() < 0.4 * shape.errorRate * hard * skill ? 1 : 0,
          substitutions: random.uniform() < shape.errorRate * hard * skill ? 1 : 0,
        })),
        parameters,
        modelBytes: 4 * parameters,
        frameAccuracy: 0.95 - shape.errorRate,
        keptMass: shape.keptMass,
        bytesPerFrame: shape.bytesPerFrame,
        trainingSeconds: size === 'ensemble' ? undefined : parameters / 1200,
        curve: size === 'ensemble' ? [] : Array.from({ length: 17 }, (_, step) => ({
          update: 50 * step,
          devCrossEntropy: 0.25 + 3.4 * shape.errorRate + 3 * Math.exp(-step / 2) + 0.02 * random.normal() * Math.exp(-step / 8),
          devFrameAccuracy: 0.95 - shape.errorRate - 0.9 * Math.exp(-step / 2.5) + 0.004 * random.normal(),
        })),
        atEdge: shape.arm === 'top1' && seed === '0' ? ['insertionPenalty'] : [],
        filter: shape.bytesPerFrame === undefined ? undefined : { select: 'top-k', k: 3, tail: 'ghost', teachers: [0, 1, 2] },
      };
    };
    const names = Array.from({ length: seeds }, (_, seed) => String(seed));
    return [
      run({ arm: 'ensemble', errorRate: 0.04 }, 'ensemble', '0', 1_212_000),
      ...names.map((seed) => run({ arm: `teacher${seed}`, errorRate: 0.06 }, 'teacher', seed, 242_400)),
      ...students.flatMap((shape) => names.map((seed) => run(shape, 'large', seed, 141_312))),
      ...students.flatMap((shape) => names.map((seed) => run({ ...shape, errorRate: 1.8 * shape.errorRate }, 'small', seed, 23_112))),
    ];
  });
}
