import type { Engine } from '../shared/engine/engine.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { tokensDigest } from '../shared/io/digest.ts';
import { InputError } from '../shared/io/errors.ts';
import {
  type Context,
  type OptionsOf,
  type OptionTable,
  runIfMain,
  type Stage,
  toolkitVersion,
} from '../shared/io/stage.ts';
import { openUtterances, type Row } from '../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../shared/io/utterance_writer.ts';
import { checkFeatures, type Model, readModel } from '../shared/training/model_folder.ts';
import { openAcousticModel } from '../shared/training/network_input.ts';

export const options = {
  features: { type: 'string', role: 'input', demandOption: true, describe: 'folder of extract_features' },
  teacher: {
    type: 'string',
    array: true,
    role: 'input',
    demandOption: true,
    describe: 'folders of train_student, one a teacher',
  },
} as const satisfies OptionTable;

export async function run(
  { features: path, teacher }: OptionsOf<typeof options>,
  { id, inputs, out, engine, progress, breathe }: Context<Engine>,
) {
  const models = teacher.map(readModel);
  const features = await openUtterances(path, { format: 'features' });
  models.forEach((model, i) => {
    checkFeatures(model, teacher[i]!, features);
    checkSameOutput(models[0]!, teacher[0]!, model, teacher[i]!);
  });
  const [{ tokensText, outputFrameShiftMs, firstFrameCentreMs, architecture }] = models as [Model];
  const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
    columns: Object.fromEntries(models.map((_, i) => [`logPosteriors_${i}`, 'list<float16>' as const])),
    metadata: {
      'kd.format': 'logits',
      'kd.version': '1',
      'kd.id': id,
      'kd.tokens': tokensDigest(tokensText),
      'kd.vocabularySize': String(architecture.tokens),
      'kd.frameShiftMs': String(outputFrameShiftMs),
      'kd.firstFrameCentreMs': String(firstFrameCentreMs),
      'kd.sampleRateHz': features.metadata['kd.sampleRateHz'] ?? '',
      'kd.teachers': JSON.stringify(inputs.teacher!.map(({ id }) => id)),
      'kd.toolkit': toolkitVersion(),
    },
  });
  const acoustic = models.map((model) => openAcousticModel(engine, model));
  let frames = 0;
  progress.start('caching', features.utterances.length);
  for await (const { utterance, features: input } of features.rows()) {
    const posteriors = acoustic.map((model) => model.logPosteriors(input as Float32Array));
    posteriors.forEach((values, i) => {
      const wrong = values.findIndex(Number.isNaN);
      if (wrong < 0) return;
      throw new InputError(
        `Cannot cache utterance "${utterance}": teacher ${teacher[i]} answers NaN in frame ${Math.floor(wrong / architecture.tokens)}; check ${path}, or train the teacher again`,
      );
    });
    const row: Row = { utterance, frames: posteriors[0]!.length / architecture.tokens };
    writer.append({
      ...row,
      ...Object.fromEntries(posteriors.map((values, i) => [`logPosteriors_${i}`, values])),
    } as Row);
    frames += row.frames;
    progress.advance();
    await breathe();
  }
  writer.close();
  out.writeText('tokens.txt', tokensText);
  for (const model of acoustic) model.dispose();
  await features.close();
  return {
    utterances: features.utterances.length,
    frames,
    vocabularySize: architecture.tokens,
    outputFrameShiftMs,
    firstFrameCentreMs,
    tokensDigest: tokensDigest(tokensText),
    teachers: models.map(({ prior, selfLoop }, i) => {
      const { id, path, report } = inputs.teacher![i]!;
      return { name: path, id, parameters: report.parameters, modelBytes: report.modelBytes, prior, selfLoop };
    }),
  };
}

function checkSameOutput(a: Model, aPath: string, b: Model, bPath: string): void {
  const differing = [
    a.tokensText !== b.tokensText && 'tokens.txt',
    a.outputFrameShiftMs !== b.outputFrameShiftMs &&
      `frame shift (${a.outputFrameShiftMs} and ${b.outputFrameShiftMs} ms)`,
    a.firstFrameCentreMs !== b.firstFrameCentreMs &&
      `first frame (${a.firstFrameCentreMs} and ${b.firstFrameCentreMs} ms)`,
  ].filter(Boolean);
  if (differing.length > 0) {
    throw new InputError(
      `Cannot put ${aPath} and ${bPath} into one ensemble: they differ in ${differing.join(', ')}; take teachers of one kind`,
    );
  }
}

export const stage = {
  name: 'cache_logits',
  version: 1,
  summary: 'what each teacher says of each frame: log-posteriors at temperature 1, one column a teacher',
  examples: ['$0 --features exp/features/train --teacher exp/model/t1 exp/model/t2 --out exp/logits/train'],
  options,
  run,
  engine: openEngine,
} satisfies Stage;

await runIfMain(import.meta, stage);
