import type { Tokens } from '../text/tokens.ts';
import type { ObjectiveName } from './objective.ts';
import type { TokenRules } from './token_shares.ts';

/**
 * A teacher, wherever it comes from: it answers to utterances, in its own tokens and on its own frames. What puts several
 * into one ensemble is `openEnsemble`.
 */
export interface Teacher {
  /** Path, for messages. */
  path: string;
  /** For tables. */
  name: string;
  /** Key of what made the answers. */
  id: string;
  objective: ObjectiveName;
  tokens: Tokens;
  /** `tokens.txt`, as it is. */
  tokensText: string;
  /** How its tokens are found among others. */
  tokenRules: TokenRules;
  shiftMs: number;
  firstCentreMs: number;
  /** Mean posterior of each of its tokens on its training data, where that is known. */
  prior?: readonly number[];
  /** Self-loop probability of each of its tokens, where that is known; of frames. */
  selfLoop?: readonly number[];
  /** What the report says of it besides. */
  about: Record<string, unknown>;
  /**
   * What it says of an utterance: log-posteriors [frames × tokens], nats.
   *
   * @throws {InputError} when it has no answer, or none that is a distribution over its tokens
   */
  answer(utterance: string): Promise<Float32Array>;
  /** Of ours: how many frames an utterance has. They may count for the whole ensemble. */
  framesOf?(utterance: string): Promise<number>;
  close(): Promise<void>;
}
