import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../io/errors.ts';
import type { InputFolder } from '../io/report_file.ts';
import { type Listed, openUtterances, sharedUtterances } from '../io/utterance_table.ts';
import { createFeatureSource } from './feature_source.ts';
import { objectiveOf } from './objective.ts';
import type { Teacher } from './teacher.ts';
import { tokensOf } from './teacher_description.ts';

/** What the report of a cache says of a teacher. */
interface Reported {
  name: string;
  id: string;
  prior: number[];
  selfLoop?: number[];
}

/**
 * The teachers of a folder of cache_logits, answering what they answered then.
 *
 * @param listed what they are to answer
 * @throws {InputError} when it has no dense posteriors, or not of every utterance
 */
export async function openCachedTeachers({ path, report }: InputFolder, listed: Listed): Promise<Teacher[]> {
  const table = await openUtterances(path, { format: 'logits' });
  const { metadata, columns } = table;
  const reported = report.teachers as Reported[] | undefined;
  const dense = Object.keys(columns).filter((column) => column.startsWith('logPosteriors_'));
  if (dense.length === 0 || dense.length !== reported?.length) {
    await table.close();
    throw new InputError(
      `Cannot use ${path} as a teacher: it has no column of posteriors for each of its teachers; cache them dense, one column a teacher`,
    );
  }
  sharedUtterances(listed, table, 'posteriors');
  const tokens = tokensOf(readFileSync(join(path, 'tokens.txt'), 'utf8'), path);
  const rows = createFeatureSource(table);
  return dense.map((column, i) => {
    const { name, id, prior, selfLoop, ...about } = reported[i]!;
    return {
      ...{ path, name, id, prior, selfLoop, about, ...tokens },
      objective: objectiveOf(metadata),
      tokenRules: {},
      shiftMs: Number(metadata['kd.frameShiftMs']),
      firstCentreMs: Number(metadata['kd.firstFrameCentreMs']),
      answer: async (utterance) => (await rows.rowOf(utterance))[column] as Float32Array,
      framesOf: async (utterance) => (await rows.rowOf(utterance)).frames,
      close: async () => (i === 0 ? table.close() : undefined), // all of them read one file
    };
  });
}
