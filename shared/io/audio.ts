import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from './errors.ts';
import { openFlac } from './flac.ts';
import { mp3FrameAt, openMp3 } from './mp3.ts';
import { openOggOpus } from './ogg_opus.ts';
import { type Audio, openWav } from './wav.ts';

/**
 * Opens audio by what the file holds, not by its name: WAV, FLAC, Ogg Opus or MP3.
 *
 * @throws {InputError} when it is none of these, or damaged
 */
export async function openAudio(path: string): Promise<Audio> {
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  const kind = head.toString('latin1');
  if (kind.startsWith('RIFF') && kind.endsWith('WAVE')) return openWav(path);
  if (kind.startsWith('fLaC')) return openFlac(path);
  if (kind.startsWith('OggS')) return openOggOpus(path);
  const isTagged = kind.startsWith('ID3') && head[3]! <= 4; // version 2.2 to 2.4 of its tags
  if (isTagged || mp3FrameAt(head, 0)) return openMp3(path);
  throw new InputError(`Cannot read audio ${path}: it is neither WAV nor FLAC nor Ogg Opus nor MP3; convert it`);
}
