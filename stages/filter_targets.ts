import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFramesOfRow, readSparseHeader, type SparseHeader } from '../shared/io/cached_frames.ts';
import { compressions, openCompression } from '../shared/io/compression.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { InputError, UsageError } from '../shared/io/errors.ts';
import { essenceColumns, rowOfSparseTargets } from '../shared/io/essence.ts';
import { labelsOfRow } from '../shared/io/frame_labels.ts';
import { withSums } from '../shared/io/parts.ts';
import type { InputFolder } from '../shared/io/report_file.ts';
import { shareOf, tableName } from '../shared/io/shard.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import {
  checkMetadataEqual,
  openUtterances,
  type Row,
  sharedUtterances,
  type UtteranceTable,
} from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { type CombineOptions, combinations } from '../shared/math/combine.ts';
import { agreement, bestToken, certainty, confidence, openness, opennessToWords } from '../shared/math/gate.ts';
import type { Kept } from '../shared/math/keep_tokens.ts';
import { createKeptMassTally, type KeptMassCounts } from '../shared/math/kept_mass_tally.ts';
import { fastCombine } from '../shared/math/kernels/fast_combine.ts';
import { fastKeepBest } from '../shared/math/kernels/fast_keep_best.ts';
import { fastKeepTokens } from '../shared/math/kernels/fast_keep_tokens.ts';
import { fastLogSoftmax } from '../shared/math/kernels/fast_posteriors.ts';
import {
  type BestOfFrames,
  createLabelTally,
  type LabelCounts,
  type LabelFigures,
} from '../shared/math/label_tally.ts';
import { createRandom } from '../shared/math/random.ts';
import { type Selection, sampleTokens, selectTokens, threshold, topK, topP } from '../shared/math/select.ts';
import type { SparseTargets, Tail } from '../shared/math/sparse_targets.ts';
import { tailToLabel } from '../shared/math/tail_to_label.ts';
import { type LabelledFrames, tuneCombination } from '../shared/math/tune_combination.ts';
import { beyondSparse, filterCached } from '../shared/training/filter_cached.ts';
import { type ObjectiveName, objectiveOf } from '../shared/training/objective.ts';
import { readTunedTeachers, type TunedTeachers } from '../shared/training/tuned_teachers.ts';

export const options = {
  logits: { type: 'string', role: 'input', demandOption: true, describe: 'folder of cache_logits' },
  cache: { type: 'string', describe: 'which of several sparse caches in that folder, by its name' },
  alignment: {
    type: 'string',
    role: 'input',
    describe:
      'folder of align_labels for the same utterances: for --tune, --gate correct, --tail to-label, and figures',
  },
  teachers: {
    type: 'numbers',
    integer: true,
    min: 0,
    describe: 'which teachers of the cache, counted from 0; all unless given',
  },
  combine: {
    type: 'string',
    choices: [...combinations, 'weighted'],
    describe:
      'mean of posteriors, normalised mean of log-posteriors, the surest teacher of each utterance, or the mean with the weights of --tune; linear unless given. A sparse cache was combined when it was made',
  },
  weights: { type: 'numbers', min: 0, describe: 'weights of the teachers in the mean; equal unless given' },
  tune: {
    type: 'boolean',
    default: false,
    describe: "find each teacher's own temperature, and weights, on this data (use dev data), and filter with them",
  },
  combination: {
    type: 'string',
    role: 'input',
    describe: "folder of filter_targets --tune, to take the teachers' own temperatures (and weights) from",
  },
  temperature: {
    type: 'number',
    default: 1,
    above: 0,
    describe: "T of the distillation, the same for all, before they are combined: times a teacher's own",
  },
  select: {
    type: 'string',
    default: 'top-k',
    choices: ['top-k', 'top-p', 'threshold', 'sample', 'all'],
    describe: 'which tokens of a frame stay',
  },
  k: { type: 'number', integer: true, min: 1, max: 65536, describe: 'top-k: tokens a frame; 3 unless given' },
  p: { type: 'number', above: 0, max: 1, describe: 'top-p: mass a frame keeps at least; 0.95 unless given' },
  threshold: { type: 'number', above: 0, max: 1, describe: 'threshold: lowest posterior; 0.01 unless given' },
  samples: { type: 'number', integer: true, min: 1, max: 65536, describe: 'sample: draws a frame; 50 unless given' },
  gate: {
    type: 'string',
    default: 'none',
    choices: ['none', 'correct', 'confidence', 'entropy', 'agreement', 'blank'],
    describe:
      'trust in a frame: best token = hard label; its posterior; 1 − entropy / log tokens; share of teachers with that best token; 1 − posterior of the blank (objective ctc)',
  },
  'gate-threshold': {
    type: 'number',
    min: 0,
    max: 1,
    describe:
      'trust from which on a frame counts fully, below it not at all; of blank: the posterior of the blank from which on it does not; without it, trust is the weight',
  },
  tail: {
    type: 'string',
    choices: ['renormalise', 'ghost', 'to-label', 'uniform'],
    describe:
      'what the mass not kept means: nothing, "anything else", the hard label, an equal share for each other token; ghost unless given',
  },
  seed: { type: 'number', default: 0, integer: true, min: 0, describe: 'of the draws of --select sample' },
  compress: {
    type: 'string',
    choices: compressions,
    describe: 'columns of the Arrow file; not compressed unless given',
  },
} as const satisfies OptionTable;

type Options = OptionsOf<typeof options>;

/** The option that says how much a selection keeps, and its value where it is not given. */
const amounts = {
  'top-k': { flag: 'k', usual: 3 },
  'top-p': { flag: 'p', usual: 0.95 },
  threshold: { flag: 'threshold', usual: 0.01 },
  sample: { flag: 'samples', usual: 50 },
  all: undefined,
} as const;

type Asked = Options & {
  chosen: readonly number[];
  objective: ObjectiveName;
  /** Of a sparse cache. */
  sparse: SparseHeader | undefined;
};

/** Options that combine teachers. */
const combining = ['teachers', 'combine', 'weights', 'tune', 'combination'] as const;

/** Combinations that mean nothing, and why. */
export const meaningless: readonly { when: (asked: Asked) => boolean; why: string }[] = [
  {
    when: (asked) => asked.sparse !== undefined && combining.some((flag) => asked[flag]),
    why: '--teachers, --combine, --weights, --tune and --combination are for dense caches, and a sparse one was combined when it was made: leave them out, or cache again with --combine',
  },
  {
    when: ({ select, tail }) => select === 'all' && tail !== undefined && tail !== 'renormalise',
    why: '--select all leaves no mass over: leave out --tail',
  },
  {
    when: ({ select, tail }) => select === 'sample' && tail !== undefined && tail !== 'renormalise',
    why: '--select sample gives all mass to the tokens drawn, which is what makes it unbiased: leave out --tail',
  },
  {
    when: ({ tail, alignment }) => tail === 'to-label' && !alignment,
    why: '--tail to-label gives mass to the hard label: name it with --alignment',
  },
  {
    when: ({ gate, alignment }) => gate === 'correct' && !alignment,
    why: '--gate correct compares with the hard label: name it with --alignment',
  },
  {
    when: ({ gate, chosen }) => gate === 'agreement' && chosen.length < 2,
    why: '--gate agreement needs two teachers or more: a single one agrees with itself',
  },
  {
    when: ({ gate, gateThreshold }) => (gate === 'none' || gate === 'correct') && gateThreshold !== undefined,
    why: '--gate-threshold belongs to --gate confidence, entropy, agreement or blank: the others are open or shut as they are',
  },
  {
    when: ({ gate, objective }) => gate === 'blank' && objective === 'frame',
    why: '--gate blank belongs to teachers of --objective ctc, and these are of frames: they have no blank',
  },
  {
    when: ({ alignment, objective }) => alignment !== undefined && objective === 'ctc',
    why: '--alignment gives the hard label of each frame, and teachers of --objective ctc have none: leave it out',
  },
  {
    when: ({ tune, combination }) => tune && combination !== undefined,
    why: '--tune finds what --combination takes over: leave out one of them',
  },
  {
    when: ({ tune, alignment }) => tune && !alignment,
    why: '--tune compares with the hard label: name it with --alignment',
  },
  {
    when: ({ combine, tune, combination }) => combine === 'weighted' && !tune && combination === undefined,
    why: '--combine weighted takes its weights from --tune or --combination: give one of them, or --weights and --combine linear',
  },
  {
    when: ({ combine, weights }) => combine === 'weighted' && weights !== undefined,
    why: '--combine weighted has weights of its own: leave out --weights, or take --combine linear',
  },
  {
    when: ({ combine, weights }) => combine === 'best' && weights !== undefined,
    why: '--combine best takes one teacher as it is: leave out --weights',
  },
  {
    when: ({ weights, chosen }) => weights !== undefined && weights.length !== chosen.length,
    why: '--weights needs one number for each teacher',
  },
  {
    when: ({ weights }) => weights?.every((weight) => weight === 0) ?? false,
    why: '--weights are all 0: give one teacher some weight',
  },
];

/** Options with everything that was left open decided. */
interface Settings extends Omit<Asked, 'tail' | 'combine'> {
  combine: NonNullable<Options['combine']>;
  tail: Tail;
  amount: number;
  vocabularySize: number;
  /** Tokens of each frame, where it is the same number for all. */
  fixedK: number | undefined;
}

export async function run(given: Options, { id, inputs, out, shard, progress, skip, breathe }: Context) {
  const logits = await openLogits(given, inputs.logits![0]!);
  const settings = checkSettings(given, logits);
  const { tail, temperature, fixedK, vocabularySize } = settings;
  const teachers = teachersOf(inputs.logits![0]!, settings);
  const tokensText = readFileSync(join(given.logits, 'tokens.txt'), 'utf8');
  if (tokensDigest(tokensText) !== logits.metadata['kd.tokens']) {
    throw new InputError(`Cannot use ${given.logits}: its tokens.txt is not the one it was made with; cache again`);
  }
  const alignment = given.alignment ? await openUtterances(given.alignment, { format: 'alignment' }) : undefined;
  let used: readonly string[] = logits.utterances;
  if (alignment) {
    checkMetadataEqual(logits, alignment, ['kd.tokens']);
    used = sharedUtterances(logits, alignment, 'hard labels', skip);
  }

  const source = { logits, alignment };
  const tuned = given.tune ? await tune(source, { settings, teachers, out, progress, breathe }) : undefined;
  const combination =
    tuned ??
    (given.combination
      ? readTunedTeachers(
          inputs.combination![0]!,
          teachers.map(({ id }) => id),
        )
      : undefined);
  const combineBy = combineOptions(settings, combination);
  const labelsOfCache = logits.metadata['kd.alignment'] === inputs.alignment?.[0]?.id;
  if (given.compress) await openCompression();
  const name = tableName(shard);
  const writer = createUtteranceWriter(out.createFile(name), {
    columns: essenceColumns(fixedK),
    metadata: { ...metadataOf(settings, logits, teachers), ...temperaturesOf(combination), 'kd.id': id },
    compression: given.compress,
  });
  const tally = createTally(vocabularySize);
  progress.start('filtering', shareOf(used, shard).length);
  for await (const row of logits.rows(shard)) {
    if (alignment && !alignment.has(row.utterance)) continue;
    const labels = await labelsOf(row, source, settings);
    const filtered = settings.sparse
      ? cached(row, labels, settings.sparse, { settings, labelsOfCache })
      : filterDense(row, { members: membersOf(row, settings), labels }, combineBy, settings);
    writer.append(rowOfSparseTargets(row.utterance, finish(filtered, labels, { settings, tally })));
    progress.advance();
    await breathe();
  }
  writer.close();
  out.writeText('tokens.txt', tokensText);
  await Promise.all([logits.close(), alignment?.close()]);
  return {
    counts: tally.counts(),
    bytes: out.files[name]!.bytes,
    known: {
      utterances: used.length,
      vocabularySize,
      selection: {
        select: settings.select,
        ...(amounts[settings.select] && { [amounts[settings.select]!.flag]: settings.amount }),
      },
      tail,
      temperature,
      klCounting: settings.sparse
        ? 'KL(cache ‖ kept) in nats over open frames, the tail spread evenly over the tokens not kept; what the cache lost, in its own report, adds to it; null for samples'
        : 'KL(ensemble ‖ kept) in nats over open frames, the tail spread evenly over the tokens not kept; null for samples',
      outputFrameShiftMs: Number(logits.metadata['kd.frameShiftMs']),
      firstFrameCentreMs: Number(logits.metadata['kd.firstFrameCentreMs']),
      tokensDigest: tokensDigest(tokensText),
      // what decoding divides by comes from the teachers' training data, not from the data that is decoded
      prior: meanOf(teachers.map(({ prior }) => prior)),
      ...(settings.objective === 'frame' && { selfLoop: meanOf(teachers.map(({ selfLoop }) => selfLoop!)) }),
      teachers: teachers.map(({ name, id }, i) => ({
        ...{ name, id },
        ...(combination ? { temperature: combination.teacherTemperatures[i] } : {}),
        ...(given.combine === 'weighted' ? { weight: combination!.weights[i] } : {}),
      })),
      atEdge: combination?.atEdge,
    },
  };
}

/** The figures of all parts: of what each counted, and of what was known before. */
function figures(parts: Awaited<ReturnType<typeof run>>[], { alignment, select }: Options) {
  const { bytes, known } = withSums(
    parts.map(({ bytes, known }) => ({ bytes, known })),
    ['bytes'],
  );
  const { utterances, vocabularySize, ...settled } = known;
  const tally = createTally(vocabularySize);
  for (const { counts } of parts) tally.add(counts);
  const { frames, ofLabels, ...figures } = tally.summary();
  return {
    utterances,
    frames,
    vocabularySize,
    ...figures,
    bytesPerFrame: ratio(bytes, frames),
    denseFloat16BytesPerFrame: 2 * vocabularySize,
    kl: select === 'sample' ? null : figures.kl,
    labelKept: alignment ? figures.labelKept : undefined,
    ...(alignment ? { ...ofLabels, frameAccuracy: 1 - ofLabels.frameError } : {}),
    ...settled,
  };
}

/**
 * The cache of a folder; of a folder of sparse caches, the one asked for.
 *
 * @throws {UsageError} when it is not said which one, or there is none of that name
 */
async function openLogits({ logits: path, cache }: Options, { report }: InputFolder): Promise<UtteranceTable> {
  const names = Object.keys((report.caches as Record<string, unknown> | undefined) ?? {});
  if (names.length === 0) {
    if (cache)
      throw new UsageError(`--cache ${cache} names one of several sparse caches, and ${path} is dense: leave it out`);
    return openUtterances(path, { format: 'logits' });
  }
  const name = cache ?? (names.length === 1 ? names[0]! : '');
  if (!names.includes(name)) {
    throw new UsageError(
      `--cache ${cache ?? 'is not given, and'} has to be one of those in ${path}: ${names.join(', ')}`,
    );
  }
  return openUtterances(join(path, name), { format: 'sparse-logits' });
}

function checkSettings(given: Options, { path, metadata, columns }: UtteranceTable): Settings {
  const sparse = metadata['kd.format'] === 'sparse-logits' ? readSparseHeader({ path, metadata, columns }) : undefined;
  const count = sparse
    ? teacherCount(metadata)
    : Object.keys(columns).filter((column) => column.startsWith('logPosteriors_')).length;
  const vocabularySize = Number(metadata['kd.vocabularySize']);
  if (!(count > 0 && vocabularySize > 0)) {
    throw new InputError(`Cannot read ${path}: it has no teacher, or does not say how many tokens it has; cache again`);
  }
  const chosen = given.teachers ?? Array.from({ length: count }, (_, i) => i);
  const wrong = chosen.find((teacher, i) => teacher >= count || chosen.indexOf(teacher) !== i);
  if (wrong !== undefined || chosen.length === 0) {
    throw new UsageError(`--teachers ${chosen} does not fit ${path}: name each once, from 0 to ${count - 1}`);
  }
  const asked = { ...given, chosen, objective: objectiveOf(metadata), sparse };
  for (const { when, why } of meaningless) if (when(asked)) throw new UsageError(why);
  for (const [select, amount] of Object.entries(amounts)) {
    if (amount && select !== given.select && given[amount.flag] !== undefined) {
      throw new UsageError(`--${amount.flag} belongs to --select ${select}, not to ${given.select}: leave it out`);
    }
  }
  const rule = amounts[given.select];
  const amount = rule ? (given[rule.flag] ?? rule.usual) : vocabularySize;
  if (given.select === 'top-k' && amount > vocabularySize) {
    throw new UsageError(`--k ${amount} is more than the ${vocabularySize} tokens there are`);
  }
  const wrongOfSparse = sparse && beyondSparse.find(({ when }) => when({ ...asked, amount }, sparse));
  if (wrongOfSparse) throw new UsageError(wrongOfSparse.why(sparse));
  const tail = given.tail ?? (given.select === 'all' || given.select === 'sample' ? 'renormalise' : 'ghost');
  const isEven = (given.select === 'top-k' || given.select === 'all') && given.gate === 'none' && tail !== 'to-label';
  return {
    ...{ ...asked, tail, amount, vocabularySize, fixedK: isEven ? amount : undefined },
    combine: given.combine ?? 'linear',
  };
}

function teacherCount(metadata: Record<string, string>): number {
  try {
    return (JSON.parse(metadata['kd.teachers'] ?? '[]') as unknown[]).length;
  } catch {
    return 0;
  }
}

/** The logits to filter, and hard labels where there are any. */
interface Source {
  logits: UtteranceTable;
  alignment: UtteranceTable | undefined;
}

interface TuneSurroundings extends Pick<Context, 'out' | 'progress' | 'breathe'> {
  settings: Settings;
  teachers: Teacher[];
}

/** Finds what combines the teachers best on these data, and writes it with what each way to combine them gives. */
async function tune(source: Source, { settings, teachers, out, progress, breathe }: TuneSurroundings) {
  const { vocabularySize } = settings;
  async function* utterances(): AsyncGenerator<LabelledFrames> {
    progress.start('tuning', source.logits.utterances.length);
    for await (const row of source.logits.rows()) {
      if (!source.alignment!.has(row.utterance)) continue;
      const members = membersOf(row, settings);
      for (const member of members) checkPosteriors(fastLogSoftmax(member, vocabularySize), row, settings);
      yield { members, labels: (await labelsOf(row, source, settings))! };
      progress.advance();
      await breathe();
    }
  }
  const { table, ...tuned } = await tuneCombination(utterances, { vocabularySize, teachers: teachers.length });
  const atEdge = tuned.atEdge.map((i) => teachers[i]!.name);
  if (atEdge.length > 0) {
    progress.note(
      `warning: the temperature of ${atEdge.join(', ')} lies at its limit; tune on data it was not trained on`,
    );
  }
  const found: TunedTeachers = { ...tuned, teachers: teachers.map(({ id }) => id), atEdge };
  const named = table.map(({ teacher, ...row }) => ({
    ...(teacher === undefined ? {} : { teacher: teachers[teacher]!.name }),
    ...row,
  }));
  out.writeJson('combination.json', { ...found, table: named });
  return found;
}

function combineOptions(settings: Settings, combination: TunedTeachers | undefined): CombineOptions {
  const { vocabularySize, combine, temperature, weights } = settings;
  const common = { vocabularySize, temperature, teacherTemperatures: combination?.teacherTemperatures };
  if (combine === 'weighted') return { ...common, rule: 'linear', weights: combination!.weights };
  return { ...common, rule: combine, weights };
}

const temperaturesOf = (combination: TunedTeachers | undefined): Record<string, string> =>
  combination ? { 'kd.teacherTemperatures': JSON.stringify(combination.teacherTemperatures) } : {};

/** What each teacher says of an utterance. */
const membersOf = (row: Row, settings: Settings): Float32Array[] =>
  settings.chosen.map((teacher) => posteriorsOf(row, teacher, settings));

/** What the labels say of it, where there are any. */
const labelsOf = async ({ utterance, frames }: Row, { alignment, logits }: Source, { vocabularySize }: Settings) =>
  alignment &&
  labelsOfRow(await alignment.read(utterance), {
    ...{ utterance, frames, vocabularySize, what: 'filter', alignment: alignment.path, other: logits.path },
  });

interface Teacher {
  name: string;
  id: string;
  prior: number[];
  /** Of frames. */
  selfLoop?: number[];
}

function teachersOf({ path, report }: InputFolder, { chosen, objective }: Settings): Teacher[] {
  const teachers = report.teachers as Teacher[] | undefined;
  return chosen.map((i) => {
    const teacher = teachers?.[i];
    if (!Array.isArray(teacher?.prior) || (objective === 'frame' && !Array.isArray(teacher.selfLoop))) {
      throw new InputError(`Cannot read ${path}: its report.json does not describe teacher ${i}; cache again`);
    }
    return teacher;
  });
}

const metadataOf = (settings: Settings, { metadata }: UtteranceTable, teachers: Teacher[]): Record<string, string> => ({
  'kd.format': 'essence',
  'kd.version': '1',
  'kd.objective': settings.objective,
  ...Object.fromEntries(
    ['kd.tokens', 'kd.vocabularySize', 'kd.frameShiftMs', 'kd.firstFrameCentreMs', 'kd.sampleRateHz'].map((key) => [
      key,
      metadata[key] ?? '',
    ]),
  ),
  'kd.teachers': JSON.stringify(teachers.map(({ id }) => id)),
  'kd.combine': metadata['kd.combine'] ?? settings.combine,
  'kd.temperature': String(settings.temperature),
  'kd.select': settings.select === 'all' ? 'all' : `${settings.select} ${settings.amount}`,
  'kd.gate': settings.gate,
  'kd.tail': settings.tail,
  ...(settings.fixedK === undefined ? {} : { 'kd.k': String(settings.fixedK) }),
  'kd.toolkit': toolkitVersion(),
});

function posteriorsOf({ utterance, frames, ...row }: Row, teacher: number, { logits, vocabularySize }: Settings) {
  const values = row[`logPosteriors_${teacher}`] as Float32Array;
  if (values.length === frames * vocabularySize) return values;
  throw new InputError(
    `Cannot filter utterance "${utterance}": teacher ${teacher} in ${logits} has ${values.length} values, ${frames} frames of ${vocabularySize} tokens need ${frames * vocabularySize}; cache again`,
  );
}

/** A frame that is no distribution has no number at all. */
function checkPosteriors(
  combined: Float32Array,
  { utterance, frames }: Row,
  { logits, vocabularySize }: Settings,
): void {
  for (let frame = 0; frame < frames; frame++) {
    if (!Number.isNaN(combined[frame * vocabularySize])) continue;
    throw new InputError(
      `Cannot filter utterance "${utterance}": what ${logits} says of frame ${frame} is no distribution (NaN, or teachers that have no token in common); cache again, or take --combine linear`,
    );
  }
}

/** What is known of one utterance; each of the members is [frames × vocabularySize]. */
interface Utterance {
  members: Float32Array[];
  labels: Uint16Array | undefined;
}

/** What an utterance comes to: the tail goes where it belongs, and all of it is counted. */
function finish(
  { combined, best, weight, kept, drawn }: Filtered,
  labels: Uint16Array | undefined,
  { settings, tally }: { settings: Settings; tally: Tally },
): SparseTargets {
  const { offsets, tokens, logPosteriors, logTail } =
    drawn ?? (settings.tail === 'to-label' ? tailToLabel(kept, labels!) : kept);
  tally.count({ combined, best, weight, labels, kept, stored: tokens.length });
  return { offsets, tokens, logPosteriors, logTail, weight };
}

const filterDense = (row: Row, said: Utterance, combining: CombineOptions, settings: Settings): Filtered =>
  bestOfAll(row, said, combining, settings) ?? selected(row, said, combining, settings);

/** @param labelsOfCache whether the labels are those whose posteriors the cache keeps */
function cached(
  row: Row,
  labels: Uint16Array | undefined,
  header: SparseHeader,
  { settings, labelsOfCache }: { settings: Settings; labelsOfCache: boolean },
): Filtered {
  const { ofLabel, ...frames } = cachedFramesOfRow(row, header);
  const said = { ...frames, ...(labelsOfCache && { ofLabel }) };
  return filterCached({ utterance: row.utterance, frames: said, labels, path: settings.logits }, settings);
}

/** What stays of an utterance, before the tail goes where it belongs. */
interface Filtered {
  /** [frames × vocabularySize]; left out where nobody asks for it. */
  combined?: Float32Array;
  /** In its place, of a sparse cache. */
  best?: BestOfFrames;
  weight: Float32Array;
  kept: Kept;
  /** What is stored instead of it, of draws. */
  drawn?: ReturnType<typeof sampleTokens>;
}

/** The quick way, where the same number of tokens stays in every frame; undefined where it does not go. */
function bestOfAll(
  { frames }: Row,
  { members, labels }: Utterance,
  combining: CombineOptions,
  { select, gate, amount }: Settings,
): Filtered | undefined {
  if (gate !== 'none' || (select !== 'top-k' && select !== 'all')) return undefined;
  const best = fastKeepBest(members, combining, { k: amount, withCombined: labels !== undefined });
  return best && { ...best, weight: new Float32Array(frames).fill(1) };
}

function selected(row: Row, { members, labels }: Utterance, combining: CombineOptions, settings: Settings): Filtered {
  const { vocabularySize, select, amount, seed, gate } = settings;
  const combined = fastCombine(members, combining);
  checkPosteriors(combined, row, settings);
  const weight = new Float32Array(row.frames).fill(1);
  if (gate !== 'none') {
    for (let frame = 0; frame < row.frames; frame++) {
      const slice = (values: Float32Array) => values.subarray(frame * vocabularySize, (frame + 1) * vocabularySize);
      weight[frame] = gateOf(slice(combined), members.map(slice), labels?.[frame], settings);
    }
  }
  if (select === 'sample') {
    const random = createRandom(seed, 'sample', row.utterance);
    const drawn = sampleTokens(combined, vocabularySize, weight, { draws: amount, random });
    return { combined, weight, kept: fastKeepTokens(combined, vocabularySize, drawn), drawn };
  }
  const ranked = selectTokens(combined, vocabularySize, weight, selections[select](amount));
  return { combined, weight, kept: fastKeepTokens(combined, vocabularySize, ranked) };
}

/** What draws is no selection by rank. */
const selections: Record<Exclude<Options['select'], 'sample'>, (amount: number) => Selection> = {
  'top-k': topK,
  'top-p': topP,
  threshold,
  all: topK,
};

function gateOf(
  row: Float32Array,
  members: Float32Array[],
  label: number | undefined,
  { gate, gateThreshold }: Settings,
): number {
  if (gate === 'none') return 1;
  const best = bestToken(row);
  if (gate === 'correct') return best === label ? 1 : 0;
  if (gate === 'blank') return opennessToWords(Math.exp(row[blank]!), gateThreshold);
  const trust =
    gate === 'confidence' ? confidence(row) : gate === 'entropy' ? certainty(row) : agreement(members, best);
  return openness(trust, gateThreshold);
}

/** CTC puts the blank first. */
const blank = 0;

/** What a tally has counted, to be kept and added up. */
interface Counts {
  sums: { frames: number; open: number; weight: number; tokens: number; kl: number; labelKept: number };
  posterior: number[];
  keptMass: KeptMassCounts;
  ofLabels: LabelCounts;
}

interface Tally {
  /** An utterance: what was selected of it, and how many tokens are stored once the tail has gone where it belongs. */
  count(utterance: {
    combined: Float32Array | undefined;
    best: BestOfFrames | undefined;
    weight: Float32Array;
    labels: Uint16Array | undefined;
    kept: Kept;
    stored: number;
  }): void;
  /** Adds what another tally has counted. */
  add(counts: Counts): void;
  counts(): Counts;
  summary(): {
    frames: number;
    gatedFrames: number;
    meanWeight: number;
    tokensPerFrame: number;
    /** Of open frames, as the next two. */
    keptMass: { mean: number; p01: number; p05: number; p50: number };
    kl: number;
    labelKept: number;
    /** Of the combination, over all frames, before any is shut or thinned. */
    ofLabels: LabelFigures;
    /** Of each token over all frames of this data. */
    meanPosterior: number[];
  };
}

function createTally(vocabularySize: number): Tally {
  const keptMass = createKeptMassTally();
  const posterior = new Float64Array(vocabularySize);
  const ofLabels = createLabelTally(vocabularySize);
  const sums = { frames: 0, open: 0, weight: 0, tokens: 0, kl: 0, labelKept: 0 };
  return {
    count({ combined, best, weight, labels, kept, stored }) {
      const lost = new Float32Array(weight.length);
      let [open, trust, nats] = [0, 0, 0];
      for (let frame = 0; frame < weight.length; frame++) {
        trust += weight[frame]!;
        nats += kept.divergence[frame]!;
        if (weight[frame]! > 0) lost[open++] = kept.lostMass[frame]!;
      }
      for (let token = 0; token < vocabularySize; token++) posterior[token]! += kept.mass[token]!;
      if (labels) {
        if (best) ofLabels.countBest(best, labels);
        else ofLabels.count(combined!, labels);
        sums.labelKept += labelsKept(kept, labels);
      }
      sums.frames += weight.length;
      sums.tokens += stored;
      sums.weight += trust;
      sums.kl += nats;
      sums.open += open;
      keptMass.count(lost.subarray(0, open));
    },
    add(other) {
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += other.sums[name];
      other.posterior.forEach((mass, token) => {
        posterior[token]! += mass;
      });
      keptMass.add(other.keptMass);
      ofLabels.add(other.ofLabels);
    },
    counts: () => ({
      sums: { ...sums },
      posterior: [...posterior],
      keptMass: keptMass.counts(),
      ofLabels: ofLabels.counts(),
    }),
    summary: () => ({
      frames: sums.frames,
      gatedFrames: sums.frames - sums.open,
      meanWeight: ratio(sums.weight, sums.frames),
      tokensPerFrame: ratio(sums.tokens, sums.frames),
      keptMass: keptMass.summary(),
      kl: ratio(sums.kl, sums.open),
      labelKept: ratio(sums.labelKept, sums.open),
      ofLabels: ofLabels.summary(),
      meanPosterior: Array.from(posterior, (sum) => ratio(sum, sums.frames)),
    }),
  };
}

/** Frames that keep their label. */
function labelsKept({ offsets, tokens }: Kept, labels: Uint16Array): number {
  let kept = 0;
  for (let frame = 0; frame < labels.length; frame++) {
    if (tokens.subarray(offsets[frame], offsets[frame + 1]).includes(labels[frame]!)) kept++;
  }
  return kept;
}

/** 0 of nothing is 0. */
const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

const meanOf = (lists: number[][]): number[] =>
  lists[0]!.map((_, i) => lists.reduce((sum, list) => sum + list[i]!, 0) / lists.length);

export const stage = {
  name: 'filter_targets',
  version: 1,
  summary: 'keep, in each frame, the tokens that carry the teachers; the mass of the others is counted, not stored',
  examples: [
    '$0 --logits exp/logits/train --alignment exp/align/train --select top-k --k 3 --tail ghost --out exp/essence/top3',
    '$0 --logits exp/logits/test --select all --out exp/essence/full',
    '$0 --logits exp/logits/dev --alignment exp/align/dev --tune --select all --out exp/essence/dev',
    '$0 --logits exp/logits/train --combination exp/essence/dev --combine weighted --out exp/essence/calibrated',
  ],
  options,
  run,
  figures,
  needsAll: ['tune'],
  skips: true,
} satisfies Stage;

await runIfMain(import.meta, stage);
