import type { AlignedUtterance, ScoredUtterance } from '../scored_utterances.ts';

/** An utterance with an alignment that has so many errors: substitutions first, insertions last. */
export function alignedUtterance(counts: Omit<ScoredUtterance, 'speaker'> & { speaker?: string }): AlignedUtterance {
  const { words, insertions, deletions, substitutions } = counts;
  const right = words - substitutions - deletions;
  const steps = { S: substitutions, D: deletions, C: right, I: insertions };
  return {
    speaker: 's',
    ...counts,
    operations: Object.entries(steps).map(([step, times]) => step.repeat(times)).join(''),
  };
}
