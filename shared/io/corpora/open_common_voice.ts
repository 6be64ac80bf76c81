import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { readUtf8 } from '../utf8_file.ts';
import type { Corpus, CorpusUtterance, Report } from './corpus.ts';

/** Tables of the archive that list no clips. */
const otherTables = ['reported', 'clip_durations', 'validated_sentences', 'unvalidated_sentences'];

/**
 * A language of Common Voice, as its archive unpacks: `clips` and tables train.tsv, dev.tsv, test.tsv, validated.tsv … with
 * the columns client_id, path and sentence wherever they stand; a client is a speaker.
 *
 * @throws {InputError} where there is no table
 * @see Ardila et al. (2020), Common Voice: A Massively-Multilingual Speech Corpus
 */
export function openCommonVoice(source: string): Corpus {
  const subsets = readdirSync(source)
    .filter((name) => name.endsWith('.tsv'))
    .map((name) => name.slice(0, -'.tsv'.length))
    .filter((name) => !otherTables.includes(name))
    .sort();
  if (subsets.length === 0)
    throw new InputError(
      `Cannot use ${source}: it has no .tsv; name the folder of a language, with clips and train.tsv`,
    );
  const clips = join(source, 'clips');
  const present = new Set(existsSync(clips) ? readdirSync(clips) : []);
  return { subsets, read: (subset, report) => readTable(join(source, `${subset}.tsv`), { clips, present, report }) };
}

function readTable(
  file: string,
  { clips, present, report }: { clips: string; present: ReadonlySet<string>; report: Report },
): CorpusUtterance[] {
  const [heading = '', ...lines] = readUtf8(file)
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r?\n/);
  const names = heading.split('\t');
  const [client, path, sentence] = ['client_id', 'path', 'sentence'].map((name) => names.indexOf(name)) as [
    number,
    number,
    number,
  ];
  if (Math.min(client, path, sentence) < 0) {
    report(`${file}, line 1: its columns are not those of Common Voice, client_id, path, sentence`);
    return [];
  }
  return lines.flatMap((line, i) => {
    const place = `${file}, line ${i + 2}`;
    const fields = line.split('\t');
    if (fields.length !== names.length) {
      report(`${place}: it has ${fields.length} fields, the heading ${names.length}`);
      return [];
    }
    const name = /\.[a-z0-9]+$/i.test(fields[path]!) ? fields[path]! : `${fields[path]}.mp3`;
    const id = name.replace(/\.[^.]*$/, '');
    if (!present.has(name)) report(`${place}: there is no clip ${join(clips, name)}`, id);
    if (!fields[client]) report(`${place}: ${id} has no client_id`);
    const said = [{ text: fields[sentence]!, place }];
    return [{ id, speaker: fields[client]!, audio: join(clips, name), said, place }];
  });
}
