import { UsageError } from '../io/errors.ts';
import { type CombineOptions, combinations } from '../math/combine.ts';
import type { TunedTeachers } from './tuned_teachers.ts';

/** One way to combine the teachers, and the name of what comes of it. */
export interface NamedCombination {
  name: string;
  /** As it was asked for: the rule, with weights where it has some. */
  rule: string;
  options: Omit<CombineOptions, 'vocabularySize'>;
}

/** NAME=RULE, RULE, or either with weights behind a colon. */
const form = new RegExp(
  `^(?:(?<name>[A-Za-z0-9][\\w-]*)=)?(?<rule>${combinations.join('|')}|weighted)(?::(?<weights>.*))?$`,
);

/**
 * The combinations that a command line asks for.
 *
 * @param asked `mean=linear`, `linear:1,0,2`, `geometric`, `best`, `weighted` (a linear one with the weights that were tuned)
 * @param tuned the teachers' own temperatures, and weights
 * @throws {UsageError} when one is not of that form, or two have one name, or weights do not fit the teachers
 */
export function namedCombinations(
  asked: readonly string[],
  { teachers, tuned }: { teachers: number; tuned?: TunedTeachers },
): NamedCombination[] {
  const found = asked.map((text) => {
    const parts = form.exec(text)?.groups;
    if (!parts) {
      throw new UsageError(
        `--combine ${text} is not NAME=RULE, where NAME is letters and digits, and RULE one of ${combinations.join(', ')}, weighted, with weights behind a colon if need be`,
      );
    }
    const rule = parts.rule as (typeof combinations)[number] | 'weighted';
    const weights = rule === 'weighted' ? tuned?.weights : weightsOf(parts.weights, teachers, text);
    if (rule === 'weighted' && parts.weights !== undefined) {
      throw new UsageError(`--combine ${text}: weighted has the weights of --combination; take linear for others`);
    }
    if (rule === 'weighted' && !tuned) {
      throw new UsageError(`--combine ${text} takes its weights from --combination: give it, or linear with weights`);
    }
    if (rule === 'best' && weights) {
      throw new UsageError(`--combine ${text}: best takes one teacher as it is; leave out the weights`);
    }
    const options: NamedCombination['options'] = {
      rule: rule === 'weighted' ? 'linear' : rule,
      ...(weights && { weights }),
      ...(tuned && { teacherTemperatures: tuned.teacherTemperatures }),
    };
    return { name: parts.name ?? rule, rule: text.slice(text.indexOf('=') + 1), options };
  });
  const names = found.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`--combine names ${twice} twice: give each a name of its own`);
  return found;
}

function weightsOf(text: string | undefined, teachers: number, asked: string): number[] | undefined {
  if (text === undefined) return undefined;
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (weights.length === teachers && weights.every((weight) => weight >= 0 && weight < Infinity)) {
    if (weights.some((weight) => weight > 0)) return weights;
    throw new UsageError(`--combine ${asked}: the weights are all 0; give one teacher some weight`);
  }
  throw new UsageError(`--combine ${asked} needs a weight, 0 or more, for each of ${teachers} teachers`);
}
