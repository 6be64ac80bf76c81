import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataDirectory } from '../io/data_directory.ts';
import { InputError } from '../io/errors.ts';
import type { Skip } from '../io/stage.ts';
import { sharedUtterances } from '../io/utterance_table.ts';
import { fewestCtcFrames } from '../math/ctc_collapse.ts';
import { logSoftmax } from '../math/log_softmax.ts';
import { outputFrameCount } from '../math/splice.ts';
import { blankSymbol } from '../text/units.ts';
import { type Source, usedRows } from './batches.ts';

/**
 * The tokens of each word, its first pronunciation, where token 0 is the blank.
 *
 * @throws {InputError} where it is not
 */
function tokensOfWords({ path, tokens, lexicon }: Pick<DataDirectory, 'path' | 'tokens' | 'lexicon'>): Uint16Array[] {
  if (tokens.symbols[0] !== blankSymbol) {
    throw new InputError(
      `Cannot use ${path} with CTC: token 0 of tokens.txt is ${tokens.symbols[0]}, not the blank ${blankSymbol}; make it with prepare_corpus --units words, or --objective ctc`,
    );
  }
  const tokensOf: Uint16Array[] = [];
  for (const { word, tokens: own } of lexicon.pronunciations) {
    if (own.includes(0)) {
      throw new InputError(
        `Cannot use ${path} with CTC: word "${lexicon.words[word]}" has the token of the blank in lexicon.txt; take it out`,
      );
    }
    tokensOf[word] ??= own;
  }
  return tokensOf;
}

interface Fitting {
  /** Input frames per output frame. */
  stride: number;
  skip: Skip;
}

/**
 * A source with the transcripts of its utterances, as tokens; those that have none, or too few frames for theirs, are
 * skipped.
 *
 * @throws {InputError} when a token or word does not fit, or no words are left
 */
export async function withTranscripts(source: Source, data: DataDirectory, { stride, skip }: Fitting): Promise<Source> {
  const tokensOf = tokensOfWords(data);
  const transcripts = new Map<string, Int32Array>();
  for (const { id } of data.utterances) {
    const words = data.wordsOf(id);
    if (words) transcripts.set(id, Int32Array.from(Array.from(words, (word) => [...tokensOf[word]!]).flat()));
  }
  const { path } = source.features;
  const said = { path: data.path, utterances: [...transcripts.keys()] };
  const utterances = sharedUtterances({ path, utterances: source.utterances }, said, 'transcript', skip);
  const sequencesOf = (utterance: string) => [transcripts.get(utterance)!];
  const advice = `check its audio and its text in ${data.path}, or lower --stride`;
  const long = await longEnough({ ...source, utterances }, { stride, skip, sequencesOf, advice });
  if (!long.some((utterance) => transcripts.get(utterance)!.length > 0))
    throw new InputError(`Cannot train on ${path}: no words are said in it; check text in ${data.path}`);
  return { ...source, utterances: long, transcripts };
}

/**
 * A source with what teachers hear in its utterances: `n_best.txt` of decode, lines of `utterance score word word …`,
 * scores in nats. The probabilities of an utterance's word sequences are the softmax of their scores. Utterances that
 * have none, or too few frames for one of theirs, are skipped.
 *
 * @throws {InputError} when a line does not fit, naming it
 */
export async function withHypotheses(
  source: Source,
  { folder, data, stride, skip }: Fitting & { folder: string; data: DataDirectory },
): Promise<Source> {
  const file = join(folder, 'n_best.txt');
  const heard = new Map<string, { labels: Int32Array; score: number }[]>();
  const tokensOf = tokensOfWords(data);
  const tokensOfName = new Map(data.lexicon.words.map((name, word) => [name, [...tokensOf[word]!]]));
  readNBest(file).forEach(({ utterance, score, words }, line) => {
    const unknown = words.find((name) => !tokensOfName.has(name));
    if (unknown !== undefined) {
      throw new InputError(
        `Cannot use ${file}:${line + 1}: word "${unknown}" is not in the lexicon of ${data.path}; decode with the same data`,
      );
    }
    const labels = Int32Array.from(words.flatMap((name) => tokensOfName.get(name)!));
    const all = heard.get(utterance);
    if (all) all.push({ labels, score });
    else heard.set(utterance, [{ labels, score }]);
  });
  const { path } = source.features;
  const found = { path: folder, utterances: [...heard.keys()] };
  const utterances = sharedUtterances({ path, utterances: source.utterances }, found, 'hypothesis', skip);
  const sequencesOf = (utterance: string) => heard.get(utterance)!.map(({ labels }) => labels);
  const advice = `they were found in ${folder}: decode with teachers of as many output frames, or lower --stride`;
  const long = await longEnough({ ...source, utterances }, { stride, skip, sequencesOf, advice });
  const hypotheses = new Map(
    long.map((utterance) => {
      const several = heard.get(utterance)!;
      const logs = logSoftmax(
        Float32Array.from(several, ({ score }) => score),
        several.length,
      );
      return [utterance, several.map(({ labels }, i) => ({ labels, weight: Math.exp(logs[i]!) }))];
    }),
  );
  return { ...source, utterances: long, hypotheses };
}

function readNBest(file: string): { utterance: string; score: number; words: string[] }[] {
  if (!existsSync(file)) throw new InputError(`Cannot read ${file}: it is not there; run decode with --n-best`);
  const lines = readFileSync(file, 'utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    const [utterance = '', score = '', ...words] = line.split(' ');
    if (utterance !== '' && score !== '' && Number.isFinite(Number(score)))
      return { utterance, score: Number(score), words };
    throw new InputError(
      `Cannot use ${file}:${i + 1}: "${line}" is not an utterance, a score and words; run decode again`,
    );
  });
}

/** The utterances of a source whose frames suffice for each of their token sequences; the others are skipped. */
async function longEnough(
  { features, utterances }: Source,
  { stride, skip, sequencesOf, advice }: Fitting & { sequencesOf: (utterance: string) => Int32Array[]; advice: string },
): Promise<string[]> {
  const long = new Set<string>();
  for await (const { utterance, frames } of usedRows({ features, utterances })) {
    const has = outputFrameCount(frames, stride);
    const tooLong = sequencesOf(utterance).find((tokens) => fewestCtcFrames(tokens) > has);
    if (!tooLong) {
      long.add(utterance);
      continue;
    }
    skip(
      [utterance],
      new InputError(
        `Cannot train on utterance "${utterance}": its ${tooLong.length} tokens need ${fewestCtcFrames(tooLong)} output frames, it has ${has}; ${advice}`,
      ),
    );
  }
  return utterances.filter((utterance) => long.has(utterance));
}
