import { InputError } from '../io/errors.ts';

/** What hard labels say: the token of each frame, or the transcript, wherever its tokens lie. */
export const objectives = ['frame', 'ctc'] as const;
export type ObjectiveName = (typeof objectives)[number];

/** What a table was made for by its metadata; those that do not say it are of frames. */
export const objectiveOf = (metadata: Readonly<Record<string, string>>): ObjectiveName =>
  metadata['kd.objective'] === 'ctc' ? 'ctc' : 'frame';

/** @throws {InputError} when soft targets are of models of the other objective */
export function checkObjective(
  { path, metadata }: { path: string; metadata: Readonly<Record<string, string>> },
  expected: ObjectiveName,
): void {
  const found = objectiveOf(metadata);
  if (found === expected) return;
  throw new InputError(
    `Cannot use ${path} with --objective ${expected}: its teachers were trained with --objective ${found}; take teachers of one objective with their student`,
  );
}
