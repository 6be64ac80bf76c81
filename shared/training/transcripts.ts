import type { DataDirectory } from '../io/data_directory.ts';
import { InputError } from '../io/errors.ts';
import type { Skip } from '../io/stage.ts';
import { sharedUtterances } from '../io/utterance_table.ts';
import { fewestCtcFrames } from '../math/ctc_collapse.ts';
import { outputFrameCount } from '../math/splice.ts';
import { blankSymbol } from '../text/units.ts';
import { type Source, usedRows } from './batches.ts';

/**
 * The token of each word, where token 0 is the blank and each word one token of its own.
 *
 * @throws {InputError} naming the word, or the token, that is not so
 */
export function tokenOfWords({
  path,
  tokens,
  lexicon,
}: Pick<DataDirectory, 'path' | 'tokens' | 'lexicon'>): Int32Array {
  const refuse = (why: string): InputError =>
    new InputError(`Cannot use ${path} with CTC: ${why}; make it with prepare_corpus --units words`);
  if (tokens.symbols[0] !== blankSymbol)
    throw refuse(`token 0 of tokens.txt is ${tokens.symbols[0]}, not the blank ${blankSymbol}`);
  const tokenOf = new Int32Array(lexicon.words.length);
  const wordOf = new Map<number, string>([[0, 'the blank']]);
  for (const { word, tokens: own } of lexicon.pronunciations) {
    const name = lexicon.words[word]!;
    if (own.length !== 1) throw refuse(`word "${name}" has ${own.length} tokens in lexicon.txt`);
    if (tokenOf[word] !== 0) throw refuse(`word "${name}" has several pronunciations in lexicon.txt`);
    const holder = wordOf.get(own[0]!);
    if (holder !== undefined) throw refuse(`word "${name}" has the token of ${holder} in lexicon.txt`);
    tokenOf[word] = own[0]!;
    wordOf.set(own[0]!, `"${name}"`);
  }
  return tokenOf;
}

/**
 * A source with the transcripts of its utterances, as tokens; those that have none, or too few frames for theirs, are
 * skipped.
 *
 * @param stride input frames per output frame
 * @throws {InputError} when a token or word does not fit, or no words are left
 */
export async function withTranscripts(
  source: Source,
  data: DataDirectory,
  { stride, skip }: { stride: number; skip: Skip },
): Promise<Source> {
  const tokenOf = tokenOfWords(data);
  const { path } = source.features;
  const transcripts = new Map<string, Int32Array>();
  for (const { id } of data.utterances) {
    const words = data.wordsOf(id);
    if (words)
      transcripts.set(
        id,
        Int32Array.from(words, (word) => tokenOf[word]!),
      );
  }
  const said = { path: data.path, utterances: [...transcripts.keys()] };
  const utterances = sharedUtterances({ path, utterances: source.utterances }, said, 'transcript', skip);
  const long = new Set<string>();
  let words = 0;
  for await (const { utterance, frames } of usedRows({ features: source.features, utterances })) {
    const transcript = transcripts.get(utterance)!;
    const [needed, has] = [fewestCtcFrames(transcript), outputFrameCount(frames, stride)];
    if (has >= needed) {
      long.add(utterance);
      words += transcript.length;
      continue;
    }
    skip(
      [utterance],
      new InputError(
        `Cannot train on utterance "${utterance}": its ${transcript.length} words need ${needed} output frames, it has ${has}; check its audio and its text in ${data.path}, or lower --stride`,
      ),
    );
  }
  if (words === 0) throw new InputError(`Cannot train on ${path}: no words are said in it; check text in ${data.path}`);
  return { ...source, utterances: utterances.filter((utterance) => long.has(utterance)), transcripts };
}
