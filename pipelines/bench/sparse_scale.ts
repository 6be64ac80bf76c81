// Sparse caches of long corpora: caching 5,000-token posteriors, filtering, and reading back in shuffled order, each in a
// process of its own, at several sizes: time should be in proportion to the frames, and memory stay where it is.
// node dist/bench/sparse_scale.js FOLDER FRAMES…
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tokensDigest } from '../../shared/io/digest.ts';
import { createOutputFolder } from '../../shared/io/output_folder.ts';
import { openInputFolder } from '../../shared/io/report_file.ts';
import { openUtterances } from '../../shared/io/utterance_table.ts';
import { logSoftmax } from '../../shared/math/log_softmax.ts';
import { createRandom } from '../../shared/math/random.ts';
import { alignedTable } from '../../shared/report/aligned_table.ts';
import { createSparseCaches } from '../../shared/training/logits_cache.ts';

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

/** A folder as cache_logits leaves it, through its own writer. */
async function cache(path: string, frames: number): Promise<void> {
  const out = createOutputFolder(path);
  const posteriors = pool();
  const metadata = {
    ...{ 'kd.objective': 'frame', 'kd.tokens': tokensDigest(tokensText), 'kd.teachers': '["synthetic"]' },
    ...{ 'kd.frameShiftMs': '30', 'kd.firstFrameCentreMs': '15' },
  };
  const caches = createSparseCaches(
    { out, part: 'part-00000-of-00001.arrow', metadata, compression: undefined, vocabularySize },
    {
      ...{ k, temperatures, hasBlank: false, teachers: 1, alignment: undefined },
      combinations: [{ name: 'linear', rule: 'linear', options: { rule: 'linear' } }],
    },
  );
  for (let i = 0; i < frames / framesOfUtterance; i++) {
    await caches.append(`u${String(i).padStart(7, '0')}`, [posteriors[i % posteriors.length]!]);
  }
  await caches.close();
  out.writeText('tokens.txt', tokensText);
  const one = { id: 'synthetic', name: 'synthetic', prior: new Array(vocabularySize).fill(1 / vocabularySize) };
  const teachers = [{ ...one, selfLoop: new Array(vocabularySize).fill(0.5) }];
  const report = { ...caches.summary(), stage: 'cache_logits', teachers, id: `scale-${frames}` };
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
  megabytes: number;
}

/** A process, timed from its start, and the most memory that it had. */
function taken(...argv: string[]): Taken {
  const atExit = "process.on('exit', () => process.stderr.write('\\n' + process.resourceUsage().maxRSS))";
  const started = performance.now();
  const given = ['--import', `data:text/javascript,${atExit}`, ...argv];
  const { status, stderr } = spawnSync(process.execPath, given, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`Cannot run ${argv.join(' ')}: ${stderr}`);
  const megabytes = Math.round(Number(stderr.trimEnd().split('\n').at(-1)) / 1024);
  return { seconds: (performance.now() - started) / 1000, megabytes };
}

const program = fileURLToPath(import.meta.url);
const [first = '', ...rest] = process.argv.slice(2);
if (first === '--cache') await cache(rest[0]!, Number(rest[1]));
else if (first === '--read') await read(rest[0]!);
else {
  const rows = rest.map(Number).map((frames) => {
    const [cached, essence] = [join(first, `cache-${frames}`), join(first, `essence-${frames}`)];
    for (const path of [cached, essence]) rmSync(path, { recursive: true, force: true });
    const steps = [
      taken(program, '--cache', cached, String(frames)),
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
      `${frames / 1e6} M`,
      `${(bytes / frames).toFixed(1)}`,
      ...steps.flatMap(({ seconds, megabytes }) => [
        seconds.toFixed(1),
        `${(frames / seconds / 1e6).toFixed(2)} M`,
        String(megabytes),
      ]),
    ];
  });
  const step = (name: string) => [`${name}, s`, 'frames/s', 'MB'];
  const head = ['frames', 'bytes/frame', ...step('caching'), ...step('filtering'), ...step('reading')];
  console.log(
    alignedTable(
      head,
      rows,
      head.map(() => true),
    ).join('\n'),
  );
}
