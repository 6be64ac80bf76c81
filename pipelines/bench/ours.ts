// One side of each comparison: `node ours.js CASE [ARGUMENT…]` prints how much work it does in a second.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Architecture, inputWidth, parameterCount } from '../../shared/engine/architecture.ts';
import { openEngine } from '../../shared/engine/open_engine.ts';
import { tokensDigest } from '../../shared/io/digest.ts';
import { essenceColumns } from '../../shared/io/essence.ts';
import { openFlac } from '../../shared/io/flac.ts';
import { createOutputFolder } from '../../shared/io/output_folder.ts';
import { openUtterances } from '../../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../../shared/io/utterance_writer.ts';
import { createAdamState } from '../../shared/math/adamw.ts';
import { openCtcLoss } from '../../shared/math/kernels/fast_ctc_loss.ts';
import { openDistillationLoss } from '../../shared/math/kernels/fast_distillation_loss.ts';
import { createFastFbank } from '../../shared/math/kernels/fast_fbank.ts';
import { fastTopTokensOfFrames } from '../../shared/math/kernels/fast_posteriors.ts';
import { openKernels } from '../../shared/math/kernels/open_kernels.ts';
import { logSoftmax } from '../../shared/math/log_softmax.ts';
import { createRandom } from '../../shared/math/random.ts';
import { decayMask, initialWeights } from '../../shared/training/initial_weights.ts';

const random = createRandom('bench');
const normals = (length: number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => scale * random.normal());

/** Runs the work until two seconds have passed, after one round to warm up; units a second. */
async function rateOf(units: number, work: () => unknown): Promise<number> {
  await work();
  const started = performance.now();
  let rounds = 0;
  while (performance.now() - started < 2000) {
    await work();
    rounds++;
  }
  return (1000 * units * rounds) / (performance.now() - started);
}

/** A folder for the time of the work. */
async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Seconds of speech-like sound in a second, 80 bins, 21 minutes at once. */
async function fbank(): Promise<number> {
  const seconds = 21 * 60;
  const options = { sampleRateHz: 16000, bins: 80, frameLengthMs: 25, frameShiftMs: 10, snipEdges: true };
  const extractor = createFastFbank({ ...options, lowFrequencyHz: 20, highFrequencyHz: 0 });
  const samples = normals(16000 * seconds, 1000);
  return rateOf(seconds, () => extractor.compute(samples));
}

/** Frames a second: best tokens and log-sum-exp. */
async function top(k: number): Promise<number> {
  const [frames, vocabularySize] = [4000, 500];
  const scores = slowScores(frames, vocabularySize);
  return rateOf(frames, () => fastTopTokensOfFrames(scores, vocabularySize, k));
}

/** Scores that move from frame to frame as those of speech do. */
function slowScores(frames: number, vocabularySize: number): Float32Array {
  const scores = normals(frames * vocabularySize);
  for (let i = vocabularySize; i < scores.length; i++) scores[i] = 0.9 * scores[i - vocabularySize]! + scores[i]!;
  return scores;
}

/** Frames a second: essence of 16 tokens with a ghost tail, and hard labels. */
async function loss(): Promise<number> {
  const [frames, vocabularySize, k] = [600, 5000, 16];
  const lossOf = openDistillationLoss();
  const soft = {
    offsets: Int32Array.from({ length: frames + 1 }, (_, i) => i * k),
    tokens: Uint16Array.from({ length: frames * k }, (_, i) => (i % k) * 13 + Math.floor(i / k)),
    logPosteriors: new Float32Array(frames * k).fill(Math.log(0.9 / k)),
    logTail: new Float32Array(frames).fill(Math.log(0.1)),
    weight: new Float32Array(frames).fill(1),
  };
  const logits = normals(frames * vocabularySize, 3);
  const hardLabels = new Int32Array(frames).fill(7);
  return rateOf(frames, () =>
    lossOf({
      ...{ logits, vocabularySize, hardLabels, soft, tail: 'ghost', temperature: 1, softWeight: 0.9 },
      ...{ labelSmoothing: 0, gated: 'to-hard' },
    }),
  );
}

/** Frames a second: CTC of one utterance of 600 frames, 500 tokens and 60 labels, and its gradient. */
async function ctc(): Promise<number> {
  const [frames, vocabularySize, count] = [600, 500, 60];
  const lossOf = openCtcLoss();
  const logits = normals(frames * vocabularySize, 3);
  const labels = Int32Array.from({ length: count }, (_, i) => 1 + ((i * 7) % (vocabularySize - 1)));
  const [utteranceOffsets, labelOffsets] = [Int32Array.of(0, frames), Int32Array.of(0, count)];
  return rateOf(frames, () => lossOf({ logits, vocabularySize, utteranceOffsets, labels, labelOffsets }));
}

const common = { tokens: 120, dropout: 0 };
const networks: Record<string, Architecture> = {
  tdnn: {
    ...common,
    kind: 'tdnn',
    bins: 40,
    spliceLeft: 4,
    spliceRight: 4,
    stride: 3,
    width: 256,
    dilations: [1, 1, 2, 3],
  },
  dense: {
    ...common,
    kind: 'tdnn',
    bins: 40,
    spliceLeft: 5,
    spliceRight: 5,
    stride: 1,
    width: 512,
    dilations: [0, 0, 0],
  },
  lstm: {
    ...common,
    kind: 'lstm',
    bins: 80,
    spliceLeft: 0,
    spliceRight: 0,
    stride: 1,
    width: 256,
    layers: 1,
    bidirectional: false,
  },
};
/** Utterances of a batch, and their output frames. */
const batches: Record<string, [number, number]> = { tdnn: [16, 100], dense: [1, 1024], lstm: [16, 100] };

/** Input frames a second: forward, cross-entropy, backward, clipping, AdamW. */
async function train(name: string, engineName: string): Promise<number> {
  const architecture = networks[name]!;
  const engine = await openEngine({ engine: engineName, threads: 1 });
  const count = parameterCount(architecture);
  const kernels = openKernels();
  kernels.clear(5 * count);
  const [weights, gradients, mean, square] = [0, 1, 2, 3].map(() => kernels.floats(count)) as [
    ...[Float32Array, Float32Array, Float32Array, Float32Array],
  ];
  weights.set(initialWeights(architecture, 1));
  const decay = kernels.bytes(count);
  decay.set(decayMask(architecture));
  const adam = createAdamState(mean, square);
  const network = engine.createNetwork(architecture, weights);
  const lossOf = openDistillationLoss();
  const [utterances, length] = batches[name]!;
  const frames = utterances * length;
  const features = normals(frames * inputWidth(architecture));
  const utteranceOffsets = Int32Array.from({ length: utterances + 1 }, (_, i) => i * length);
  const hardLabels = Int32Array.from({ length: frames }, (_, i) => i % 120);
  const given = { tail: 'renormalise', temperature: 1, softWeight: 0, labelSmoothing: 0, gated: 'to-hard' } as const;
  let update = 0;
  return rateOf(frames * architecture.stride, () => {
    const logits = network.forward({ features, frames, utteranceOffsets }, { dropoutSeed: [update++] });
    const { gradient } = lossOf({ ...given, logits, vocabularySize: 120, hardLabels });
    gradients.set(network.backward(gradient));
    kernels.clipByGlobalNormInto(gradients, 5);
    kernels.adamWInto(weights, gradients, adam, { learningRate: 1e-3, weightDecay: 0.01, decay });
    network.setWeights(weights);
  });
}

/** An essence of 16 tokens, a million frames: frames a second written to a file, or GB a second read from it. */
async function cache(what: string): Promise<number> {
  const [utterances, frames, k] = [2000, 500, 16];
  const row = {
    frames,
    tokens: Uint16Array.from({ length: frames * k }, (_, i) => (i * 7) % 5000),
    logPosteriors: normals(frames * k),
    logTail: normals(frames),
    weight: new Float32Array(frames).fill(1),
  };
  return inFolder(async (folder) => {
    const write = (): void => {
      const out = createOutputFolder(folder);
      const settings = { columns: essenceColumns(k), metadata: { 'kd.format': 'essence' } };
      const writer = createUtteranceWriter(out.createFile('part.arrow'), settings);
      for (let i = 0; i < utterances; i++) writer.append({ utterance: `utterance-${i}`, ...row });
      writer.close();
      out.commit({ id: `${Math.random()}`, files: { ...out.files } });
    };
    if (what === 'write') return rateOf(utterances * frames, write);
    write();
    return rateOf(statSync(join(folder, 'part.arrow')).size / 1e9, async () => {
      const table = await openUtterances(folder, { format: 'essence' });
      let sum = 0;
      for await (const found of table.rows()) sum += (found.logTail as Float32Array)[0]!;
      await table.close();
      return sum;
    });
  });
}

/** A folder as cache_logits leaves it: so many frames of one teacher, 41 tokens. */
async function logits(folder: string, frames: number): Promise<number> {
  const [vocabularySize, perUtterance] = [41, 500];
  const tokens = Array.from({ length: vocabularySize }, (_, i) => `token-${i} ${i}\n`).join('');
  const logPosteriors_0 = logSoftmax(slowScores(perUtterance, vocabularySize), vocabularySize);
  const out = createOutputFolder(folder);
  const writer = createUtteranceWriter(out.createFile('part-00000-of-00001.arrow'), {
    columns: { logPosteriors_0: 'list<float16>' },
    metadata: {
      'kd.format': 'logits',
      'kd.tokens': tokensDigest(tokens),
      'kd.vocabularySize': String(vocabularySize),
      'kd.frameShiftMs': '30',
      'kd.firstFrameCentreMs': '15',
    },
  });
  for (let i = 0; i < frames / perUtterance; i++) {
    writer.append({ utterance: `utterance-${i}`, frames: perUtterance, logPosteriors_0 });
  }
  writer.close();
  out.writeText('tokens.txt', tokens);
  const even = new Array(vocabularySize).fill(1 / vocabularySize);
  const teachers = [{ name: 'bench', id: 'bench', prior: even, selfLoop: even }];
  out.commit({ ...{ id: 'bench', files: out.files }, ...{ stage: 'cache_logits', teachers } });
  return frames;
}

/** Seconds of audio in a second, of a FLAC file. */
async function flac(file: string, seconds: string): Promise<number> {
  return rateOf(Number(seconds), () => openFlac(file));
}

/** Writes the files of the others: transcripts with errors in them. */
async function transcripts(folder: string, utterances: string): Promise<number> {
  const words = Array.from({ length: 5000 }, (_, i) => `word${i}`);
  const reference: string[] = [];
  const hypothesis: string[] = [];
  for (let i = 0; i < Number(utterances); i++) {
    const said = Array.from({ length: 20 }, () => words[random.integer(5000)]!);
    const heard = said.flatMap((word) => {
      const draw = random.uniform();
      if (draw < 0.03) return [];
      return draw < 0.06 ? [word, words[random.integer(5000)]!] : [draw < 0.13 ? words[random.integer(5000)]! : word];
    });
    const id = `s${String(i % 50).padStart(2, '0')}-${String(i).padStart(7, '0')}`;
    reference.push(`${id} ${said.join(' ')}`);
    hypothesis.push(`${id} ${heard.join(' ')}`);
  }
  writeFileSync(join(folder, 'reference.txt'), `${reference.sort().join('\n')}\n`);
  writeFileSync(join(folder, 'hypothesis.txt'), `${hypothesis.sort().join('\n')}\n`);
  return readFileSync(join(folder, 'reference.txt')).length;
}

const cases: Record<string, (...given: string[]) => Promise<number>> = {
  fbank,
  top: (k) => top(Number(k)),
  loss,
  ctc,
  train: (name, engine) => train(name!, engine!),
  cache: (what) => cache(what!),
  logits: (folder, frames) => logits(folder!, Number(frames)),
  flac: (file, seconds) => flac(file!, seconds!),
  transcripts: (folder, utterances) => transcripts(folder!, utterances!),
};
const [name, ...given] = process.argv.slice(2);
const run = cases[name ?? ''];
if (!run) throw new RangeError(`No case "${name}": there are ${Object.keys(cases).join(', ')}`);
console.log(await run(...given));
