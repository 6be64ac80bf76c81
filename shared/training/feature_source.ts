import { readFileSync } from 'node:fs';
import { InputError, UsageError } from '../io/errors.ts';
import type { Row, UtteranceTable } from '../io/utterance_table.ts';
import { createMoments, type Moments } from '../math/moments.ts';
import { spliceInto } from '../math/splice.ts';
import type { TeacherFeatures } from './teacher_description.ts';

/** A folder of features that several teachers read, each utterance once after another. */
export interface FeatureSource {
  table: UtteranceTable;
  /** The row of an utterance; quick where they are asked for in the order of the file. */
  rowOf(utterance: string): Promise<Row>;
}

export function createFeatureSource(table: UtteranceTable): FeatureSource {
  let rows: AsyncGenerator<Row> | undefined = table.rows();
  let latest: Row | undefined;
  return {
    table,
    async rowOf(utterance) {
      if (latest?.utterance === utterance) return latest;
      const next = (await rows?.next())?.value as Row | undefined;
      if (next?.utterance !== utterance) rows = undefined; // out of order from here on
      latest = next?.utterance === utterance ? next : await table.read(utterance);
      return latest;
    },
  };
}

/**
 * The first of several folders of features that fits.
 *
 * @param misfit what of a folder does not fit, if anything
 * @throws {InputError} naming what each folder has in its place
 */
export function findFeatures(
  path: string,
  sources: readonly FeatureSource[],
  { misfit, remedy }: { misfit: (metadata: Record<string, string>) => string | undefined; remedy: string },
): FeatureSource {
  const why = sources.map(({ table }) => misfit(table.metadata));
  const place = why.indexOf(undefined);
  if (place >= 0) return sources[place]!;
  const each = sources.map(({ table }, i) => `${sources.length > 1 ? `${table.path}: ` : ''}${why[i]}`);
  throw new InputError(
    `Cannot use ${path} on ${sources.map(({ table }) => table.path).join(', ')}: ${each.join('; ')}; ${remedy}`,
  );
}

/** What of features is not as a description wants it. */
export function misfitOf(wanted: TeacherFeatures, metadata: Record<string, string>): string | undefined {
  const how: Record<string, unknown> = JSON.parse(metadata['kd.features'] ?? '{}');
  const found: Record<string, unknown> = {
    ...how,
    bins: Number(metadata['kd.bins']),
    sampleRateHz: Number(metadata['kd.sampleRateHz']),
    frameShiftMs: Number(metadata['kd.frameShiftMs']),
  };
  const { normalisation, context: _, ...plain } = wanted;
  const differing = Object.entries(plain)
    .filter(
      ([name, value]) => found[name] !== value && !(name === 'highFrequencyHz' && isTop(value) && isTop(found[name])),
    )
    .map(([name, value]) => `${name} is ${value} there and ${found[name] ?? 'absent'} here`);
  if (how.cmvn !== undefined && !isNormalisedAs(wanted, how))
    differing.push(
      `normalisation is ${normalisation ? `over ${normalisation.over}` : 'none'} there and ${how.cmvn}, ${how.normVars ? 'with' : 'without'} deviation, here`,
    );
  return differing.length > 0 ? differing.join(', ') : undefined;
}

/** The mel bank ends at the Nyquist frequency. */
const isTop = (value: unknown): boolean => typeof value === 'number' && value <= 0;

/** Whether extract_features has already done what the teacher wants. */
const isNormalisedAs = ({ normalisation }: TeacherFeatures, { cmvn, normVars }: Record<string, unknown>): boolean =>
  normalisation?.over === cmvn && normalisation?.deviation === normVars && !normalisation?.deviationOffset;

/** The command that would make fitting features. */
export const extractionOf = ({ kind, bins, sampleRateHz, snipEdges, melBins }: TeacherFeatures): string =>
  `extract_features --kind ${kind} ${kind === 'mfcc' ? `--bins ${melBins ?? 23} --coefficients` : '--bins'} ${bins} --sample-rate ${sampleRateHz}${snipEdges ? ' --snip-edges' : ''}`;

/** From features as they are in a folder to those a foreign model is given, [rows × columns]. */
export type Preparation = (row: Row) => { values: Float32Array; columns: number };

/**
 * What a description wants done to features: normalisation, and context.
 *
 * @param utt2spk Kaldi's file of speakers, for normalisation over a speaker: over all utterances of the folder that are its
 * @throws {InputError} when an utterance has no speaker; {UsageError} when that file is not given
 */
export async function prepareFeatures(
  wanted: TeacherFeatures,
  { table }: FeatureSource,
  { teacher, utt2spk }: { teacher: string; utt2spk?: string },
): Promise<Preparation> {
  const { bins, normalisation, context } = wanted;
  const isDone = JSON.parse(table.metadata['kd.features'] ?? '{}').cmvn !== undefined;
  const momentsOf =
    !normalisation || isDone ? undefined : await momentsOver(normalisation.over, table, { bins, teacher, utt2spk });
  return (row) => {
    let values = row.features as Float32Array;
    if (momentsOf) values = normalised(values, momentsOf(row), normalisation!);
    if (!context) return { values, columns: bins };
    const { left, right, as } = context;
    if (as === 'padded') return { values: padded(values, bins, left, right), columns: bins };
    const window = left + 1 + right;
    const stacked = new Float32Array(values.length * window);
    spliceInto(stacked, 0, values, { bins, spliceLeft: left, spliceRight: right, stride: 1 });
    return { values: stacked, columns: bins * window };
  };
}

async function momentsOver(
  over: 'utterance' | 'speaker',
  table: UtteranceTable,
  { bins, teacher, utt2spk }: { bins: number; teacher: string; utt2spk?: string },
): Promise<(row: Row) => Moments> {
  if (over === 'utterance') {
    return ({ features }) => {
      const moments = createMoments(bins);
      moments.add(features as Float32Array);
      return moments;
    };
  }
  if (!utt2spk)
    throw new UsageError(`${teacher} wants features normalised over speakers: say who speaks with --utt2spk`);
  const speakerOf = readSpeakers(utt2spk);
  const speakers = new Map<string, Moments>();
  const momentsOf = ({ utterance }: Row): Moments => {
    const speaker = speakerOf.get(utterance);
    if (speaker === undefined)
      throw new InputError(
        `Cannot normalise utterance "${utterance}" of ${table.path}: ${utt2spk} has no speaker of it; give the one of the same data`,
      );
    if (!speakers.has(speaker)) speakers.set(speaker, createMoments(bins));
    return speakers.get(speaker)!;
  };
  for await (const row of table.rows()) momentsOf(row).add(row.features as Float32Array);
  return momentsOf;
}

function readSpeakers(file: string): Map<string, string> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return new Map(
    lines.map((line, i) => {
      const [utterance, speaker, ...rest] = line.trim().split(/\s+/);
      if (utterance && speaker && rest.length === 0) return [utterance, speaker];
      throw new InputError(
        `Cannot read ${file}, line ${i + 1}: "${line}" is not "utterance speaker"; correct the line`,
      );
    }),
  );
}

function normalised(
  features: Float32Array,
  moments: Moments,
  { deviation: divides, deviationOffset = 0 }: NonNullable<TeacherFeatures['normalisation']>,
): Float32Array {
  const { mean, deviation } = moments.summary();
  const scale = deviation.map((value) => (divides && value + deviationOffset > 0 ? 1 / (value + deviationOffset) : 1));
  return features.map((value, i) => (value - mean[i % mean.length]!) * scale[i % mean.length]!);
}

/** The first and the last frame repeated before and after. */
function padded(features: Float32Array, bins: number, left: number, right: number): Float32Array {
  const result = new Float32Array(features.length + (left + right) * bins);
  result.set(features, left * bins);
  for (let i = 0; i < left; i++) result.set(features.subarray(0, bins), i * bins);
  const last = features.subarray(features.length - bins);
  for (let i = 0; i < right; i++) result.set(last, (left + i) * bins + features.length);
  return result;
}
