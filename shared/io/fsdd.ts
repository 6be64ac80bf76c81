import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './errors.ts';
import { openFlac } from './flac.ts';

/** A spoken digit of the Free Spoken Digit Dataset. */
export interface DigitRecording {
  speaker: string;
  digit: number;
  /** 0 to 49; 0 to 4 are the corpus's own test set. */
  index: number;
  /** 8 kHz, on the scale of 16-bit integers. */
  samples: Float32Array;
}

export const sampleRateHz = 8000;

/**
 * All recordings of the embedded corpus: `index.tsv` and one FLAC file a speaker.
 *
 * @throws {InputError} when a line of the index or its audio is not as it should be
 */
export async function readFsdd(folder: string): Promise<DigitRecording[]> {
  const file = join(folder, 'index.tsv');
  const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  if (head !== 'speaker\tdigit\tindex\tfirst_sample\tsamples') {
    throw new InputError(`Cannot read ${file}: line 1 is not its heading; copy data/fsdd again`);
  }
  const speakers = new Map<string, Float32Array>();
  const recordings: DigitRecording[] = [];
  for (const [i, line] of lines.entries()) {
    const [speaker = '', ...numbers] = line.split('\t');
    const [digit, index, first, count] = numbers.map(Number);
    if (!speakers.has(speaker)) {
      const audio = await openFlac(join(folder, `${speaker}.flac`));
      speakers.set(speaker, audio.read(0, audio.length));
    }
    const samples = speakers.get(speaker)!.subarray(first!, first! + count!);
    if (numbers.length !== 4 || !(samples.length > 0 && samples.length === count)) {
      throw new InputError(
        `Cannot read ${file}: line ${i + 2} names samples that ${speaker}.flac does not have; copy data/fsdd again`,
      );
    }
    recordings.push({ speaker, digit: digit!, index: index!, samples });
  }
  return recordings;
}
