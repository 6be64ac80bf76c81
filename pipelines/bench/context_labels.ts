// Makes many tokens of few: labels of states in the context of their neighbours, as large vocabularies have them.
// node dist/bench/context_labels.js TOKENS NEIGHBOURS TRAIN DEV… OUT: folders of align_labels, the first one says which
// contexts there are; OUT receives a folder for each, by its last name.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tokensDigest } from '../../shared/io/digest.ts';
import { createOutputFolder } from '../../shared/io/output_folder.ts';
import { openInputFolder } from '../../shared/io/report_file.ts';
import { openUtterances } from '../../shared/io/utterance_table.ts';
import { createUtteranceWriter } from '../../shared/io/utterance_writer.ts';

const [tokens, neighbours, ...folders] = process.argv.slice(2);
const out = folders.pop()!;
const [vocabularySize, reach] = [Number(tokens), Number(neighbours)];

/** For each frame, the states before, at and after it, as one word. */
function contextsOf(labels: Uint16Array): string[] {
  const starts = [...labels.keys()].filter((i) => i === 0 || labels[i] !== labels[i - 1]);
  return starts.flatMap((start, run) => {
    const around = Array.from({ length: 2 * reach + 1 }, (_, i) => labels[starts[run + i - reach]!] ?? 'none');
    return new Array<string>((starts[run + 1] ?? labels.length) - start).fill(around.join(' '));
  });
}

const states = readFileSync(join(folders[0]!, 'tokens.txt'), 'utf8').trimEnd().split('\n');
const counts = new Map<string, number>();
const train = await openUtterances(folders[0]!, { format: 'alignment' });
for await (const row of train.rows()) {
  for (const context of contextsOf(row.labels as Uint16Array)) counts.set(context, (counts.get(context) ?? 0) + 1);
}
await train.close();
const frequent = [...counts]
  .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  .slice(0, vocabularySize - states.length);
const tokenOf = new Map(frequent.map(([context], i) => [context, states.length + i]));
const text = [...states, ...frequent.map(([context], i) => `${context.replaceAll(' ', '_')} ${states.length + i}`)]
  .map((line) => `${line}\n`)
  .join('');

for (const path of folders) {
  const { report, id } = openInputFolder(path);
  const table = await openUtterances(path, { format: 'alignment' });
  const folder = createOutputFolder(join(out, basename(path)));
  const writer = createUtteranceWriter(folder.createFile('alignment.arrow'), {
    columns: { labels: 'list<uint16>', score: 'float32' },
    metadata: { ...table.metadata, 'kd.tokens': tokensDigest(text) },
  });
  for await (const row of table.rows()) {
    const contexts = contextsOf(row.labels as Uint16Array);
    // a context that is not among the frequent ones leaves the state as it is
    const labels = Uint16Array.from(contexts, (context, i) => tokenOf.get(context) ?? (row.labels as Uint16Array)[i]!);
    writer.append({ ...row, labels });
  }
  writer.close();
  folder.writeText('tokens.txt', text);
  const selfLoop = new Array<number>(vocabularySize).fill(0.5);
  const made = { ...report, selfLoop, id: `${id}-${vocabularySize}`, files: { ...folder.files } };
  folder.commit(made);
  await table.close();
}
