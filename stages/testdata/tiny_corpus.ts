import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, parameterCount, parameterLayout } from '../../shared/engine/architecture.ts';
import { tokensDigest } from '../../shared/io/digest.ts';
import { essenceColumns } from '../../shared/io/essence.ts';
import { createOutputFolder, type OutputFolder } from '../../shared/io/output_folder.ts';
import { main, type Stage } from '../../shared/io/stage.ts';
import { createUtteranceWriter } from '../../shared/io/utterance_writer.ts';
import { featureKeys, type Model, writeModel } from '../../shared/training/model_folder.ts';

/** Two words of two states each, three utterances of two speakers; what is said in each output frame is known. */
export const tokensText = 'sil 0\none_1 1\none_2 2\ntwo_1 3\ntwo_2 4\n';
export const tokensId = tokensDigest(tokensText);
export const vocabularySize = 5;
export const spoken: Record<string, { words: string[]; labels: number[] }> = {
  's1-a': { words: ['one', 'two'], labels: [0, 0, 1, 1, 2, 2, 2, 0, 3, 3, 4, 0, 0] },
  's1-b': { words: ['two'], labels: [0, 3, 3, 3, 4, 4, 0, 0] },
  's2-a': { words: ['one', 'one'], labels: [0, 1, 2, 2, 1, 1, 2, 0] },
};

/** A data directory; `changes` replaces files, or removes those that are undefined. */
export function writeTinyData(path: string, changes: Record<string, string | undefined> = {}): string {
  const ids = Object.keys(spoken);
  const lines = (text: (id: string) => string) => ids.map((id) => `${text(id)}\n`).join('');
  const files: Record<string, string | undefined> = {
    'wav.scp': lines((id) => `${id} ${id}.wav`),
    text: lines((id) => `${id} ${spoken[id]!.words.join(' ')}`),
    utt2spk: lines((id) => `${id} ${id.slice(0, 2)}`),
    'lexicon.txt': 'one one_1 one_2\ntwo two_1 two_2\n',
    'tokens.txt': tokensText,
    ctm: lines((id) => wordTimes(id).join('\n')),
    ...changes,
  };
  mkdirSync(path, { recursive: true });
  for (const id of ids) writeFileSync(join(path, `${id}.wav`), '');
  for (const [name, text] of Object.entries(files)) if (text !== undefined) writeFileSync(join(path, name), text);
  return path;
}

/** Lines of a ctm: true times of the words, 30 ms a frame. */
function wordTimes(id: string): string[] {
  const { words, labels } = spoken[id]!;
  const starts = labels.flatMap((label, i) => ((label === 1 || label === 3) && labels[i - 1] !== label ? [i] : []));
  return words.map((word, i) => {
    let end = starts[i]!;
    while (labels[end] !== 0 && end !== starts[i + 1] && end < labels.length) end++;
    return `${id} 1 ${(starts[i]! * 0.03).toFixed(3)} ${((end - starts[i]!) * 0.03).toFixed(3)} ${word}`;
  });
}

/** A folder as a stage would leave it. */
export function writeStageFolder(
  path: string,
  { id, stage, ...figures }: { id: string; stage: string } & Record<string, unknown>,
  fill: (out: OutputFolder) => void,
): string {
  const out = createOutputFolder(path);
  fill(out);
  const header = { schemaVersion: 1, stage, id, options: {}, inputs: {}, timing: { seconds: 0, cpuSeconds: 0 } };
  out.commit({ ...header, ...figures, files: { ...out.files } } as Parameters<OutputFolder['commit']>[0]);
  return path;
}

export const featureMetadata = {
  'kd.format': 'features',
  'kd.version': '1',
  'kd.bins': String(vocabularySize),
  'kd.sampleRateHz': '8000',
  'kd.frameShiftMs': '10',
  'kd.firstFrameCentreMs': '5',
};

/** Features of one bin a token: 10 where it is spoken, 0 elsewhere, all 0 in silence; three frames a label. */
export function writeTinyFeatures(
  path: string,
  {
    metadata = {},
    replaced = () => undefined,
  }: { metadata?: Record<string, string>; replaced?: (id: string, i: number) => number | undefined } = {},
): string {
  return writeStageFolder(path, { id: path, stage: 'extract_features' }, (out) => {
    const columns = { features: 'list<float32>' } as const;
    const all = { ...featureMetadata, ...metadata };
    const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), { columns, metadata: all });
    for (const [utterance, { labels }] of Object.entries(spoken)) {
      const frames = 3 * labels.length;
      const features = new Float32Array(frames * vocabularySize);
      for (let frame = 0; frame < frames; frame++) {
        const label = labels[Math.floor(frame / 3)]!;
        if (label > 0) features[frame * vocabularySize + label] = 10;
      }
      features.forEach((value, i) => {
        features[i] = replaced(utterance, i) ?? value;
      });
      writer.append({ utterance, frames, features });
    }
    writer.close();
  });
}

/** True labels as align_labels would have found them. */
export function writeTinyAlignment(
  path: string,
  labelsOf = (id: string) => spoken[id]!.labels,
  utterances: readonly string[] = Object.keys(spoken),
): string {
  const selfLoop = new Array(vocabularySize).fill(0.5);
  return writeStageFolder(path, { id: path, stage: 'align_labels', selfLoop }, (out) => {
    const columns = { labels: 'list<uint16>', score: 'float32' } as const;
    const metadata = { 'kd.format': 'alignment', 'kd.tokens': tokensId };
    const writer = createUtteranceWriter(out.createFile('alignment.arrow'), { columns, metadata });
    for (const utterance of utterances) {
      const labels = Uint16Array.from(labelsOf(utterance));
      writer.append({ utterance, frames: labels.length, labels, score: 0 });
    }
    writer.close();
    out.writeText('tokens.txt', tokensText);
  });
}

/** A model that hears in each frame the bin that is loud, and silence where none is. */
export function writeTinyModel(
  path: string,
  { text = tokensText, objective = 'frame' }: { text?: string; objective?: Model['objective'] } = {},
): string {
  const width = vocabularySize;
  const architecture: Architecture = {
    ...{ kind: 'tdnn', bins: vocabularySize, spliceLeft: 0, spliceRight: 0, stride: 3 },
    ...{ width, dilations: [], tokens: vocabularySize, dropout: 0 },
  };
  const weights = new Float32Array(parameterCount(architecture));
  const layout = parameterLayout(architecture);
  const matrices = layout.filter(({ shape }) => shape.length === 2);
  for (const { offset } of [matrices[0]!, matrices.at(-1)!]) {
    for (let i = 0; i < width; i++) weights[offset + i * width + i] = 5;
  }
  for (const { name, offset, size } of layout) if (name.endsWith('gain')) weights.fill(1, offset, offset + size);
  weights[layout.at(-1)!.offset] = 4; // the output's bias of silence: above nothing, below any loud bin
  const model: Model = {
    architecture,
    objective,
    features: Object.fromEntries(Object.entries(featureMetadata).filter(([key]) => featureKeys.some((k) => k === key))),
    normalisation: { mean: new Array(vocabularySize).fill(0), deviation: new Array(vocabularySize).fill(1) },
    prior: new Array(vocabularySize).fill(1 / vocabularySize),
    selfLoop: new Array(vocabularySize).fill(0.5),
    outputFrameShiftMs: 30,
    firstFrameCentreMs: 15,
    weights,
    tokensText: text,
  };
  const figures = { id: path, stage: 'train_student', parameters: weights.length, modelBytes: 4 * weights.length };
  return writeStageFolder(path, figures, (out) => writeModel(out, model));
}

/** What a call of a stage's command line comes to. */
export async function call(stage: Stage, argv: readonly string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const streams = {
    stdout: { write: () => true },
    stderr: { write: (text: string) => void (stderr += text) } as unknown as NodeJS.WritableStream,
  };
  return { code: await main(stage, [...argv, '--quiet'], streams), stderr };
}

/** The posteriors of `writeTinyModel` as filter_targets would keep them with --select all: the spoken token has 0.9. */
export function writeTinyPosteriors(
  path: string,
  {
    report = {},
    metadata = {},
    tokens: text = tokensText,
    labelsOf = (id: string) => spoken[id]!.labels,
  }: {
    report?: Record<string, unknown>;
    metadata?: Record<string, string>;
    tokens?: string;
    labelsOf?: (id: string) => number[];
  } = {},
): string {
  const size = text.trimEnd().split('\n').length;
  const figures = { prior: new Array(size).fill(1 / size), selfLoop: new Array(size).fill(0.5), ...report };
  return writeStageFolder(path, { id: path, stage: 'filter_targets', ...figures }, (out) => {
    const all = {
      ...{ 'kd.format': 'essence', 'kd.version': '1', 'kd.tokens': tokensDigest(text), 'kd.vocabularySize': String(size) },
      ...{ 'kd.frameShiftMs': '30', 'kd.firstFrameCentreMs': '15', 'kd.k': String(size), ...metadata },
    };
    const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
      columns: essenceColumns(size),
      metadata: all,
    });
    const posteriors = [0.9, ...new Array(size - 1).fill(0.1 / (size - 1))].map(Math.log);
    for (const utterance of Object.keys(spoken)) {
      const labels = labelsOf(utterance);
      const others = (label: number) => Array.from({ length: size }, (_, i) => i).filter((i) => i !== label);
      writer.append({
        utterance,
        frames: labels.length,
        tokens: Uint16Array.from(labels.flatMap((label) => [label, ...others(label)])),
        logPosteriors: Float32Array.from(labels.flatMap(() => posteriors)),
        logTail: new Float32Array(labels.length).fill(-Infinity),
        weight: new Float32Array(labels.length).fill(1),
      });
    }
    writer.close();
    out.writeText('tokens.txt', text);
  });
}
