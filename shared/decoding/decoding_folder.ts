import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256 } from '../io/digest.ts';
import { InputError } from '../io/errors.ts';
import type { InputFolder } from '../io/report_file.ts';
import type { SearchWeights } from '../math/word_search.ts';

/** How a model is decoded: what was tuned, and what it was tuned with; the content of `decoding.json`. */
export interface Decoding extends SearchWeights {
  /** Weights that were the best only as far as the grid went. */
  atEdge: string[];
  /** How wide the search was. */
  beam?: number;
  beamNats?: number;
  /** Digest of the ARPA file. */
  languageModel?: string;
  /** What made the posteriors it was tuned on, where that is not a model. */
  combinedAs?: string;
}

/** What is kept of a language model, so that weights are not taken for another. */
export const languageModelDigest = (path: string | undefined): { languageModel?: string } =>
  path === undefined ? {} : { languageModel: fileSha256(path) };

/** What weights will be used with: a model, by the id of its report, or posteriors, by what made them. */
export interface Decoded {
  path: string;
  id: string;
}

/**
 * Reads what decode --tune found.
 *
 * @throws {InputError} when it is not all there, or was tuned for another model or other posteriors, or another language model
 */
export function readDecoding(
  folder: InputFolder,
  { decoded, languageModel: file }: { decoded: Decoded; languageModel: string | undefined },
): Decoding {
  const { path } = folder;
  const place = join(path, 'decoding.json');
  if (!existsSync(place)) throw new InputError(`Cannot read ${place}: it is not there; run decode --tune`);
  const found: Decoding = JSON.parse(readFileSync(place, 'utf8'));
  const { acousticScale, priorScale, languageModelScale, insertionPenalty, languageModel } = found;
  if (!(acousticScale > 0 && priorScale >= 0 && languageModelScale >= 0 && Number.isFinite(insertionPenalty))) {
    throw new InputError(
      `Cannot use ${place}: it lacks a valid acousticScale, priorScale, languageModelScale or insertionPenalty; run decode --tune`,
    );
  }
  const { model, posteriors } = folder.report.inputs;
  if ((found.combinedAs ?? model?.[0]?.id) !== decoded.id) {
    throw new InputError(
      `Cannot use ${path} for ${decoded.path}: it was tuned for ${(model ?? posteriors)?.[0]?.path ?? 'something else'}; run decode --tune with the same model or ensemble`,
    );
  }
  if (languageModel !== languageModelDigest(file).languageModel) {
    throw new InputError(
      `Cannot use ${path}: it was tuned ${languageModel ? 'with another' : 'without a'} language model; run decode --tune with the same --language-model`,
    );
  }
  return found;
}
