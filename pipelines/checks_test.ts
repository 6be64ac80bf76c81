/** What make refuses before anything runs, and what it must go on accepting: README's commands and every ablation. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../shared/io/testdata/temporary_folder.ts';

const folder = temporaryFolder();
const corpus = join(folder, 'corpus');
mkdirSync(corpus);
const lexicon = join(folder, 'lexicon.txt');
writeFileSync(lexicon, 'one w ah n\n');

/** Without what a surrounding make hands down: neither its jobs nor its knobs are ours. */
const { MAKEFLAGS: _flags, MFLAGS: _more, MAKEOVERRIDES: _knobs, MAKELEVEL: _level, ...env } = process.env;

interface Outcome {
  code: number;
  output: string;
  commands: string;
}
/** A level of 2, since bash reads start-up files, and may complain of them, where its input is a socket and no shell is above. */
function call(command: string, argv: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) =>
    execFile(command, argv, { env: { ...env, ...more, SHLVL: '2' }, maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stderr, commands: stdout }),
    ),
  );
}
const tryMake = (argv: readonly string[]) => call('make', ['-n', ...argv]);

const refused: [knobs: string[], line: RegExp][] = [
  // misspelt
  [['SEED=3'], /SEED: there is no such knob; there is SEEDS,/],
  [['ARM=hard'], /ARM: there is no such knob; there is ARMS,/],
  [['SIZE=small'], /SIZE: .* there is SIZES,/],
  [['UPDATE=10'], /UPDATE: .* there is UPDATES,/],
  [['SPLITS=dev'], /SPLITS: .* there is SPLIT,/],
  [['folds=3'], /folds: there is no such knob; make alone lists them,/],
  [
    ['ARMS=hard mine', 'mine.targets=full', 'mine.trian=--dropout 0.1'],
    /mine\.trian: \.trian is nothing that .* \.train /,
  ],
  [['ARMS=hard mine', 'mine.target=full'], /mine\.target: \.target is nothing/],
  [['top7.filtr=--select all'], /top7\.filtr: \.filtr is nothing/],
  [['mine.filter=--select all'], /mine\.filter: mine is no set of soft targets .* \.targets \(full top3\)/],
  [['ARMS=hard essence', 'esence.train=--dropout 0.1'], /esence\.train: esence is no arm in ARMS \(hard essence\)/],
  [['mine.targets=full'], /mine\.targets: mine is no arm in ARMS \(hard masked smooth full essence\)/],
  [['ARMS=hard essence', 'essence-smal.train=--dropout 0'], /essence-smal\.train: essence-smal is no arm/],
  [['t6.train=--width 96'], /t6\.train: t6 is no .* teacher in TEACHERS \(t1 t2 t3 t4 t5\)/],
  [['nosie.audio=--degrade noise'], /nosie\.audio: nosie is no kind of audio/],
  [['t9.guide=t1'], /t9\.guide: t9 is no teacher/],
  [['CMVN=mean'], /CMVN="mean": it is one of none utterance speaker/],
  [['feature_flags=--cmvn speaker'], /feature_flags=.*: say whose mean is taken off with CMVN=/],
  [['ALIGN_PASSES='], /without ALIGN_PASSES: give one at least/],
  [['OBJECTIVE=ctc', 'TEACHERS=', `FOREIGN=${corpus}`], /without TEACHERS: .* give TEACHERS=t1 or more/],
  // arms
  [['ARMS=hard esence'], /ARMS="hard esence": there is no arm esence; give one of hard masked smooth /],
  [['ARMS=hard smooth', 'OBJECTIVE=ctc'], /arm smooth would be the arm hard; give smooth\.train=/],
  [['ARMS=hard mine', 'mine.targets=top7'], /mine\.targets=top7: there is no top7\.filter/],
  [['top3.combination=true'], /top3\.combination=true: give yes, or leave it out/],
  [['ARMS=hard essence', 'full.combination=true'], /full\.combination=true: give yes, or leave it out/],
  [['OBJECTIVE=ctc', 'ARMS=hard essence', 'full.combination=yes'], /full\.combination=yes: .* OBJECTIVE=frame alone/],
  [
    ['ARMS=hard full x', 'x.teacher=full-large', 'x.also=slow', 'x.targets=full', 'slow.audio=--speed 0.9'],
    /x\.teacher and x\.also: .* leave out one of them/,
  ],
  [
    ['ARMS=hard a b', 'a.targets=full', 'a.teacher=b-large', 'b.targets=full', 'b.teacher=a-large'],
    /a\.teacher=b-large: .* teach each other in a circle/,
  ],
  [['top7.combination=yes'], /top7\.combination: top7 is no set of soft targets .* \(full top3\)/],
  [['OBJECTIVE=ctc', 'top3.combination=yes'], /top3\.combination=yes: .* with OBJECTIVE=frame alone/],
  [
    ['ARMS=full mine', 'mine.targets=top3', 'mine.teacher=full-large', 'top3.combination=yes'],
    /top3\.combination=yes: full-large, the teacher of arm mine, is no ensemble/,
  ],
  [['ARMS=hard mine', 'mine.heard=noise'], /mine\.heard=noise: there is no noise\.audio/],
  [['ARMS=hard mine', 'mine.also=slow fast', 'slow.audio=--speed 0.9'], /mine\.also=fast: there is no fast\.audio/],
  [['ARMS=hard mine', 'mine.targets=full', 'mine.untranscribed=1'], /mine\.untranscribed=1: give yes/],
  [
    ['ARMS=hard mine', 'mine.train=', 'mine.untranscribed=yes'],
    /mine\.untranscribed=yes: arm mine has no soft targets/,
  ],
  [['ARMS=hard mine', 'mine.targets=top3', 'mine.teacher=full-large'], /mine\.teacher=full-large: .* add full to ARMS/],
  [['ARMS=hard mine', 'mine.targets=top3', 'mine.teacher=mine-large'], /mine\.teacher=mine-large: give another arm's/],
  [['ARMS=hard mine', 'mine.targets=top3', 'mine.teacher=hard-small'], /hard-small: give .* size in SIZES \(large\)/],
  [['ARMS=hard mine', 'mine.hypotheses=4'], /mine\.hypotheses: word sequences teach with OBJECTIVE=ctc alone/],
  [['OBJECTIVE=ctc', 'ARMS=hard mine', 'mine.hypotheses=x'], /mine\.hypotheses="x": give a whole number from 1/],
  [['OBJECTIVE=ctc', 'ARMS=hard mine', 'mine.hypotheses=4', 'mine.targets=full'], /arm mine: it learns from one of/],
  // corpora
  [['CORPUS=fssd'], /CORPUS="fssd": it is one of commonvoice folder fsdd kaldi librispeech speechocean762/],
  [['CORPUS=own', `DATA=${corpus}`], /CORPUS="own": it is one of/],
  [['OBJECTIVE=cct'], /OBJECTIVE="cct": it is one of frame ctc/],
  [['RUN=slrum'], /RUN="slrum": it is one of local slurm/],
  [['ENGINE=gpu'], /ENGINE="gpu": it is one of auto native wasm cpu/],
  [[`DATA=${corpus}`], /DATA=".*": it has no meaning with CORPUS=fsdd/],
  [['TRAIN=train'], /TRAIN: it has no meaning with CORPUS=fsdd/],
  [[`LEXICON=${lexicon}`], /LEXICON: it has no meaning with CORPUS=fsdd/],
  [['HOLD_OUT=utterances'], /HOLD_OUT: it has no meaning with CORPUS=fsdd/],
  [['CORPUS=folder'], /CORPUS=folder without DATA: give DATA=its folder/],
  [['CORPUS=speechocean762'], /CORPUS=speechocean762 without DATA/],
  [['CORPUS=folder', 'DATA=/nope'], /DATA="\/nope": there is no such folder/],
  [['CORPUS=folder', 'DATA=/my recordings'], /DATA="\/my recordings": a path with spaces/],
  [['CORPUS=kaldi', `DATA=${corpus}`, 'LEXICON=/nope.txt'], /LEXICON="\/nope\.txt": there is no \/nope\.txt/],
  [['CORPUS=kaldi', `DATA=${corpus}`, 'LEXICN=x'], /LEXICN: there is no such knob/],
  // teachers, sizes, rotations, seeds
  [['SIZES=large tiny'], /SIZES="large tiny": tiny has no tiny\.train/],
  [['TEACHERS=t1 t6'], /TEACHERS="t1 t6": t6 has no t6\.train/],
  [['TEACHERS=t1 anna', 'anna.train=--width 64'], /TEACHERS="t1 anna": anna is not t and a number/],
  [
    ['CORPUS=speechocean762', 'OBJECTIVE=ctc', `DATA=${corpus}`, 'TEACHERS=t2'],
    /t2\.guide=t1: that is no other teacher/,
  ],
  [['CORPUS=speechocean762', 'OBJECTIVE=ctc', `DATA=${corpus}`, 'FOLDS=3'], /FOLDS=3: t2 has a guide/],
  [['ROTATIONS=seen unseen-6'], /ROTATIONS="seen unseen-6": fsdd has no unseen-6; give some of seen unseen-0/],
  [['SEEDS=0 0'], /SEEDS="0 0": 0 is there twice/],
  [['SEEDS=0 x'], /SEEDS="0 x": give whole numbers/],
  [['ARMS=hard hard'], /ARMS="hard hard": hard is there twice/],
  ...['SEEDS', 'ARMS', 'SIZES', 'ROTATIONS', 'TEACHERS'].map((knob): [string[], RegExp] => [
    [`${knob}=`],
    new RegExp(`without ${knob}: give one at least`),
  ]),
  [['SEEDS=0,1'], /SEEDS="0,1": give names with spaces between them, as SEEDS="0 1"/],
  [['ARMS=hard,full'], /as ARMS="hard full"/],
  [['TEACHERS=t1,t2'], /as TEACHERS="t1 t2"/],
  [['SIZES=large,small'], /as SIZES="large small"/],
  [['ROTATIONS=seen,unseen-0'], /as ROTATIONS="seen unseen-0"/],
  [['FOREIGN=/nope'], /FOREIGN="\/nope": there is no \/nope/],
  [['FOREIGN_FEATURES=raw80'], /FOREIGN_FEATURES=raw80: there is no raw80\.audio/],
  // numbers, flags, paths
  [['FAST=0'], /FAST="0": give 1 or yes, or leave it out/],
  [['MEASURE=no'], /MEASURE="no": give 1 or yes/],
  [['FOLDS=x'], /FOLDS="x": give a whole number from 1/],
  [['FOLDS=0'], /FOLDS="0": give a whole number/],
  [['SHARDS=1.5'], /SHARDS="1\.5": give a whole number/],
  [['JOBS=x'], /JOBS="x": give a whole number/],
  [['UPDATES=-1'], /UPDATES="-1": give a whole number/],
  [['UPDATES_ALIGNER=many'], /UPDATES_ALIGNER="many": give a whole number/],
  [['ALIGN_PASSES=1,2'], /ALIGN_PASSES="1,2": give whole numbers/],
  [['EXP=my exp'], /EXP="my exp": a path with spaces/],
  [['REPORT=my report'], /REPORT="my report": a path with spaces/],
  [['EXP='], /without EXP/],
  [['SPLIT=train'], /SPLIT="train": it is one of test dev/],
  // what is compared
  [['BASELINE=hrad'], /BASELINE="hrad": it is one of ARMS \(hard masked smooth full essence\)/],
  [['AGAINST=t6'], /AGAINST="t6": it is ensemble or one of TEACHERS \(t1 t2 t3 t4 t5\)/],
  [['FOLDS=2', 'AGAINST=t1'], /AGAINST="t1": .* as t1-fold0/],
];
for (const [knobs, line] of refused) {
  test(`make distill ${knobs.join(' ')} is refused`, async () => {
    const exp = join(folder, 'refused');
    const { code, output } = await tryMake(['distill', `EXP=${exp}`, ...knobs]);
    assert.equal(code, 2, output);
    assert.match(output, line);
    assert.equal(output.trimEnd().split('\n').length, 1, output);
    assert.ok(!existsSync(exp));
  });
}

const accepted: string[][] = [
  ['help', 'CORPUS=folder'],
  ['clean', 'CORPUS=kaldi'],
  ['results'],
  ['results', 'CORPUS=speechocean762', `DATA=${corpus}`],
  ['bench', 'ONLY=text', 'BENCH_UPDATES=10'],
  ['distill', 'FAST=1', 'MEASURE=yes'],
  [
    'distill',
    'FAST=',
    'FOLDS=',
    'DATA=',
    'JOBS=8',
    'UPDATES=10',
    'UPDATES_ALIGNER=10',
    'ALIGN_PASSES=1',
    'ALLOW_MISSING=3',
  ],
  ['distill', 'ARMS=full essence'],
  ['distill', `EXP=${join(folder, 'a,b')}`, `REPORT=${join(folder, 'a,b', 'r,1')}`],
  ['distill', 'ARMS=mine', 'mine-large.train=--dropout 0.1', 'BASELINE=mine'],
  [
    'distill',
    'augmented=--dropout 0.1',
    'report_flags=--unit speaker',
    'top3.filter=--select top-k --k 2 --tail ghost',
  ],
  [
    'distill',
    'SIZES=wide',
    'wide.train=--width 128',
    'ARMS=hard full',
    'TEACHERS=t1 t9',
    't9.train=--width 64',
    'AGAINST=t9',
  ],
  ['distill', 'FOLDS=3', 'AGAINST=t1-fold0'],
  ['distill', 'ROTATIONS=unseen-0 unseen-5', 'SEEDS=7'],
  ['distill', 'OBJECTIVE=ctc', 'CMVN=speaker', 'feature_flags=--norm-vars'],
  ['distill', 'FOREIGN=shared/engine', 'TEACHERS=', 'MEASURE=yes'],
  [join(folder, 'exp/seen/data/report.json'), `EXP=${join(folder, 'exp')}`, 'ARMS=stream', 'stream.train='],
  ...commandsOf(readFileSync('README.md', 'utf8')),
];

/** `make` in blocks of shell, its corpora and files in places that are here. */
function commandsOf(markdown: string): string[][] {
  return [...markdown.matchAll(/^make ((?:distill|results)\b[^#\n]*)/gm)].map(([, line]) =>
    [...line!.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) =>
      word
        .replaceAll('"', '')
        .replace(/^DATA=.*/, `DATA=${corpus}`)
        .replace(/^LEXICON=.*/, `LEXICON=${lexicon}`)
        .replace(/^FOREIGN=.*/, `FOREIGN=${corpus}`),
    ),
  );
}
for (const argv of accepted) {
  test(`make ${argv.join(' ')} is not refused`, async () => {
    const { code, output } = await tryMake(argv);
    assert.equal(code, 0, output);
  });
}

test('the mean is taken off what our models hear, and what foreign teachers eat is as their flags say', async () => {
  const { commands } = await tryMake([
    'distill',
    `FOREIGN=${corpus}`,
    'FOREIGN_FEATURES=theirs',
    'theirs.audio=--bins 80',
  ]);
  const flags = [
    ...commands.matchAll(/run_local.* dist\/extract_features\.js --data \S+ (.*)--out \S+\/(\S+\/train)$/gm),
  ];
  assert.deepEqual(
    flags.map(([, given, folder]) => [folder, given!.trim()]),
    [
      ['features/train', '--cmvn utterance'],
      ['theirs/train', '--bins 80'],
    ],
  );
});

// In place of make and node: one keeps what it is called with, the other says what the scripts read of a score.
const calls = join(folder, 'calls');
mkdirSync(join(folder, 'bin'));
writeFileSync(join(folder, 'bin/make'), `#!/bin/sh\n{ printf '%s\\0' "$@"; printf '\\n'; } >>"$CALLS"\n`);
writeFileSync(join(folder, 'bin/node'), '#!/bin/sh\necho 10.00\n');
for (const name of ['make', 'node']) chmodSync(join(folder, 'bin', name), 0o755);

const speechocean = ['CORPUS=speechocean762', `DATA=${corpus}`];
/** Ablations besides their defaults: as RESULTS.md has them, with what their headers take from the environment. */
const narrowed: [script: string, env: Record<string, string>, argv: string[]][] = [
  ['policies', {}, ['ARMS=hard full gate-correct']],
  [
    'policies',
    { UNTRANSCRIBED: 'yes' },
    ['TRANSCRIBED=0.1', 'augmented=--dropout 0.1', 'hard-small.train=--dropout 0.1'],
  ],
  ['tokens_by_tail', {}, ['ARMS=hard full top1-to-label top3-to-label top3-ghost']],
  ['masked_targets', {}, ['SIZES=small', 'ARMS=hard full-masked']],
  ['speeds', {}, ['SIZES=small', 'ARMS=hard hard-speeds', 'hard-speeds.train=']],
  ['sizes', {}, ['SIZES=w32 w48']],
  ['progressive', { UNTRANSCRIBED: 'yes', SIZE: 'small' }, ['TRANSCRIBED=0.1', 'hard-small.train=--dropout 0.1']],
  [
    'untranscribed',
    { TRIALS: 'hard-dropout0.1 essence-w0.9' },
    ['SPLIT=test', 'SIZES=small', 'augmented=--dropout 0.1'],
  ],
  ['untranscribed', {}, ['ARMS=hard full-w1']],
  ['parallel', { HEARD: 'reverberation', TRIALS: 'hard smooth0.2' }, ['SPLIT=test']],
  ['unseen', { OBJECTIVE: 'ctc', ROTATIONS: 'unseen-0' }, ['TEACHERS=t1 t2 t3']],
  ['guided_ctc', {}, [...speechocean, 'TEACHERS=t1 t2']],
  ['weight_by_temperature', {}, ['ARMS=hard T2-w0.9', 'SIZES=small']],
  ['blanks', {}, ['SIZES=small', 'ARMS=hard full gate-blank']],
  ['recipes_speechocean762_ctc', { TRIALS: 'hard-0.008 essence-0.016' }, [...speechocean, 'TEACHERS=t1 t2']],
  [
    'hypotheses_ctc',
    { TRIALS: 'hard essence heard1-w0.9' },
    [...speechocean, 'TEACHERS=t1 t2', 'BASELINE=hard', 'heard1-w0.9.train=--soft-weight 0.9'],
  ],
];
const scripts = readdirSync('pipelines/ablations').filter((name) => name.endsWith('.sh') && name !== 'trials.sh');
const whole = scripts.map((name): (typeof narrowed)[number] => [
  name.replace('.sh', ''),
  name === 'unseen.sh' ? { ROTATIONS: 'unseen-0' } : {},
  name.includes('speechocean') ? [`DATA=${corpus}`] : [],
]);
for (const [script, knobs, argv] of [...whole, ...narrowed]) {
  const said = [...Object.entries(knobs).map(([name, value]) => `${name}=${value}`), script, ...argv].join(' ');
  test(`ablation ${said} is not refused`, async () => {
    writeFileSync(calls, '');
    const path = `${join(folder, 'bin')}${delimiter}${env.PATH}`;
    await call('bash', [join('pipelines/ablations', `${script}.sh`), ...argv], { ...knobs, PATH: path, CALLS: calls });
    const lines = readFileSync(calls, 'utf8').split('\n').slice(0, -1);
    assert.ok(lines.length > 0, 'make is not called');
    for (const line of lines) {
      const { code, output } = await tryMake(line.split('\0').slice(0, -1));
      assert.equal(code, 0, output);
    }
  });
}
