// Sparse caches of long corpora: caching 5,000-token posteriors, filtering, and reading back in shuffled order, each in a
// process of its own, at several sizes: time should be in proportion to the frames, and memory stay where it is.
// node dist/bench/sparse_scale.js FOLDER FRAMES…; with --write before FOLDER, caching is writing alone: the best tokens are
// found once in each of the few utterances that are used over and over.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metadataOfSparse, rowOfCachedFrames, sparseColumns } from '../../shared/io/cached_frames.ts';
import { tokensDigest } from '../../shared/io/digest.ts';
import { createOutputFolder, type OutputFolder } from '../../shared/io/output_folder.ts';
import { openInputFolder } from '../../shared/io/report_file.ts';
import { openUtterances } from '../../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../../shared/io/utterance_writer.ts';
import { logSoftmax } from '../../shared/math/log_softmax.ts';
import { createRandom } from '../../shared/math/random.ts';
import { cacheFrames } from '../../shared/math/sparse_cache.ts';
import { alignedTable } from '../../shared/report/aligned_table.ts';
import { createSparseCaches, figuresOfCache } from '../../shared/training/logits_cache.ts';

const [vocabularySize, framesOfUtterance, k, temperatures] = [5000, 300, 16, [1, 2, 4]];
const tokensText = Array.from({ length: vocabularySize }, (_, i) => `t${i} ${i}\n`).join('');

/** Utterances of a teacher that is fairly sure and changes its mind slowly; synthetic, and used over and over. */
function pool(): Float32Array[] {
  const random = createRandom('pool');
  return Array.from({ length: 4 }, () => {
    const logits = new Float32Array(framesOfUtterance * vocabularySize);
    for (let i = 0; i < logits.length; i++) {
      logits[i] = 0.8 * (logits[i - vocabularySize] ?? 0) + 1.2 * random.normal();
    }
    for (let frame = 0; frame < framesOfUtterance; frame++) logits[frame * vocabularySize + (frame >> 2)]! += 9;
    return logSoftmax(logits, vocabularySize);
  });
}

const metadata = {
  ...{ 'kd.objective': 'frame', 'kd.tokens': tokensDigest(tokensText), 'kd.teachers': '["synthetic"]' },
  ...{ 'kd.frameShiftMs': '30', 'kd.firstFrameCentreMs': '15' },
};
const part = 'part-00000-of-00001.arrow';
const idsOf = (frames: number) =>
  Array.from({ length: frames / framesOfUtterance }, (_, i) => `u${String(i).padStart(7, '0')}`);

/** All that cache_logits does but to ask teachers. */
async function cache(out: OutputFolder, frames: number): Promise<Record<string, unknown>> {
  const posteriors = pool();
  const caches = createSparseCaches(
    { out, part, metadata, compression: undefined, vocabularySize },
    {
      ...{ k, temperatures, hasBlank: false, teachers: 1, alignment: undefined },
      combinations: [{ name: 'linear', rule: 'linear', options: { rule: 'linear' } }],
    },
  );
  for (const [i, id] of idsOf(frames).entries()) await caches.append(id, [posteriors[i % posteriors.length]!]);
  await caches.close();
  return figuresOfCache([caches.counted()]);
}

/** The same file, its rows repeated. */
async function write(out: OutputFolder, frames: number): Promise<Record<string, unknown>> {
  const header = {
    k,
    vocabularySize,
    temperatures,
    hasBlank: false,
    hasLabels: false,
    hasAgreement: false,
    isCoded: false,
  };
  const combining = { vocabularySize, rule: 'linear' } as const;
  const rows = pool().map((values) =>
    rowOfCachedFrames('', cacheFrames([values], combining, { k, temperatures, hasBlank: false }).cached, header),
  );
  const started = performance.now();
  const cpu = process.cpuUsage();
  const writer = createUtteranceWriter(out.createFile(`linear/${part}`), {
    ...{ columns: sparseColumns(header), metadata: { ...metadataOfSparse(header), ...metadata } },
  });
  for (const [i, utterance] of idsOf(frames).entries()) writer.append({ ...rows[i % rows.length]!, utterance });
  writer.close();
  const { user, system } = process.cpuUsage(cpu);
  const megabytes = out.files[`linear/${part}`]!.bytes / 1e6;
  const rates = [performance.now() - started, (user + system) / 1000].map((ms) => Math.round((1000 * megabytes) / ms));
  process.stderr.write(`written at ${rates[0]} MB/s, or ${rates[1]} MB for each second of processor\n`);
  return { format: 'sparse', caches: { linear: {} } };
}

/** A folder as cache_logits leaves it. */
async function makeFolder(path: string, fill: (out: OutputFolder) => Promise<Record<string, unknown>>): Promise<void> {
  const out = createOutputFolder(path);
  const summary = await fill(out);
  out.writeText('tokens.txt', tokensText);
  const one = { id: 'synthetic', name: 'synthetic', prior: new Array(vocabularySize).fill(1 / vocabularySize) };
  const teachers = [{ ...one, selfLoop: new Array(vocabularySize).fill(0.5) }];
  const report = { ...summary, stage: 'cache_logits', teachers, id: basename(path) };
  out.commit({ ...report, files: { ...out.files } });
}

/** Every utterance once, in an order that has nothing to do with that of the file. */
async function read(path: string): Promise<void> {
  const table = await openUtterances(path, { format: 'essence' });
  const order = createRandom('order').shuffle([...table.utterances]);
  let tokens = 0;
  for (const utterance of order) tokens += ((await table.read(utterance)).tokens as Uint16Array).length;
  await table.close();
  if (!(tokens > 0)) throw new Error('Cannot find any token');
}

interface Taken {
  seconds: number;
  /** Of the processor, which other programs on the machine do not change much. */
  cpuSeconds: number;
  megabytes: number;
}

/** A process, timed from its start, and the most memory that it had. */
function taken(...argv: string[]): Taken {
  const atExit =
    "process.on('exit', () => { const u = process.resourceUsage(); process.stderr.write('\\n' + JSON.stringify(u)) })";
  const started = performance.now();
  const given = ['--import', `data:text/javascript,${atExit}`, ...argv];
  const { status, stderr } = spawnSync(process.execPath, given, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`Cannot run ${argv.join(' ')}: ${stderr}`);
  const lines = stderr.split('\n').filter((line) => line !== '');
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(lines.pop()!);
  for (const line of lines) process.stderr.write(`${line}\n`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: Math.round(maxRSS / 1024) };
}

const program = fileURLToPath(import.meta.url);
const [first = '', ...rest] = process.argv.slice(2);
if (first === '--fill') {
  await makeFolder(rest[1]!, (out) => (rest[0] === 'write' ? write : cache)(out, Number(rest[2])));
} else if (first === '--read') await read(rest[0]!);
else {
  const how = first === '--write' ? 'write' : 'cache';
  const [folder, ...sizes] = how === 'write' ? rest : [first, ...rest];
  const rows = sizes.map(Number).map((frames) => {
    const [cached, essence] = [join(folder!, `cache-${frames}`), join(folder!, `essence-${frames}`)];
    for (const path of [cached, essence]) rmSync(path, { recursive: true, force: true });
    const steps = [
      taken(program, '--fill', how, cached, String(frames)),
      taken(
        'dist/filter_targets.js',
        '--logits',
        cached,
        '--k',
        '8',
        '--temperature',
        '2',
        '--quiet',
        '--out',
        essence,
      ),
      taken(program, '--read', essence),
    ];
    const bytes = Object.values(openInputFolder(cached).report.files).reduce((sum, file) => sum + file.bytes, 0);
    for (const path of [cached, essence]) rmSync(path, { recursive: true, force: true });
    return [
      ...[`${frames / 1e6} M`, (bytes / frames).toFixed(1)],
      ...steps.flatMap(({ seconds, cpuSeconds, megabytes }) => [
        ...[seconds.toFixed(1), cpuSeconds.toFixed(1), String(megabytes)],
      ]),
    ];
  });
  const step = (name: string) => [`${name}, s`, 'CPU s', 'MB'];
  const head = [
    'frames',
    'bytes/frame',
    ...step(how === 'write' ? 'writing' : 'caching'),
    ...step('filtering'),
    ...step('reading'),
  ];
  console.log(
    alignedTable(
      head,
      rows,
      head.map(() => true),
    ).join('\n'),
  );
}
