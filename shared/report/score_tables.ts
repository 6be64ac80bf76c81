import type { ErrorCounts } from '../math/word_error_rate.ts';
import { alignedTable } from './aligned_table.ts';
import { count, percent, plural } from './format.ts';

/** Errors by word, character or phone. */
export type RateName = 'wer' | 'cer' | 'per';

export interface Summary extends ErrorCounts {
  errors: number;
  /** Errors per word (character, phone) of the reference: null where there is none. */
  wer?: number | null;
  cer?: number | null;
  per?: number | null;
}

/** Sums, and the rate. */
export function summary(counts: readonly ErrorCounts[], rate: RateName): Summary {
  const total = { words: 0, insertions: 0, deletions: 0, substitutions: 0 };
  for (const { words, insertions, deletions, substitutions } of counts) {
    total.words += words;
    total.insertions += insertions;
    total.deletions += deletions;
    total.substitutions += substitutions;
  }
  const errors = total.insertions + total.deletions + total.substitutions;
  return { ...total, errors, [rate]: total.words > 0 ? errors / total.words : null };
}

type Counted = Summary & { utterances: number };

export interface ScoreReport extends Counted {
  sentenceErrorRate: number | null;
  normalisation?: { name: string; wordsChanged: { reference: number; hypotheses: number } }[];
  speakers: (Counted & { speaker: string })[];
  /** By the last number of words of a range. */
  lengths: (Counted & { ofWords: number })[];
  confusions: {
    substitutions: { reference: string; hypothesis: string; count: number }[];
    insertions: { word: string; count: number }[];
    deletions: { word: string; count: number }[];
  };
}

const unitOf = { wer: 'words', cer: 'characters', per: 'phones' } as const;

/** A score as Markdown tables that can be read as plain text: in all, by speaker and by length; words that are confused. */
export function scoreTables(report: ScoreReport, { rate }: { rate: RateName }): string {
  const { speakers, lengths, confusions, normalisation = [] } = report;
  const unit = unitOf[rate];
  const headers = ['utterances', unit, 'correct %', 'sub %', 'del %', 'ins %', `${rate.toUpperCase()} %`];
  const rates = (name: string, counts: Counted): string[] => {
    const { utterances, words, substitutions, deletions, insertions } = counts;
    const share = (number: number) => percent(words > 0 ? number / words : undefined);
    const correct = words - substitutions - deletions;
    return [
      name.replaceAll('|', '\\|'),
      ...[utterances, words].map(count),
      ...[correct, substitutions, deletions, insertions].map(share),
      percent(counts[rate] ?? undefined),
    ];
  };
  const table = (title: string, first: string, rows: string[][]): string[] => [
    ...[`## ${title}`, ''],
    ...alignedTable([first, ...headers], rows, [false, ...headers.map(() => true)]),
    '',
  ];
  const listed = (title: string, columns: string[], rows: string[][]): string[] =>
    rows.length === 0
      ? []
      : [
          `## ${title}`,
          '',
          ...alignedTable(
            columns,
            rows,
            columns.map((name) => name === 'count'),
          ),
          '',
        ];
  return [
    ...table('In all', '', [rates('all', report), ...speakersMean(speakers, rate)]),
    `Sentences with an error: ${percent(report.sentenceErrorRate ?? undefined)} %.`,
    ...normalisation.map(
      ({ name, wordsChanged: { reference, hypotheses } }) =>
        `${name}: changed ${plural(reference, 'word')} of the reference, ${count(hypotheses)} of the hypotheses.`,
    ),
    '',
    ...table(
      'By speaker',
      'speaker',
      speakers.map((own) => rates(own.speaker, own)),
    ),
    ...table(
      'By length of the reference',
      unit,
      lengths.map((own) => rates(rangeTo(own.ofWords), own)),
    ),
    ...listed(
      'Taken for others',
      ['count', 'said', 'heard'],
      confusions.substitutions.map(({ reference, hypothesis, count: n }) => [count(n), reference, hypothesis]),
    ),
    ...listed(
      'Heard too much',
      ['count', 'heard'],
      confusions.insertions.map(({ word, count: n }) => [count(n), word]),
    ),
    ...listed(
      'Not heard',
      ['count', 'said'],
      confusions.deletions.map(({ word, count: n }) => [count(n), word]),
    ),
  ].join('\n');
}

/** The mean over speakers, each counting as much. */
function speakersMean(speakers: readonly Summary[], rate: RateName): string[][] {
  const known = speakers.map((own) => own[rate]).filter((value) => typeof value === 'number');
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return speakers.length < 2 ? [] : [['mean of speakers', '', '', '', '', '', '', percent(mean)]];
}

const rangeTo = (last: number): string => (last < 3 ? String(last) : `${last / 2 + 1}–${last}`);
