import { type Architecture, futureFrames, parameterCount } from '../shared/engine/architecture.ts';
import type { Engine } from '../shared/engine/engine.ts';
import { multiplyAdds } from '../shared/engine/multiply_adds.ts';
import { openEngine } from '../shared/engine/open_engine.ts';
import { type Context, type OptionsOf, type OptionTable, runIfMain, type Stage } from '../shared/io/stage.ts';
import { openUtterances } from '../shared/io/utterance_table.ts';
import { type AcousticModel, openAcousticModel } from '../shared/training/acoustic_model.ts';
import { checkFeatures, readModel } from '../shared/training/model_folder.ts';

/** Say what a model costs, from features to log-posteriors; of several models, what their ensemble costs. */
export const options = {
  model: {
    type: 'string',
    array: true,
    role: 'input',
    demandOption: true,
    describe: 'folders of train_student; several are an ensemble, whose members all run',
  },
  features: { type: 'string', role: 'input', demandOption: true, describe: 'folder of extract_features to run it on' },
  seconds: { type: 'number', default: 60, above: 0, describe: 'audio it runs on, at most, but for one utterance' },
  rounds: {
    type: 'number',
    default: 3,
    integer: true,
    min: 1,
    describe: 'times it runs over that audio, after one that is not timed; the fastest counts',
  },
} as const satisfies OptionTable;

export async function run(
  { model: paths, features, seconds, rounds }: OptionsOf<typeof options>,
  context: Context<Engine>,
) {
  const models = paths.map(readModel);
  const table = await openUtterances(features, { format: 'features' });
  const audio: Float32Array[] = [];
  const { bins } = models[0]!.architecture;
  const frameShiftMs = Number(models[0]!.features['kd.frameShiftMs']);
  let frames = 0;
  try {
    for (const [i, model] of models.entries()) checkFeatures(model, paths[i]!, table);
    for await (const row of table.rows()) {
      if (audio.length > 0 && (frames + row.frames) * frameShiftMs > 1000 * seconds) break;
      audio.push(row.features as Float32Array);
      frames += row.frames;
    }
  } finally {
    await table.close();
  }
  const audioSeconds = (frames * frameShiftMs) / 1000;
  const architectures = models.map(({ architecture }) => architecture);
  const parameters = sum(architectures, parameterCount);
  const operations = sum(architectures, (architecture) =>
    sum(audio, (features) => multiplyAdds(architecture, features.length / bins)),
  );
  const future = Math.max(...architectures.map(futureFrames));
  context.progress.start('running', (rounds + 1) * audio.length);
  const opened = models.map((model) => openAcousticModel(context.engine, model));
  const passes: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) passes.push(await secondsOf(opened, audio, context));
  } finally {
    for (const model of opened) model.dispose();
  }
  return {
    models: models.length,
    kinds: [...new Set(architectures.map(({ kind }: Architecture) => kind))],
    parameters,
    modelBytes: 4 * parameters,
    audioSeconds,
    multiplyAddsPerSecond: operations / audioSeconds,
    /** How much later than its centre an output frame can be computed; null where that takes the whole utterance. */
    lookAheadMs: Number.isFinite(future) ? future * frameShiftMs : null,
    timing: {
      /** Seconds of work for a second of audio. */
      realTimeFactor: Math.min(...passes.slice(1)) / audioSeconds,
      /** Of the whole process, Node and engine included. */
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    },
  };
}

const sum = <Item>(items: readonly Item[], amountOf: (item: Item) => number): number =>
  items.reduce((total, item) => total + amountOf(item), 0);

/** How long all models take over all utterances, one after another. */
async function secondsOf(
  models: readonly AcousticModel[],
  audio: readonly Float32Array[],
  { progress, breathe }: Context<Engine>,
): Promise<number> {
  let milliseconds = 0;
  for (const features of audio) {
    const started = performance.now();
    for (const model of models) model.logPosteriors(features);
    milliseconds += performance.now() - started;
    progress.advance();
    await breathe();
  }
  return milliseconds / 1000;
}

export const stage = {
  name: 'measure_model',
  version: 1,
  summary: 'what a model costs: parameters, arithmetic, delay, time, memory',
  examples: [
    '$0 --model exp/digits/model/essence --features exp/digits/features/dev --out exp/digits/measure/essence',
    '$0 --model exp/digits/model/t1 exp/digits/model/t2 --features exp/digits/features/dev --out exp/digits/measure/ensemble',
  ],
  options,
  run,
  engine: openEngine,
} satisfies Stage;

await runIfMain(import.meta, stage);
