// Compares the toolkit with its peers: each pair in turn, on one core, several times over; the whole experiment once, on two.
// Prints ratios with their spread, and writes them as rows of name, ratio and target.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { alignedTable } from '../../shared/report/aligned_table.ts';

const [python, out, updates, onlyText = ''] = process.argv.slice(2) as [string, string, string, string?];
const usualRounds = 3;
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Runs a program on the first core, or on those given; its output. */
function call(command: string, given: readonly string[], cores = '0'): string {
  const pinned = existsSync('/usr/bin/taskset') ? ['taskset', '-c', cores, command] : [command];
  const { status, stdout, stderr } = spawnSync(pinned[0]!, [...pinned.slice(1), ...given], {
    encoding: 'utf8',
    maxBuffer: 1e9,
    // a make that is called has nothing to do with the one that runs this
    env: { ...process.env, MAKEFLAGS: '', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  });
  if (status !== 0) throw new Error(`Cannot run ${command} ${given.join(' ')}: ${stderr}`);
  return stdout;
}
const ours = (...given: string[]) => Number(call(process.execPath, ['dist/bench/ours.js', ...given]));
const peer = (...given: string[]) => Number(call(python, ['pipelines/bench/peers.py', ...given]));
function seconds(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

interface Comparison {
  name: string;
  peer: string;
  /** Ratio that is aimed at. */
  target: number;
  /** Of us and of the peer, once. */
  measure: () => [number, number];
  /** Whether the smaller figure is the better one; ratios are above 1 where we are better. */
  isCost?: boolean;
  unit: string;
  /** How often, where not as often as the others. */
  rounds?: number;
  /** What else goes into its row, once measured. */
  notes?: Record<string, unknown>;
}

const pair = (name: string, peerName: string, target: number, unit: string, a: string[], b: string[]): Comparison => ({
  ...{ name, peer: peerName, target, unit },
  measure: () => [ours(...a), peer(...b)],
});

/** A comparison with a figure that was aimed at. */
const against = (name: string, peerName: string, unit: string) => ({ name, peer: peerName, target: 1, unit });

/** One run of filter_targets, over a cache that is kept for the next one. */
function filtering(frames: number): { seconds: number; megabytes: number } {
  const logits = join(folder, `logits-${frames}`);
  if (!existsSync(logits)) ours('logits', logits, String(frames));
  const out = join(folder, 'essence');
  rmSync(out, { recursive: true, force: true });
  const atExit = "process.on('exit', () => process.stdout.write('\n' + process.resourceUsage().maxRSS))";
  let printed = '';
  const took = seconds(() => {
    const given = ['dist/filter_targets.js', '--logits', logits, '--quiet', '--out', out];
    printed = call(process.execPath, ['--import', `data:text/javascript,${atExit}`, ...given]);
  });
  return { seconds: took, megabytes: Number(printed.trimEnd().split('\n').at(-1)) / 1024 };
}

/** A FLAC file of the embedded corpus, and the seconds it holds. */
const flacFile = `data/fsdd/${readdirSync('data/fsdd').find((name) => name.endsWith('.flac'))}`;

const utterances = 100_000;
const [reference, hypothesis] = ['reference', 'hypothesis'].map((name) => join(folder, `${name}.txt`)) as [
  string,
  string,
];

function scoreRate(): number {
  if (!existsSync(reference)) ours('transcripts', folder, String(utterances));
  const given = ['--data', reference, '--hypotheses', hypothesis, '--quiet'];
  const target = join(folder, `score-${Math.random()}`);
  return utterances / seconds(() => call(process.execPath, ['dist/score.js', ...given, '--out', target]));
}

/** sclite reads each utterance as `words (speaker-utterance)`. */
function scliteRate(): number {
  for (const path of [reference, hypothesis]) {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const trn = lines.map(
      (line) => `${line.slice(line.indexOf(' ') + 1)} (${line.split(' ', 1)[0]!.replace('-', '_')})\n`,
    );
    writeFileSync(`${path}.trn`, trn.join(''));
  }
  const given = [
    '-r',
    `${reference}.trn`,
    'trn',
    '-h',
    `${hypothesis}.trn`,
    'trn',
    '-i',
    'rm',
    '-o',
    'sum',
    '-O',
    folder,
  ];
  const [command, ...before] = sclite!;
  return utterances / seconds(() => call(command!, [...before, ...given]));
}
/** How sclite is called here, if it is there: Debian keeps it behind another command. */
const sclite = [['sclite'], ['sctk', 'sclite']].find(([command]) => spawnSync(command!, []).error === undefined);

/** Teachers, their ensemble and the students, with features and hard labels ready: by make, two stages at a time. */
function wholeExperiment(): Comparison {
  const exp = join(folder, 'experiment');
  const students = ['hard', 'full', 'essence'].map((arm) => join(exp, `seen/model/${arm}-large/s0`));
  const make = (folders: readonly string[]): void => {
    const what = ['JOBS=2', 'FAST=', 'ROTATIONS=seen', 'SEEDS=0', 'SIZES=large', 'ARMS=hard full essence'];
    const targets = folders.map((path) => join(path, 'report.json'));
    call('make', [...what, 'ALIGN_PASSES=1 2 3', `UPDATES=${updates}`, `EXP=${exp}`, ...targets], '0,1');
  };
  const notes: Record<string, unknown> = {};
  return {
    name: `whole experiment of ${updates} updates: 5 teachers, ensemble cache, essence, 3 students`,
    ...{ peer: 'PyTorch', target: 1, unit: 'experiments/h', rounds: 1, notes },
    measure: () => {
      make(['train', 'dev'].map((split) => join(exp, 'seen/align-3', split)));
      const spent = seconds(() => make(students));
      const theirs = JSON.parse(call(python, ['pipelines/bench/experiment.py', ...students], '0,1'));
      notes.devFrameAccuracy = Object.entries(theirs.devFrameAccuracy).map(([path, accuracy]) => ({
        model: relative(join(exp, 'seen/model'), path),
        ours: JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')).finalDevFrameAccuracy,
        theirs: accuracy,
      }));
      return [3600 / spent, 3600 / theirs.seconds];
    },
  };
}

const comparisons: Comparison[] = [
  ...(['native', 'wasm'] as const).flatMap((engine) => [
    pair(
      `training step, TDNN 5 × 256, ${engine}`,
      'PyTorch',
      engine === 'native' ? 1 : 0.3,
      'frames/s',
      ['train', 'tdnn', engine],
      ['train', 'tdnn'],
    ),
    pair(
      `training step, dense 440–512×4–120, ${engine}`,
      'PyTorch',
      engine === 'native' ? 1 : 0.5,
      'frames/s',
      ['train', 'dense', engine],
      ['train', 'dense'],
    ),
  ]),
  pair('training step, LSTM 256, native', 'PyTorch', 0.5, 'frames/s', ['train', 'lstm', 'native'], ['train', 'lstm']),
  pair(
    'loss and gradient, 5,000 tokens (ours: top-16 and ghost)',
    'PyTorch, dense KL',
    1,
    'frames/s',
    ['loss'],
    ['loss'],
  ),
  pair('CTC and gradient, 600 frames × 500 tokens × 60 labels', 'PyTorch', 1, 'frames/s', ['ctc'], ['ctc']),
  pair('log-mel features, 80 bins, 21 min', 'numpy', 1.8, '× real time', ['fbank'], ['fbank_numpy']),
  pair('log-mel features, 80 bins, 21 min', 'kaldi-native-fbank', 1, '× real time', ['fbank'], ['fbank_kaldi']),
  ...[10, 16, 32].map((k) =>
    pair(
      `top ${k} of 500 and log-sum-exp`,
      'PyTorch',
      k === 32 ? 1.5 : 2,
      'frames/s',
      ['top', String(k)],
      ['top', String(k)],
    ),
  ),
  pair('writing an essence, k = 16', 'pyarrow', 0.85, 'frames/s', ['cache', 'write'], ['cache', 'write']),
  pair(
    'writing an essence, k = 16',
    'pyarrow and the SHA-256 that ours has',
    0.85,
    'frames/s',
    ['cache', 'write'],
    ['cache', 'write_digested'],
  ),
  pair('reading an essence, k = 16', 'pyarrow', 0.5, 'GB/s', ['cache', 'read'], ['cache', 'read']),
  { ...against('reading an essence, k = 16', '1 GB/s', 'GB/s'), measure: () => [ours('cache', 'read'), 1] },
  {
    ...against('filtering, 1 M frames of 41 tokens, start included', '2 M frames/s', 'frames/s'),
    measure: () => [1e6 / filtering(1e6).seconds, 2e6],
  },
  ...[1e6, 1e7].map((frames) => ({
    ...{ name: `peak memory of filtering ${frames / 1e6} M frames`, peer: 'that of 0.1 M', target: 0.8, unit: 'MB' },
    isCost: true,
    measure: (): [number, number] => [filtering(frames).megabytes, filtering(1e5).megabytes],
  })),
  pair('decoding FLAC', 'soundfile', 0.2, '× real time', ['flac', flacFile, '1'], ['flac', flacFile, '1']),
  {
    name: '100,000 utterances scored, from files',
    ...{ peer: sclite ? 'jiwer' : 'jiwer (no sclite here)', target: 5, unit: 'utterances/s' },
    measure: () => [scoreRate(), peer('jiwer', reference, hypothesis)],
  },
  ...(sclite
    ? [
        {
          ...{ name: '100,000 utterances scored, from files', peer: 'sclite', target: 25, unit: 'utterances/s' },
          measure: (): [number, number] => [scoreRate(), scliteRate()],
        },
      ]
    : []),
  ...readdirSync('stages')
    .filter((name) => name.endsWith('.ts') && !name.endsWith('_test.ts'))
    .map((name) => name.replace('.ts', ''))
    .map((stage) => ({
      ...{ name: `start of ${stage} --help`, peer: 'node -e 0', target: 0.4, unit: 's', isCost: true },
      measure: (): [number, number] => [
        seconds(() => call(process.execPath, [`dist/${stage}.js`, '--help'])),
        seconds(() => call(process.execPath, ['-e', '0'])),
      ],
    })),
  wholeExperiment(),
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const short = (value: number): string => value.toPrecision(3).replace(/e\+(\d+)/, 'e$1');

const rows = comparisons
  .filter(({ name, peer: peerName }) => `${name}, ${peerName}`.includes(onlyText))
  .map(({ name, peer: peerName, target, unit, measure, isCost, notes, rounds = usualRounds }) => {
    const pairs = Array.from({ length: rounds }, measure);
    const ratios = pairs.map(([a, b]) => (isCost ? b / a : a / b));
    const row = {
      ...{
        name,
        peer: peerName,
        target,
        unit,
        ratio: median(ratios),
        least: Math.min(...ratios),
        most: Math.max(...ratios),
      },
      ...{ ours: median(pairs.map(([a]) => a)), theirs: median(pairs.map(([, b]) => b)) },
      ...notes,
    };
    process.stderr.write(`${name}: ${short(row.ratio)} × ${peerName} (${short(row.least)} to ${short(row.most)})\n`);
    return row;
  });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'rows.json'), `${JSON.stringify(rows, null, 1)}\n`);
console.log(
  alignedTable(
    ['what', 'peer', 'ratio', 'least to most', 'target', 'ours', 'peer’s', 'unit'],
    rows.map(({ name, peer: peerName, ratio, least, most, target, unit, ...figures }) => [
      ...[name, peerName, short(ratio), `${short(least)} to ${short(most)}`, String(target)],
      ...[short(figures.ours), short(figures.theirs), unit],
    ]),
    [false, false, true, true, true, true, true, false],
  ).join('\n'),
);
