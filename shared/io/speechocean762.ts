import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createRandom } from '../math/random.ts';
import { bigramArpaOf } from '../text/arpa.ts';
import { languageOf, type Units } from '../text/units.ts';
import { writeDataDirectory } from './data_directory_writer.ts';
import { InputError } from './errors.ts';
import type { OutputFolder } from './output_folder.ts';

export interface Speechocean762Options {
  /** Folder of the corpus: its original archive unpacked, or a copy of the same layout. */
  source: string;
  /** Folder that the data directories will lie in: paths of audio are relative to it. */
  out: string;
  /** Share of the training utterances that keep their transcripts; the others go to `untranscribed`. */
  transcribed: number;
  /** What tokens stand for: states of a phone, or whole phones beside a blank. */
  units: Units;
  /** Tokens of each phone, passed one after another; with states. */
  states: number;
  seed: number;
}

interface PhoneUtterance {
  id: string;
  speaker: string;
  /** Where the audio is, relative to the corpus. */
  path: string;
  phones: readonly string[];
}

const adultAge = 18;
/** Of the training speakers, in the order of their names, one of nine is dev. */
const isDev = (place: number): boolean => place % 9 === 4;

/**
 * Read English of Mandarin speakers, adults only: data directories `train`, `dev`, `test`, and `untranscribed` where some
 * training transcripts are put away; and `lm.arpa`, the phones' bigram model of the transcripts left. Their words are the
 * 39 phones without stress of the canonical pronunciation. Training and test speakers are the corpus's own; dev is 7 of
 * the 67 of training.
 * Yields what each holds once it is written.
 *
 * @throws {InputError} when a file of the corpus is not as it should be
 * @see Zhang et al. (2021), speechocean762: An Open-Source Non-native English Speech Corpus For Pronunciation Assessment
 */
export function* writeSpeechocean762(out: Pick<OutputFolder, 'writeText'>, options: Speechocean762Options) {
  const phonesOf = readPhones(join(options.source, 'resource', 'text-phone'));
  const [training, test] = ['train', 'test'].map((split) => readSplit(options.source, split, phonesOf));
  const speakers = [...new Set(training!.map(({ speaker }) => speaker))].sort();
  const devSpeakers = new Set(speakers.filter((_, place) => isDev(place)));
  const ours = training!.filter(({ speaker }) => !devSpeakers.has(speaker));
  const keeps = new Map(
    ours.map(({ id }) => [id, createRandom(options.seed, 'transcribed', id).uniform() < options.transcribed]),
  );
  const splits = {
    train: ours.filter(({ id }) => keeps.get(id)),
    untranscribed: ours.filter(({ id }) => !keeps.get(id)),
    dev: training!.filter(({ speaker }) => devSpeakers.has(speaker)),
    test: test!,
  };
  const phones = [...new Set([...phonesOf.values()].flat())].sort();
  const language = languageOf(phones, options);
  const said = splits.train.map(({ phones }) => phones);
  out.writeText('lm.arpa', bigramArpaOf(said, phones));
  for (const [name, utterances] of Object.entries(splits)) {
    if (utterances.length === 0) {
      if (name === 'untranscribed') continue;
      throw new InputError(`Cannot use ${options.source}: no adult speaks in its ${name} part; unpack it again`);
    }
    const directory = resolve(options.out, name);
    writeDataDirectory(out, name, {
      recordings: utterances.map(({ id, path }) => ({
        id,
        path: relative(directory, resolve(options.source, path)),
      })),
      utterances: utterances.map(({ id, speaker, phones }) => ({
        ...{ id, speaker },
        ...(name !== 'untranscribed' && { words: phones }),
      })),
      ...language,
    });
    yield {
      name,
      utterances: utterances.length,
      speakers: new Set(utterances.map(({ speaker }) => speaker)).size,
      words: utterances.reduce((sum, { phones }) => sum + phones.length, 0),
    };
  }
}

/** Phones of each utterance, from lines of `utterance.word  PHONE_B PHONE1_I …`. */
function readPhones(file: string): Map<string, string[]> {
  const phones = new Map<string, string[]>();
  for (const { id, rest, place } of linesOf(file)) {
    const [, utterance, word] = /^(.+)\.(\d+)$/.exec(id) ?? [];
    const spelled = rest.map((phone) => /^([A-Z]+)[0-2]?(_[BIES])?$/.exec(phone)?.[1]);
    if (!utterance || spelled.length === 0 || spelled.includes(undefined))
      throw new InputError(`Cannot read ${place}: it is not "utterance.word phone phone …"; unpack the corpus again`);
    if (Number(word) === 0) phones.set(utterance, []);
    phones.get(utterance)?.push(...(spelled as string[]));
  }
  return phones;
}

function readSplit(source: string, split: string, phonesOf: ReadonlyMap<string, string[]>): PhoneUtterance[] {
  const table = (name: string): Map<string, string> =>
    new Map(linesOf(join(source, split, name)).map(({ id, rest }) => [id, rest.join(' ')]));
  const [speakers, ages] = [table('utt2spk'), table('spk2age')];
  return [...table('wav.scp')]
    .map(([id, path]) => {
      const speaker = speakers.get(id);
      const phones = phonesOf.get(id);
      const age = Number(speaker && ages.get(speaker));
      const lacks = [
        !speaker && `${split}/utt2spk`,
        speaker && !(age > 0) && `${split}/spk2age`,
        !phones && 'resource/text-phone',
        !existsSync(join(source, path)) && path,
      ].filter(Boolean);
      if (lacks.length > 0)
        throw new InputError(
          `Cannot use ${source}: it has utterance ${id}, but not its ${lacks.join(', ')}; unpack it again`,
        );
      return { id, speaker: speaker!, path, phones: phones!, age };
    })
    .filter(({ age }) => age >= adultAge)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function linesOf(file: string): { id: string; rest: string[]; place: string }[] {
  if (!existsSync(file))
    throw new InputError(`Cannot find ${file}; name the folder of speechocean762 that holds train, test and resource`);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line, i) => {
      const [id = '', ...rest] = line.trim().split(/\s+/);
      return { id, rest, place: `${file}, line ${i + 1}` };
    });
}
