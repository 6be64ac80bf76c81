import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { ForeignModelSource } from '../engine/foreign_model.ts';
import { onnxRuntimeVersion } from '../engine/onnx_model.ts';
import { fileSha256, keyOf } from '../io/digest.ts';
import { InputError } from '../io/errors.ts';
import { type JsonSchema, schemaProblems } from '../io/json_schema.ts';
import { openKaldiArchive } from '../io/kaldi_archive.ts';
import type { MatrixTable } from '../io/matrix_table.ts';
import { openNumpyFolder } from '../io/numpy_arrays.ts';
import { type FileEntry, type InputFolder, openInputFolder, readReport } from '../io/report_file.ts';
import { parseTokens, type Tokens } from '../text/tokens.ts';
import type { ObjectiveName } from './objective.ts';
import schema from './teacher.schema.json' with { type: 'json' };

/** Features that a foreign model eats; see teacher.schema.json, as for all of these. */
export interface TeacherFeatures {
  kind: 'fbank' | 'mfcc';
  bins: number;
  sampleRateHz: number;
  frameShiftMs: number;
  frameLengthMs?: number;
  lowFrequencyHz?: number;
  highFrequencyHz?: number;
  snipEdges?: boolean;
  melBins?: number;
  cepstralLifter?: number;
  useEnergy?: boolean;
  normalisation?: { over: 'utterance' | 'speaker'; deviation: boolean; deviationOffset?: number };
  context?: { left: number; right: number; as: 'stacked' | 'padded' };
}

export interface TeacherModel extends ForeignModelSource {
  features: TeacherFeatures;
  parameters?: number;
}

export interface TeacherOutput {
  values: 'logits' | 'log-posteriors' | 'posteriors';
  frameShiftMs: number;
  firstFrameCentreMs: number;
  tokens: string;
  ignoreCase?: boolean;
  map?: Record<string, string[]>;
  blank?: string;
  missing?: 'refuse' | 'zero';
  extra?: 'refuse' | 'drop';
  prior?: number[];
}

/** What `teacher.json` says of a teacher that was made elsewhere. */
export interface TeacherDescription {
  name: string;
  origin: string;
  licence: string;
  objective: ObjectiveName;
  model?: TeacherModel;
  posteriors?: { format: 'kaldi' | 'numpy'; path: string };
  output: TeacherOutput;
  files?: Record<string, FileEntry>;
}

/** A description with what it names. */
export interface DescribedTeacher {
  description: TeacherDescription;
  /** The description's file. */
  file: string;
  /** A path of the description, from here. */
  at(path: string): string;
  tokens: Tokens;
  /** The file of tokens, as it is. */
  tokensText: string;
}

/** The description that a path stands for: itself, or `teacher.json` in it. */
function descriptionFile(path: string): string | undefined {
  if (path.endsWith('.json')) return path;
  const inside = join(path, 'teacher.json');
  return existsSync(inside) ? inside : undefined;
}

export const isDescribed = (path: string): boolean => descriptionFile(path) !== undefined;

/**
 * Reads and checks the description of a teacher.
 *
 * @param path of the description, or of a folder with `teacher.json`
 * @throws {InputError} naming everything that is not as the schema says, or what does not fit its tokens
 */
export function readTeacher(path: string): DescribedTeacher {
  const file = descriptionFile(path)!;
  const refuse = (why: string): InputError =>
    new InputError(`Cannot use teacher ${file}: ${why}; correct it as shared/training/teacher.schema.json says`);
  let description: TeacherDescription;
  try {
    description = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse(`it is no JSON (${error.message})`);
    throw error;
  }
  const problems = schemaProblems(schema as JsonSchema, description);
  if (problems.length > 0) throw refuse(problems.join('; '));
  const at = (name: string): string => resolve(dirname(file), name);
  const { output, objective } = description;
  const { tokens, tokensText } = tokensOf(readFileSync(at(output.tokens), 'utf8'), at(output.tokens));
  const strangers = [...Object.keys(output.map ?? {}), ...(output.blank === undefined ? [] : [output.blank])].filter(
    (symbol) => !tokens.idOf.has(symbol),
  );
  if (strangers.length > 0) throw refuse(`${output.tokens} has no ${strangers.join(', ')}, which it maps`);
  if ((objective === 'ctc') !== (output.blank !== undefined))
    throw refuse('output.blank names the blank of a teacher of objective ctc, and no other has one');
  if (output.prior && output.prior.length !== tokens.symbols.length)
    throw refuse(`output.prior has ${output.prior.length} numbers, ${output.tokens} ${tokens.symbols.length} tokens`);
  return { description, file, at, tokens, tokensText };
}

/**
 * Tokens of a text, and the text.
 *
 * @param source for messages
 * @throws {InputError} naming source and line
 */
export function tokensOf(tokensText: string, source: string): { tokens: Tokens; tokensText: string } {
  try {
    return { tokens: parseTokens(tokensText, source), tokensText };
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(`Cannot read ${error.message}; write one "symbol id" a line, in the order of the ids`);
    throw error;
  }
}

/** @throws {InputError} as the readers of each format */
export const openPosteriors = ({ description, at }: DescribedTeacher): MatrixTable => {
  const { format, path } = description.posteriors!;
  return format === 'kaldi' ? openKaldiArchive(at(path)) : openNumpyFolder(at(path));
};

/** Stages whose folders are teachers as they are. */
const ours: readonly (string | undefined)[] = ['train_student', 'cache_logits'];

/**
 * A teacher as an input of a stage: a folder of ours, or one that is described. The key of the latter is what the
 * description says of its use, and the digests of all files it needs; of ONNX, the runtime's version as well.
 *
 * @throws {InputError} when it is neither, or a file is not what the description says
 */
export function openTeacherFolder(path: string): InputFolder {
  if (!isDescribed(path)) {
    if (ours.includes(readReport(path)?.stage)) return openInputFolder(path);
    throw new InputError(
      `Cannot use ${path} as a teacher: it has neither the report.json of ${ours.join(' or ')} nor a teacher.json; check the path, or describe the teacher as shared/training/FORMATS.md says`,
    );
  }
  const teacher = readTeacher(path);
  const { objective, model, posteriors, output, files: stated } = teacher.description;
  const folder = dirname(teacher.file);
  const digests: string[] = [];
  let bytes = 0;
  for (const file of filesOf(teacher)) {
    const name = relative(folder, file);
    const { size } = statSync(file);
    const entry = stated?.[name];
    if (stated && entry?.bytes !== size) {
      const says = entry ? `${entry.bytes} bytes` : 'nothing';
      throw new InputError(
        `Cannot use teacher ${teacher.file}: its files say ${says} of ${name}, which has ${size} bytes; write its size and digest there, or leave out files`,
      );
    }
    digests.push(entry?.sha256 ?? fileSha256(file));
    bytes += size;
  }
  const runtime = model?.format === 'onnx' ? onnxRuntimeVersion() : undefined;
  const withoutPath = <T extends { path: string }>(part: T | undefined) => part && { ...part, path: undefined };
  const use = {
    objective,
    model: withoutPath(model),
    posteriors: withoutPath(posteriors),
    output: { ...output, tokens: undefined },
  };
  const id = keyOf({ ...use, digests, runtime });
  return { path, id, report: { stage: 'teacher', id, modelBytes: model && bytes } as unknown as InputFolder['report'] };
}

/** Every file that the answers depend on. */
function filesOf(teacher: DescribedTeacher): string[] {
  const { description, at } = teacher;
  const { model, output } = description;
  const tokens = at(output.tokens);
  if (!model) {
    const table = openPosteriors(teacher);
    table.close();
    return [tokens, ...table.files];
  }
  const path = at(model.path);
  if (!existsSync(path))
    throw new InputError(`Cannot use teacher ${teacher.file}: there is no ${path}; check model.path`);
  if (model.format === 'saved-model') return [tokens, ...filesBelow(path)];
  if (model.format === 'onnx') {
    const name = basename(path); // weights beyond 2 GB lie beside it, as model.onnx.data
    const beside = readdirSync(dirname(path)).filter((other) => other.startsWith(name));
    return [tokens, ...beside.sort().map((other) => join(dirname(path), other))];
  }
  const manifest = weightsManifestOf(path);
  return [tokens, path, ...manifest.flatMap(({ paths }) => paths.map((name) => join(dirname(path), name)))];
}

function weightsManifestOf(path: string): { paths: string[] }[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).weightsManifest ?? [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read ${path}: it is no model.json of TF.js (${error.message}); check its path`);
  }
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
