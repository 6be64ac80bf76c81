import type { OutputFolder } from './output_folder.ts';

/** A data directory to write; lines come in the order of the utterances, which is to be that of their ids. */
export interface WrittenDirectory {
  /** Audio files by recording, paths relative to the directory. */
  recordings: readonly { id: string; path: string }[];
  utterances: readonly WrittenUtterance[];
  /** Symbols in the order of their ids. */
  tokens: readonly string[];
  /** How each word is made of tokens. */
  lexicon: readonly (readonly [word: string, ...tokens: string[]])[];
}

export interface WrittenUtterance {
  id: string;
  speaker: string;
  /** Where it lies, when it is not a recording of its own. */
  segment?: { recording: string; startSeconds: number; endSeconds: number };
  /** Absent where there is no transcript. */
  words?: readonly string[];
}

/** Writes Kaldi's text files of a data directory into a folder of the output. */
export function writeDataDirectory(
  out: Pick<OutputFolder, 'writeText'>,
  name: string,
  { recordings, utterances, tokens, lexicon }: WrittenDirectory,
): void {
  const write = (file: string, lines: readonly string[]): void =>
    out.writeText(`${name}/${file}`, `${lines.join('\n')}\n`);
  write(
    'wav.scp',
    recordings.map(({ id, path }) => `${id} ${path}`),
  );
  if (utterances.some(({ segment }) => segment)) {
    write(
      'segments',
      utterances.map(({ id, segment }) => {
        const { recording, startSeconds, endSeconds } = segment!;
        return `${id} ${recording} ${startSeconds.toFixed(6)} ${endSeconds.toFixed(6)}`;
      }),
    );
  }
  write(
    'utt2spk',
    utterances.map(({ id, speaker }) => `${id} ${speaker}`),
  );
  const ofSpeakers = new Map<string, string[]>();
  for (const { id, speaker } of utterances) ofSpeakers.set(speaker, [...(ofSpeakers.get(speaker) ?? []), id]);
  write(
    'spk2utt',
    [...ofSpeakers].map(([speaker, spoken]) => [speaker, ...spoken].join(' ')),
  );
  write(
    'tokens.txt',
    tokens.map((symbol, id) => `${symbol} ${id}`),
  );
  write(
    'lexicon.txt',
    lexicon.map((line) => line.join(' ')),
  );
  if (utterances.every(({ words }) => words)) {
    write(
      'text',
      utterances.map(({ id, words }) => [id, ...words!].join(' ')),
    );
  }
}
