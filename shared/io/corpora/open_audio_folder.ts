import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { readUtf8 } from '../utf8_file.ts';
import { audioName, type Corpus, type CorpusUtterance, type Report } from './corpus.ts';

/**
 * A folder of audio, each file with a .txt of the same name beside it. Folders within it that begin with train, dev, valid
 * or test are its subsets, where all audio lies in such; a speaker is the folder that a file lies in.
 *
 * @throws {InputError} where there is no audio
 */
export function openAudioFolder(source: string): Corpus {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(^|\/)\./.test(name))
    .sort();
  const audio = names.filter((name) => audioName.test(name));
  if (audio.length === 0)
    throw new InputError(`Cannot use ${source}: it has no audio of .wav, .flac, .opus, .ogg or .mp3; check the path`);
  const tops = [...new Set(audio.map((name) => /^((?:train|dev|valid|test)[^/]*)\//.exec(name)?.[1] ?? ''))];
  const subsets = tops.includes('') ? ['all'] : tops;
  return {
    subsets,
    read(subset, report) {
      const prefix = subset === 'all' ? '' : `${subset}/`;
      return readFiles(
        names.filter((name) => name.startsWith(prefix)),
        { source, prefix, report },
      );
    },
  };
}

function readFiles(
  names: readonly string[],
  { source, prefix, report }: { source: string; prefix: string; report: Report },
): CorpusUtterance[] {
  const transcripts = new Set(names.filter((name) => name.endsWith('.txt')));
  const taken = new Map<string, string>();
  const utterances: CorpusUtterance[] = [];
  for (const name of names.filter((name) => audioName.test(name))) {
    const place = join(source, name);
    const path = name.slice(prefix.length).replace(audioName, '');
    const id = path.replaceAll('/', '-').replace(/\s+/g, '_');
    const other = taken.get(id);
    if (other) report(`${place}: it comes to utterance ${id}, as ${other} does; rename one`);
    taken.set(id, place);
    const transcript = name.replace(audioName, '.txt');
    if (!transcripts.has(transcript)) {
      report(`${place}: there is no transcript ${join(source, transcript)}`, id);
      continue;
    }
    const speaker = path.includes('/')
      ? path
          .replace(/\/[^/]*$/, '')
          .replaceAll('/', '-')
          .replace(/\s+/g, '_')
      : 'unknown';
    utterances.push({ id, speaker, audio: place, said: linesOf(join(source, transcript)), place });
  }
  const heard = new Set(names.filter((name) => audioName.test(name)).map((name) => name.replace(audioName, '.txt')));
  for (const name of transcripts) if (!heard.has(name)) report(`${join(source, name)}: there is no audio beside it`);
  return utterances;
}

const linesOf = (file: string) =>
  readUtf8(file)
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((text, i) => ({ text, place: `${file}, line ${i + 1}` }));
