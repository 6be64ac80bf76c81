import type { Engine } from '../engine/engine.ts';
import type { Rows } from '../engine/foreign_model.ts';
import { InputError } from '../io/errors.ts';
import type { InputFolder } from '../io/report_file.ts';
import { type Listed, sharedUtterances } from '../io/utterance_table.ts';
import { fastLogSoftmax } from '../math/kernels/fast_posteriors.ts';
import { extractionOf, type FeatureSource, findFeatures, misfitOf, prepareFeatures } from './feature_source.ts';
import type { Teacher } from './teacher.ts';
import { type DescribedTeacher, openPosteriors, readTeacher, type TeacherOutput } from './teacher_description.ts';

interface Surroundings {
  engine: Engine;
  sources: readonly FeatureSource[];
  /** To be answered. */
  listed: Listed;
  utt2spk?: string;
}

/**
 * A teacher that was made elsewhere, as its description says.
 *
 * @throws {InputError} when its features or some of its answers are missing, or a file cannot be read
 */
export async function openForeignTeacher(
  { path, id, report }: InputFolder,
  surroundings: Surroundings,
): Promise<Teacher> {
  const described = readTeacher(path);
  const { description, tokens, tokensText, file } = described;
  const { name, objective, origin, licence, output, model } = description;
  const source = model ? await openModel(described, surroundings) : openArchive(described, surroundings.listed);
  return {
    ...{ path, name, id, objective, tokens, tokensText, tokenRules: output, prior: output.prior },
    shiftMs: output.frameShiftMs,
    firstCentreMs: output.firstFrameCentreMs,
    about: { origin, licence, parameters: model?.parameters, modelBytes: report.modelBytes, features: source.features },
    async answer(utterance) {
      const answer = await source.answer(utterance);
      if (answer.columns !== tokens.symbols.length) {
        throw new InputError(
          `Cannot use ${file} on utterance "${utterance}": it answers ${answer.columns} values a frame, and ${output.tokens} has ${tokens.symbols.length} tokens; correct output in its description`,
        );
      }
      return logPosteriorsOf(
        answer,
        output,
        (why) => new InputError(`Cannot use ${file} on utterance "${utterance}": ${why}`),
      );
    },
    close: source.close,
  };
}

/** Where answers come from, as they are. */
interface Answers {
  /** The folder of features they are made from. */
  features?: string;
  answer(utterance: string): Promise<Rows>;
  close(): Promise<void>;
}

async function openModel(
  { description, file, at }: DescribedTeacher,
  { engine, sources, utt2spk }: Surroundings,
): Promise<Answers> {
  const { features: wanted, ...source } = description.model!;
  const features = findFeatures(`teacher ${file}`, sources, {
    misfit: (metadata) => misfitOf(wanted, metadata),
    remedy: `add a folder of "${extractionOf(wanted)}" to --features`,
  });
  const prepared = await prepareFeatures(wanted, features, { teacher: file, utt2spk });
  const model = await engine.openForeignModel({ ...source, path: at(source.path) });
  return {
    features: features.table.path,
    answer: async (utterance) => model.forward(prepared(await features.rowOf(utterance))),
    close: model.dispose,
  };
}

function openArchive(described: DescribedTeacher, listed: Listed): Answers {
  const table = openPosteriors(described);
  sharedUtterances(listed, table, 'posteriors');
  return {
    async answer(utterance) {
      const { values, columns } = table.read(utterance);
      return { values, columns };
    },
    close: async () => table.close(),
  };
}

/** What rounding, and the compression of archives, may do to the mass of a frame: nats, mean of an utterance. */
const massTolerance = 0.25;

/** Log-posteriors of what a teacher gives, each frame scaled to a distribution. */
function logPosteriorsOf(
  { values, columns }: Rows,
  { values: kind }: TeacherOutput,
  refuse: (why: string) => InputError,
): Float32Array {
  if (kind === 'logits') return fastLogSoftmax(values, columns);
  const negative = kind === 'posteriors' ? values.findIndex((value) => value < 0) : -1;
  if (negative >= 0)
    throw refuse(
      `frame ${Math.floor(negative / columns)} has a posterior of ${values[negative]}; say log-posteriors or logits as output.values`,
    );
  const logs = kind === 'posteriors' ? values.map(Math.log) : values;
  const off = meanLogMass(logs, columns);
  if (Math.abs(off) > massTolerance)
    throw refuse(
      `its ${kind} sum to ${Math.exp(off).toPrecision(3)} a frame, not to 1; correct output.values, natural logarithms are meant`,
    );
  return fastLogSoftmax(logs, columns);
}

function meanLogMass(logs: Float32Array, columns: number): number {
  let sum = 0;
  for (let start = 0; start < logs.length; start += columns) {
    let mass = 0;
    for (let i = start; i < start + columns; i++) mass += Math.exp(logs[i]!);
    sum += Math.log(mass);
  }
  return (sum * columns) / logs.length;
}
