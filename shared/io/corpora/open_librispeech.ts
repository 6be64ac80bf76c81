import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../errors.ts';
import { readUtf8 } from '../utf8_file.ts';
import { audioName, type Corpus, type CorpusUtterance, type Report, stemOf } from './corpus.ts';

/**
 * LibriSpeech, or any part of it, as its archives unpack: SUBSET/SPEAKER/CHAPTER with SPEAKER-CHAPTER.trans.txt and an audio
 * file for each of its lines. The folder may be the one that holds the subsets, the one above it, or a subset.
 *
 * @throws {InputError} where there is no subset
 * @see Panayotov, Chen, Povey, Khudanpur (2015), LibriSpeech: An ASR Corpus Based on Public Domain Audio Books
 */
export function openLibriSpeech(source: string): Corpus {
  const below = join(source, 'LibriSpeech');
  const root = existsSync(below) ? below : source;
  if (foldersIn(root).some(isNumber))
    return { subsets: [basename(root)], read: (_, report) => readSubset(root, report) };
  const subsets = foldersIn(root).filter((name) => foldersIn(join(root, name)).some(isNumber));
  if (subsets.length > 0) return { subsets, read: (subset, report) => readSubset(join(root, subset), report) };
  throw new InputError(
    `Cannot use ${source}: it has no folder of numbered speakers, as train-clean-100 or dev-clean; name the folder that LibriSpeech was unpacked to`,
  );
}

const isNumber = (name: string): boolean => /^\d+$/.test(name);

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();

function readSubset(path: string, report: Report): CorpusUtterance[] {
  return foldersIn(path).flatMap((speaker) =>
    foldersIn(join(path, speaker)).flatMap((chapter) =>
      readChapter(join(path, speaker, chapter), { speaker, chapter, report }),
    ),
  );
}

function readChapter(
  path: string,
  { speaker, chapter, report }: { speaker: string; chapter: string; report: Report },
): CorpusUtterance[] {
  const file = join(path, `${speaker}-${chapter}.trans.txt`);
  const names = readdirSync(path).filter((name) => audioName.test(name) && !name.startsWith('.'));
  const audioOf = new Map(names.map((name) => [stemOf(name), join(path, name)]));
  if (!existsSync(file)) {
    report(`${file}: it is missing, and ${names.length} audio files are there`);
    return [];
  }
  const utterances: CorpusUtterance[] = [];
  const lines = readUtf8(file).trimEnd().split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    const place = `${file}, line ${i + 1}`;
    const [, id, text] = /^(\S+)(?:\s+(.*))?$/.exec(line) ?? [];
    if (id === undefined) report(`${place}: "${line}" is not an utterance and its words`);
    else if (!id.startsWith(`${speaker}-${chapter}-`))
      report(`${place}: ${id} is not of speaker ${speaker}, chapter ${chapter}`);
    else {
      const audio = audioOf.get(id);
      audioOf.delete(id);
      if (audio) utterances.push({ id, speaker, audio, said: [{ text: text ?? '', place }], place });
      else report(`${place}: there is no audio ${join(path, id)}.flac, or ${id} came before`, id);
    }
  }
  for (const [id, audio] of audioOf) report(`${audio}: ${file} has no line for it`, id);
  return utterances;
}
