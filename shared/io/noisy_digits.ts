import { babble, colouredNoise, mixAt, noiseColours, power } from '../math/noise.ts';
import { createRandom, type Random } from '../math/random.ts';
import { languageOf, type Units } from '../text/units.ts';
import { type WrittenUtterance, writeDataDirectory } from './data_directory_writer.ts';
import { UsageError } from './errors.ts';
import { type DigitRecording, readFsdd, sampleRateHz } from './fsdd.ts';
import type { OutputFolder } from './output_folder.ts';
import { writeWav } from './wav.ts';

export interface NoisyDigitsOptions {
  /** Folder of the digits, see `readFsdd`. */
  source: string;
  protocol: 'seen' | 'unseen';
  /** Unseen: which speaker is kept for the test; the next one is dev. */
  rotation: number;
  /** Share of the training utterances that keep their transcripts; the others go to `untranscribed`. */
  transcribed: number;
  /** What tokens stand for. */
  units: Units;
  /** Of strings, pauses and noise. */
  seed: number;
}

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const statesPerWord = 4;

/** Recordings of each split, and how many times each is used. The test split is the corpus's own. */
const splits = {
  test: { first: 0, last: 4, copies: 5 },
  dev: { first: 5, last: 9, copies: 3 },
  train: { first: 10, last: 15, copies: 6 },
  untranscribed: { first: 16, last: 49, copies: 1 },
} as const;
type SplitName = keyof typeof splits;

const snrsDb = [0, 5, 10, 15, 20];
const noises = [...noiseColours, 'babble'] as const;
/** Voices of a babble. */
const voices = 4;
/** Louder mixtures are turned down as a whole. */
const loudest = 32000;

/**
 * Strings of connected digits in noise, made from single ones: data directories `train`, `untranscribed`, `dev`, `test`.
 * Yields what each holds once it is written.
 */
export async function* writeNoisyDigits(
  out: Pick<OutputFolder, 'writeText' | 'createFile'>,
  options: NoisyDigitsOptions,
) {
  const recordings = await readFsdd(options.source);
  const everyone = [...new Set(recordings.map(({ speaker }) => speaker))].sort();
  const keepsTranscript = ({ id }: Mixed): boolean =>
    createRandom(options.seed, 'transcribed', id).uniform() < options.transcribed;
  let putAway: Mixed[] = [];
  for (const name of Object.keys(splits) as SplitName[]) {
    const { speakers, babblers } = castOf(name, everyone, options);
    const { last, copies } = splitOf(name, options);
    const of = (who: readonly string[], last: number) =>
      recordings.filter(({ speaker, index }) => who.includes(speaker) && index >= splits[name].first && index <= last);
    const mixed = speakers.flatMap((speaker): Mixed[] => {
      const own = of([speaker], last);
      const others = of(
        babblers.filter((babbler) => babbler !== speaker),
        splits[name].last,
      );
      return Array.from({ length: copies }, (_, copy) =>
        stringsOf(own, createRandom(options.seed, 'strings', name, speaker, copy)).map((digits, i) => {
          const id = `${speaker}-${name}-${copy}-${String(i).padStart(3, '0')}`;
          return { id, speaker, ...mixture(digits, others, createRandom(options.seed, 'mixture', id)) };
        }),
      ).flat();
    });
    if (name === 'train') putAway = mixed.filter((utterance) => !keepsTranscript(utterance));
    const utterances =
      name === 'train' ? mixed.filter(keepsTranscript) : name === 'untranscribed' ? merged(mixed, putAway) : mixed;
    if (utterances.length === 0) {
      throw new UsageError(
        `--transcribed ${options.transcribed} leaves no utterance of ${mixed.length} a transcript: raise it`,
      );
    }
    writeSplit(out, name, utterances, options);
    yield {
      name,
      utterances: utterances.length,
      words: utterances.reduce((sum, { times }) => sum + times.length, 0),
      seconds: utterances.reduce((sum, { samples }) => sum + samples.length, 0) / sampleRateHz,
    };
  }
}

/** In the order of their ids. */
const merged = (some: readonly Mixed[], others: readonly Mixed[]): Mixed[] =>
  [...some, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));

/**
 * Who speaks in a split, and who may babble behind them.
 *
 * With unseen speakers nobody of a later split is heard in an earlier one: the test speaker nowhere else, the dev
 * speaker not in training. The test split has the very utterances of the protocol of seen speakers, so that the six
 * rotations together are the same test; so the voices babbling there, in recordings used nowhere else, may be those
 * of training speakers. The training splits have the strings, pauses and noise of that protocol, the babble aside.
 */
function castOf(
  name: SplitName,
  everyone: readonly string[],
  { protocol, rotation }: NoisyDigitsOptions,
): { speakers: readonly string[]; babblers: readonly string[] } {
  if (protocol === 'seen') return { speakers: everyone, babblers: everyone };
  const [test, dev] = [everyone[rotation]!, everyone[(rotation + 1) % everyone.length]!];
  const others = everyone.filter((speaker) => speaker !== test && speaker !== dev);
  if (name === 'test') return { speakers: [test], babblers: everyone };
  if (name === 'dev') return { speakers: [dev], babblers: [dev, ...others] };
  return { speakers: others, babblers: others };
}

/** A dev speaker of its own has no other use for its training recordings: they make dev larger. */
function splitOf(name: SplitName, { protocol }: NoisyDigitsOptions): { last: number; copies: number } {
  return name === 'dev' && protocol === 'unseen' ? { ...splits.dev, last: splits.train.last } : splits[name];
}

/** All recordings in random order, cut into strings of 3 to 7. */
function stringsOf(recordings: readonly DigitRecording[], random: Random): DigitRecording[][] {
  const shuffled = random.shuffle([...recordings]);
  const strings: DigitRecording[][] = [];
  for (let place = 0; place < shuffled.length; ) {
    const left = shuffled.length - place;
    const lengths = [3, 4, 5, 6, 7].filter((length) => length === left || left - length >= 3);
    const length = lengths[random.integer(lengths.length)]!;
    strings.push(shuffled.slice(place, place + length));
    place += length;
  }
  return strings;
}

interface Time {
  word: string;
  first: number;
  samples: number;
}

/**
 * A string of digits in silence and noise, and when each digit is said.
 *
 * The signal is the mean power within the digits, pauses left out; the noise's is that over the whole utterance. What
 * is drawn for the babble is drawn last: with other babblers, all else of the utterance stays.
 */
function mixture(
  digits: readonly DigitRecording[],
  others: readonly DigitRecording[],
  random: Random,
): Pick<Mixed, 'samples' | 'times' | 'noise' | 'snrDb'> {
  const pause = (fromMs: number, toMs: number): number =>
    Math.round(((fromMs + (toMs - fromMs) * random.uniform()) * sampleRateHz) / 1000);
  const times: Time[] = [];
  let place = 0;
  for (const { digit, samples } of digits) {
    place += place === 0 ? pause(50, 250) : pause(0, 200);
    times.push({ word: words[digit]!, first: place, samples: samples.length });
    place += samples.length;
  }
  const speech = new Float32Array(place + pause(50, 250));
  let energy = 0;
  digits.forEach(({ samples }, i) => {
    speech.set(samples, times[i]!.first);
    energy += power(samples) * samples.length;
  });
  const speechPower = energy / times.reduce((sum, { samples }) => sum + samples, 0);
  const snrDb = snrsDb[random.integer(snrsDb.length)]!;
  const kind = noises[random.integer(noises.length)]!;
  const length = speech.length;
  const voicesOf = others.map(({ samples }) => samples);
  const noise = kind === 'babble' ? babble(voicesOf, { voices, length, random }) : colouredNoise(kind, length, random);
  return { samples: mixAt({ speech, noise, speechPower, snrDb, loudest }), times, noise: kind, snrDb };
}

interface Mixed {
  id: string;
  speaker: string;
  samples: Int16Array;
  times: readonly Time[];
  noise: (typeof noises)[number];
  snrDb: number;
}

/**
 * One WAV file a speaker, its utterances one after another. `utt2noise` has the noise and the signal-to-noise ratio in
 * dB of each, `ctm` the times of the digits.
 */
function writeSplit(
  out: Pick<OutputFolder, 'writeText' | 'createFile'>,
  name: SplitName,
  mixed: readonly Mixed[],
  { units }: NoisyDigitsOptions,
): void {
  const recordings: { id: string; path: string }[] = [];
  const utterances: WrittenUtterance[] = [];
  for (const speaker of new Set(mixed.map(({ speaker }) => speaker))) {
    const recording = `${speaker}-${name}`;
    const path = `wav/${speaker}.wav`;
    const spoken = mixed.filter((utterance) => utterance.speaker === speaker);
    const audio = new Int16Array(spoken.reduce((sum, { samples }) => sum + samples.length, 0));
    let place = 0;
    for (const { id, samples, times } of spoken) {
      audio.set(samples, place);
      const segment = {
        recording,
        startSeconds: place / sampleRateHz,
        endSeconds: (place + samples.length) / sampleRateHz,
      };
      const words = name === 'untranscribed' ? undefined : times.map(({ word }) => word);
      utterances.push({ id, speaker, segment, ...(words && { words }) });
      place += samples.length;
    }
    writeWav(out.createFile(`${name}/${path}`), audio, sampleRateHz);
    recordings.push({ id: recording, path });
  }
  writeDataDirectory(out, name, {
    recordings,
    utterances,
    ...languageOf(words, { units, states: statesPerWord }),
  });
  const write = (file: string, lines: readonly string[]): void =>
    out.writeText(`${name}/${file}`, `${lines.join('\n')}\n`);
  write(
    'utt2noise',
    mixed.map(({ id, noise, snrDb }) => `${id} ${noise} ${snrDb}`),
  );
  if (name === 'untranscribed') return;
  const seconds = (samples: number): string => (samples / sampleRateHz).toFixed(6);
  write(
    'ctm',
    mixed.flatMap(({ id, times }) =>
      times.map(({ word, first, samples }) => `${id} 1 ${seconds(first)} ${seconds(samples)} ${word}`),
    ),
  );
}
