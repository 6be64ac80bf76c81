import { createRandom } from '../../math/random.ts';
import { InputError, UsageError } from '../errors.ts';
import type { CorpusUtterance, Report } from './corpus.ts';

export const parts = ['train', 'dev', 'test'] as const;
export type Part = (typeof parts)[number];

/** Subsets of the corpus that each part is made of; none: it is held out of the training part. */
export type Sources = Record<Part, readonly string[]>;

/**
 * Which subsets are which: those asked for, others by what their names begin with. One alone is for training.
 *
 * @throws {UsageError} for one that is not there
 * @throws {InputError} where it cannot be told what to train on
 */
export function chooseSubsets(
  source: string,
  subsets: readonly string[],
  asked: Partial<Record<Part, readonly string[]>>,
): Sources {
  const taken = parts.flatMap((part) => asked[part] ?? []);
  for (const name of taken) {
    if (!subsets.includes(name))
      throw new UsageError(`${name} is not a part of ${source}: there are ${subsets.join(', ')}; name some of them`);
    if (taken.indexOf(name) !== taken.lastIndexOf(name))
      throw new UsageError(`${name} is asked for twice: of --train, --dev and --test, give it to one`);
  }
  const begins: Record<Part, RegExp> = { train: /^train/, dev: /^(dev|valid(?!ated))/, test: /^test/ };
  const chosen = (part: Part) =>
    asked[part] ?? subsets.filter((name) => begins[part].test(name) && !taken.includes(name));
  const [only, ...others] = subsets;
  if (others.length === 0) return { train: [only!], dev: [], test: [] };
  const sources = { train: chosen('train'), dev: chosen('dev'), test: chosen('test') };
  if (sources.train.length > 0) return sources;
  throw new InputError(
    `Cannot tell what to train on in ${source}: none of ${subsets.join(', ')} begins with train; name some with --train`,
  );
}

export interface HoldOut {
  by: 'speakers' | 'utterances';
  /** Of all speakers or utterances, for each part that is held out; at least one. */
  share: number;
  seed: number;
}

/**
 * Holds out a part of the utterances for each of some parts: all of drawn speakers, or drawn utterances.
 *
 * @returns what is left, what each part has, and the names of speakers or utterances held out; all is left where too few
 *   are there, which is reported
 */
export function holdOut(
  utterances: readonly CorpusUtterance[],
  wanted: readonly Part[],
  { by, share, seed }: HoldOut,
  report: Report,
): { left: CorpusUtterance[]; held: Partial<Record<Part, CorpusUtterance[]>>; names: Partial<Record<Part, string[]>> } {
  const nameOf = ({ id, speaker }: CorpusUtterance): string => (by === 'speakers' ? speaker : id);
  const all = [...new Set(utterances.map(nameOf))].sort();
  if (all.length <= wanted.length) {
    report(
      `Too few ${by} to hold some out for ${wanted.join(' and ')}: ${all.length}; name other parts with --${wanted[0]}${by === 'speakers' ? ', or use --hold-out utterances' : ''}`,
    );
    return { left: [...utterances], held: {}, names: {} };
  }
  const drawn = createRandom(seed, 'held out').shuffle([...all]);
  const count = Math.min(Math.max(1, Math.round(share * all.length)), Math.floor((all.length - 1) / wanted.length));
  const partOf = new Map<string, Part>();
  const names: Partial<Record<Part, string[]>> = {};
  wanted.forEach((part, i) => {
    names[part] = drawn.slice(i * count, (i + 1) * count).sort();
    for (const name of names[part]) partOf.set(name, part);
  });
  const held = Object.fromEntries(
    wanted.map((part) => [part, utterances.filter((utterance) => partOf.get(nameOf(utterance)) === part)]),
  );
  return { left: utterances.filter((utterance) => !partOf.has(nameOf(utterance))), held, names };
}
