import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { wordsOfLine } from '../../text/fields.ts';
import { createVocabulary, spelling } from '../../text/vocabulary.ts';
import { placeOf, readUtterances } from '../data_directory.ts';
import { InputError } from '../errors.ts';
import type { Corpus, CorpusUtterance, Report } from './corpus.ts';

/**
 * Data directories of Kaldi, with `text`: one, or a folder of several. Paths in `wav.scp` are relative to their directory;
 * a pipe is refused, never run, but for one that only decodes a FLAC file, which is read instead.
 *
 * @throws {InputError} where there is no data directory
 */
export function openKaldi(source: string): Corpus {
  if (isDataDirectory(source))
    return { subsets: [basename(resolve(source))], read: (_, report) => readDirectory(source, report) };
  const subsets = readdirSync(source)
    .filter((name) => isDataDirectory(join(source, name)))
    .sort();
  if (subsets.length > 0) return { subsets, read: (subset, report) => readDirectory(join(source, subset), report) };
  throw new InputError(
    `Cannot use ${source}: there is no wav.scp in it or below; name a data directory, or a folder of some`,
  );
}

const isDataDirectory = (path: string): boolean => existsSync(join(path, 'wav.scp'));

/** The file of `flac -c -d -s FILE |`, as Kaldi's LibriSpeech recipe has it. */
const decodedFile = (audio: string): string =>
  /^flac(?:\s+(?:-c|-d|-s|-cd|-dc|-cds|-dcs|--stdout|--decode|--silent))+\s+([^-\s'"$`;&|<>]\S*)\s*\|$/.exec(
    audio,
  )?.[1] ?? audio;

function readDirectory(path: string, report: Report): CorpusUtterance[] {
  const problems: string[] = [];
  const { utterances, segments, restOf, linesOf, covers } = readUtterances(path, problems, decodedFile);
  const words = createVocabulary();
  const text = linesOf('text', { words });
  const said = new Map<string, CorpusUtterance['said']>();
  if (!text) problems.push(`${join(path, 'text')} is missing`);
  else {
    covers('text', text, ({ id }, lines, line) => {
      const spelled = Array.from(wordsOfLine(lines, line), (word) => spelling(words, word));
      said.set(id, [{ text: spelled.join(' '), place: placeOf(lines, line) }]);
    });
  }
  const listed = linesOf('spk2utt');
  const speakerOf = new Map(utterances.map(({ id, speaker }) => [id, speaker]));
  listed?.ids.forEach((speaker, line) => {
    for (const id of restOf(listed, line)) {
      if (speakerOf.get(id) !== speaker)
        problems.push(`${placeOf(listed, line)}: utt2spk has not ${id} by ${speaker}; make it again from utt2spk`);
    }
  });
  for (const problem of problems) report(problem);
  return utterances.map(({ id, speaker, audio, startSeconds, endSeconds }, i) => ({
    ...{ id, speaker, audio, said: said.get(id) ?? [] },
    ...(segments && {
      segment: { recording: restOf(segments, i)[0] ?? '', startSeconds: startSeconds!, endSeconds: endSeconds! },
    }),
    place: segments ? placeOf(segments, i) : `${join(path, 'wav.scp')}, line ${i + 1}`,
  }));
}
