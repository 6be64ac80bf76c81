import type { Options as YargsOption } from 'yargs';
import { UsageError } from './errors.ts';
import type { InputFolder } from './report_file.ts';

/** Other options, by flag, as an option wants them: one of some values, a switch that is on, a number above 0, given, or not. */
export type Company = Readonly<Record<string, readonly string[] | 'on' | 'above 0' | 'given' | 'not given'>>;

/** One flag of a stage, spelled as typed. The table of a stage is its documentation. */
export interface OptionSpec {
  /** `numbers` is a comma-separated list. */
  type: 'string' | 'number' | 'boolean' | 'numbers';
  /** A string that may be given several times. */
  array?: true;
  describe: string;
  default?: string | number | boolean | readonly number[];
  demandOption?: true;
  choices?: readonly string[];
  integer?: true;
  /** Bounds of a number: inclusive (`min`, `max`) or exclusive (`above`, `below`). */
  min?: number;
  max?: number;
  above?: number;
  below?: number;
  /**
   * What the value is: a `setting` (goes into the key as it is), an `input` folder made by a stage (its id does),
   * a `corpus` that no stage made (the digest of its content does), its `texts` alone, where the audio is not heard, or a
   * matter of `execution` (nothing does).
   */
  role?: 'setting' | 'input' | 'corpus' | 'texts' | 'execution';
  /** Opens an input that may be something else than a folder of a stage. */
  open?: (path: string) => InputFolder;
  /** Where it has an effect: in this company, or in one of several. It is refused elsewhere, where its default means nothing. */
  belongsTo?: Company | readonly Company[];
}
export type OptionTable = Record<string, OptionSpec>;

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type Value<O extends OptionSpec> = O extends { array: true }
  ? string[]
  : {
      string: O extends { choices: readonly (infer C)[] } ? C : string;
      number: number;
      boolean: boolean;
      numbers: number[];
    }[O['type']];
type Present<O extends OptionSpec> = O extends { demandOption: true } | { default: unknown }
  ? Value<O>
  : Value<O> | undefined;

/** What `run` gets: camel-cased flags, and what every stage has. */
export type OptionsOf<T extends OptionTable> = {
  [K in keyof T & string as Camel<K>]: Present<T[K]>;
} & CommonOptions;
export interface CommonOptions {
  out: string;
}

/** The name a flag has in code. */
export const camel = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Checks values against the table and fills in defaults.
 *
 * @param given by camel-cased flag
 * @throws {UsageError} naming the flag, the value and what it should be
 */
export function checkOptions(table: OptionTable, given: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [flag, spec] of Object.entries(table)) {
    const value = given[camel(flag)] ?? spec.default;
    if (value === undefined) {
      if (spec.demandOption) throw new UsageError(`Missing --${flag}: ${spec.describe}`);
      continue;
    }
    if (Array.isArray(value) && !spec.array && spec.type !== 'numbers') {
      throw new UsageError(`--${flag} is given ${value.length} times; give it once`);
    }
    if (spec.type === 'numbers') result[camel(flag)] = checkNumbers(flag, spec, value);
    else if (spec.type === 'number') result[camel(flag)] = checkNumber(flag, spec, value);
    else result[camel(flag)] = spec.array ? [value].flat() : value;
    for (const text of spec.type === 'string' ? [value].flat() : []) {
      if (text === '') throw new UsageError(`--${flag} is empty: ${spec.describe}`);
      if (spec.choices && !spec.choices.includes(text as string)) {
        throw new UsageError(`--${flag} ${text} is not one of ${spec.choices.join(', ')}`);
      }
    }
  }
  for (const [flag, { belongsTo }] of Object.entries(table)) {
    if (belongsTo && given[camel(flag)] !== undefined) checkCompany(flag, [belongsTo].flat(), result);
  }
  return result;
}

/** Refuses an option that is in none of the companies it has an effect in: each lacks one other, which the message names. */
function checkCompany(flag: string, companies: readonly Company[], options: Record<string, unknown>): void {
  const lacking = companies.map((company) =>
    Object.entries(company).find(([other, wish]) => !isAsWished(options[camel(other)], wish)),
  );
  if (!lacking.every((one) => one !== undefined)) return;
  const [other, wish] = lacking[0]!;
  if (wish === 'not given') throw new UsageError(`--${flag} does not go with --${other}: leave out one of them`);
  const owners = lacking.map(([other, wish]) => {
    if (typeof wish === 'object') return `--${other} ${wish.join(', ')}`;
    return wish === 'above 0' ? `--${other} above 0` : `--${other}`;
  });
  const refuse = (how: string) => new UsageError(`--${flag} belongs to ${owners.join(' or ')}${how}`);
  if (lacking.length > 1) throw refuse(': give one of those as well, or leave it out');
  if (typeof wish === 'string') throw refuse(': give both, or leave it out');
  const found = options[camel(other)];
  throw refuse(`${found === undefined ? '' : `, not to ${found}`}: leave it out`);
}

function isAsWished(value: unknown, wish: Company[string]): boolean {
  if (wish === 'on') return value === true;
  if (wish === 'above 0') return Number(value) > 0;
  if (wish === 'given' || wish === 'not given') return (value !== undefined) === (wish === 'given');
  return wish.includes(value as string);
}

function checkNumbers(flag: string, spec: OptionSpec, value: unknown): number[] {
  const parts: unknown[] = Array.isArray(value) ? value : String(value).split(',');
  if (parts.some((part) => String(part).trim() === ''))
    throw new UsageError(`--${flag} ${value} is not a comma-separated list of numbers`);
  return parts.map((part) => checkNumber(flag, spec, part, parts));
}

/** @param typed the number, or what was typed in its place, as one of `all` */
function checkNumber(flag: string, spec: OptionSpec, typed: unknown, all: readonly unknown[] = [typed]): number {
  const { integer, min, max, above, below } = spec;
  const value = String(typed).trim() === '' ? Number.NaN : Number(typed);
  const wish = [
    integer ? 'a whole number' : 'a number',
    min !== undefined && `at least ${min}`,
    above !== undefined && `above ${above}`,
    max !== undefined && `at most ${max}`,
    below !== undefined && `below ${below}`,
  ];
  const fits =
    Number.isFinite(value) &&
    (!integer || Number.isInteger(value)) &&
    !(value < (min ?? value)) &&
    !(value > (max ?? value)) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below);
  if (fits) return value;
  const place = all.length > 1 ? ` in ${all.join(',')}` : '';
  const fault = Number.isNaN(value) ? 'is not a number' : 'is out of range';
  throw new UsageError(`--${flag} ${typed} ${fault}${place}: need ${wish.filter(Boolean).join(', ')}`);
}

/** What a help text says beside the options. */
export interface Usage {
  name: string;
  summary: string;
  examples: readonly string[];
  /** What stands on the command line beside options, for programs that take it. */
  words?: string;
}

/**
 * Reads a command line.
 *
 * @returns the options given, by camel-cased name and not yet checked, and words beside them; or the help text, when that
 *   was asked for
 * @throws {UsageError} for a flag or word that is not in the table
 */
export async function parseArguments(
  { name, summary, examples, words }: Usage,
  table: OptionTable,
  argv: readonly string[],
): Promise<{ given: Record<string, unknown>; words: string[] } | { help: string }> {
  const { default: yargs } = await import('yargs');
  const asksForHelp = argv.includes('--help');
  const parser = yargs([])
    .scriptName(name)
    .usage(`$0 — ${summary}\n\nUsage: $0 ${words ? `[options] ${words}` : '--out DIR [options]'}`)
    .options(Object.fromEntries(Object.entries(table).map(([flag, spec]) => [flag, yargsOption(spec, asksForHelp)])))
    .strictOptions()
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': true,
    })
    .version(false)
    .help(true)
    .wrap(110)
    .epilogue(
      'Exit codes: 0 done, 1 our fault, 2 wrong command line, 3 wrong data, 4 training diverged, 130 interrupted.',
    )
    .exitProcess(false);
  for (const example of examples) parser.example(example, '');
  let output = '';
  let failure: Error | undefined;
  const given = await parser.parseAsync([...argv], {}, (error, _argv, text) => {
    output = text;
    failure = error as Error | undefined;
  });
  if (failure) throw new UsageError(`${failure.message}; see "${name} --help"`);
  if (given.help) return { help: output };
  if (given._.length > 0 && !words)
    throw new UsageError(`Unknown argument: ${given._.join(' ')}; see "${name} --help"`);
  const options = Object.fromEntries(Object.keys(table).map((flag) => [camel(flag), given[flag]]));
  return { given: options, words: given._.map(String) };
}

function yargsOption(
  { type, array, describe, default: fallback, demandOption, integer, min, max, above, below, choices }: OptionSpec,
  asksForHelp: boolean,
): YargsOption {
  const bounds = [
    integer && 'whole',
    min !== undefined && `≥ ${min}`,
    above !== undefined && `> ${above}`,
    max !== undefined && `≤ ${max}`,
    below !== undefined && `< ${below}`,
    choices?.join(' | '),
  ].filter(Boolean);
  return {
    // numbers are read as text, so that messages can show what was typed; the help says that they are numbers
    type: type === 'numbers' || (type === 'number' && !asksForHelp) ? 'string' : type,
    array: array ?? false,
    requiresArg: type !== 'boolean',
    describe: bounds.length > 0 ? `${describe} (${bounds.join(', ')})` : describe,
    defaultDescription: fallback === undefined || demandOption ? undefined : String(fallback),
  };
}
