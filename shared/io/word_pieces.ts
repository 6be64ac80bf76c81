import { readFileSync } from 'node:fs';
import { InputError } from './errors.ts';

/** How a tokenizer cuts words. */
export interface WordPieces {
  /** All pieces that it has, in the order of their ids. */
  pieces: string[];
  /** Pieces of a word; undefined where it has none for some of its letters. */
  piecesOf(word: string): string[] | undefined;
}

/** What a word begins with. */
const beginning = '▁';

/**
 * The word pieces of a tokenizer.json, as the tokenizers library writes it: BPE or unigram, words marked by `▁` at their
 * beginning, as in SentencePiece.
 *
 * @throws {InputError} when it is not such a file
 * @see Kudo, Richardson (2018), SentencePiece: A simple and language independent subword tokenizer
 */
export async function openWordPieces(path: string): Promise<WordPieces> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  let tokenizer: InstanceType<typeof Tokenizer>;
  let special: Set<string>;
  try {
    const description = JSON.parse(readFileSync(path, 'utf8'));
    tokenizer = new Tokenizer(description, {});
    const added: { content: string; special: boolean }[] = description.added_tokens ?? [];
    special = new Set(added.filter((token) => token.special).map(({ content }) => content));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall) throw error;
    throw new InputError(
      `Cannot use ${path}: it is no tokenizer.json (${(error as Error).message}); make one with pipelines/corpora/train_tokenizer.py`,
    );
  }
  const pieces = [...tokenizer.get_vocab()]
    .sort(([, a], [, b]) => a - b)
    .map(([piece]) => piece)
    .filter((piece) => !special.has(piece) && !/\s/.test(piece));
  const known = new Set(pieces);
  if (!pieces.some((piece) => piece.startsWith(beginning)))
    throw new InputError(
      `Cannot use ${path}: none of its pieces begins with ${beginning}, so that words cannot be told; train it with Metaspace`,
    );
  return {
    pieces,
    piecesOf(word) {
      const tokens: string[] = tokenizer.encode(word, { add_special_tokens: false }).tokens;
      const isWord = tokens.every((piece, i) => known.has(piece) && piece.startsWith(beginning) === (i === 0));
      return tokens.length > 0 && isWord ? tokens : undefined;
    },
  };
}
