import { priorBias } from './acoustic_scores.ts';
import { openPathMemory } from './kernels/fast_paths.ts';
import { logProbability, type NgramModel, stateAfter, uniformModel } from './ngram_model.ts';
import type { Transitions } from './viterbi.ts';
import { framesIn, type SearchWeights, type WordSearch, type WordSequence } from './word_search.ts';

/** Which words there are, and how probable one is after others. */
export interface LexiconSearchOptions {
  /** One entry per pronunciation: the word it stands for and its state tokens, at least one. */
  pronunciations: readonly { word: number; tokens: Uint16Array }[];
  wordCount: number;
  silence: number; // token of the silence state
  vocabularySize: number;
  transitions: Transitions;
  /** Without it, any word may follow any other, each with probability 1 / wordCount. */
  languageModel?: NgramModel;
  /** Paths whose score is so many nats below the best one are given up; without it none is, and the search is exact. */
  beamNats?: number;
  /** Different word sequences that are followed to each state: as many as `finish` can give; 1 unless given. */
  nBest?: number;
}

/**
 * A search over a loop of all words, for models of frames: Viterbi, whose states are those of pronunciations, each with
 * the state of the language model after its word.
 *
 * Silence costs nothing, follows each word and the beginning, and is never twice in a row. Each state keeps the best word
 * sequences that lead to it, so those found are the best of all. Of equally good moves staying wins, then moving on
 * within the word; of equally good ends the pronunciation listed first, silence last. With a language model a path ends
 * as it goes on, by leaving its last state.
 *
 * Time: frames × (states + states of the language model × words), of those within the beam.
 */
export function createLexiconSearch(options: LexiconSearchOptions): WordSearch {
  const { pronunciations, wordCount, silence, vocabularySize, transitions, beamNats = Infinity, nBest = 1 } = options;
  const model = options.languageModel ?? uniformModel(wordCount);
  checkOptions(options, model);
  const leaveSilence = transitions.leave[silence]!;
  const history = createHistory();
  let paths = createPaths(nBest, vocabularySize);
  let places = new Map<number, Place>(); // by state of the language model
  let copies = new Map<number, Copy>(); // by state of the language model after the word, and pronunciation
  let activePlaces: Place[] = [];
  let activeCopies: Copy[] = [];
  let weights: SearchWeights;
  let frame = 0;
  let best = 0; // score of the best path
  let silentSince = -1; // where its last word ended; −1 within a word

  function begin(given: SearchWeights, logPrior: ArrayLike<number>): void {
    frame = best = silentSince = 0;
    history.clear();
    for (const place of activePlaces) place.isActive = false;
    for (const copy of activeCopies) copy.isActive = false;
    [activePlaces, activeCopies] = [[], []];
    if (places.size * pronunciations.length > mostPrices) {
      [paths, places, copies] = [createPaths(nBest, vocabularySize), new Map(), new Map()];
    }
    weights = given;
    paths.setBias(priorBias(logPrior, weights));
    const { ended, open } = active(placeOf(model.start));
    for (const cell of [ended, open])
      paths.offer(cell, { score: 0, sequence: 0, link: -1, word: -1, entered: 0, logPosteriorSum: 0 });
  }

  /** Between words, in a state of the language model. */
  function placeOf(state: number): Place {
    const known = places.get(state);
    if (known) return known;
    const silent = paths.createChain([silence], transitions);
    const [cells, open] = [{ ended: silent.entry, quiet: silent.last }, paths.createCell()];
    const place: Place = { state, ...cells, open, logs: undefined, copies: [], isActive: false };
    places.set(state, place);
    return place;
  }

  function active(place: Place): Place {
    if (place.isActive) return place;
    place.isActive = true;
    paths.clear(place.ended, place.open);
    activePlaces.push(place);
    return place;
  }

  function activeCopy(place: Place, p: number): Copy {
    let copy = place.copies[p];
    if (!copy) copy = place.copies[p] = copyOf(place, p);
    if (copy.isActive) return copy;
    copy.isActive = true;
    paths.clear(copy.entry, copy.last);
    activeCopies.push(copy);
    return copy;
  }

  function copyOf(place: Place, p: number): Copy {
    const { word, tokens } = pronunciations[p]!;
    const state = stateAfter(model, place.state, word);
    const key = state * pronunciations.length + p;
    const known = copies.get(key);
    if (known) return known;
    const leave = transitions.leave[tokens.at(-1)!]!;
    const chain = paths.createChain(tokens, transitions);
    const copy: Copy = { word, leave, ...chain, after: placeOf(state), isActive: false };
    copies.set(key, copy);
    return copy;
  }

  /** From all places into all words. */
  function enterWords(): void {
    const enough = best - beamNats;
    const { languageModelScale, insertionPenalty } = weights;
    for (const place of activePlaces) {
      const { open, state } = place;
      const highest = paths.best(open);
      if (!(highest > -Infinity && highest >= enough)) continue;
      place.logs ??= Float64Array.from(pronunciations, ({ word }) => logProbability(model, state, word));
      const { logs } = place;
      for (let p = 0; p < logs.length; p++) {
        const price = languageModelScale * logs[p]! - insertionPenalty;
        if (!(highest + price > -Infinity && highest + price >= enough)) continue;
        const { entry, word } = activeCopy(place, p);
        paths.enter(entry, open, price, word, frame, history);
      }
    }
  }

  /** @param at where the frame begins */
  function step(logPosteriors: Float32Array, at: number): void {
    enterWords();
    paths.hear(logPosteriors.subarray(at, at + vocabularySize), weights.acousticScale);
    let highest = -Infinity;
    for (let i = 0; i < activeCopies.length; ) {
      const { entry } = activeCopies[i]!;
      let { last } = activeCopies[i++]!;
      while (activeCopies[i]?.entry === last + nBest) last = activeCopies[i++]!.last; // those side by side all at once
      const score = paths.advance(entry, last);
      if (score > highest) highest = score;
    }
    silentSince = -1;
    for (const { ended, quiet } of activePlaces) {
      const score = paths.advance(ended, quiet);
      if (!(score > highest)) continue;
      highest = score;
      silentSince = history.endOf(paths.linkOfBest(quiet));
    }
    frame++;
    best = highest;
    if (beamNats < Infinity) prune(highest - beamNats);
    for (let i = 0; i < activeCopies.length; i++) {
      const { last, leave, after, word } = activeCopies[i]!;
      if (paths.best(last) + leave > -Infinity) paths.merge(active(after).ended, last, leave, word);
    }
    for (const { ended, quiet, open } of activePlaces) {
      paths.endWords(ended, frame, history);
      paths.clear(open);
      paths.merge(open, ended, 0, -1);
      paths.merge(open, quiet, leaveSilence, -1);
    }
  }

  function prune(enough: number): void {
    activeCopies = activeCopies.filter((copy) => {
      copy.isActive = paths.bestOf(copy.entry, copy.last) >= enough;
      return copy.isActive;
    });
    activePlaces = activePlaces.filter((place) => {
      place.isActive = paths.best(place.quiet) >= enough;
      return place.isActive;
    });
  }

  /** All paths as they would end now. */
  function ends(): Path[] {
    if (options.languageModel) {
      return activePlaces.flatMap(({ state, open }) => {
        const price = weights.languageModelScale * logProbability(model, state, wordCount);
        return paths.all(open).map((path) => ({ ...path, score: path.score + price }));
      });
    }
    if (frame === 0) return paths.all(activePlaces[0]!.open);
    const inWords = activeCopies.flatMap(({ last, word }) => paths.all(last).map((path) => ({ ...path, word })));
    return [
      ...inWords.map((path) => ({ ...path, link: history.append(path, frame) })),
      ...activePlaces.flatMap(({ quiet }) => paths.all(quiet)),
    ];
  }

  return {
    begin,
    push(logPosteriors) {
      const frames = framesIn(logPosteriors, vocabularySize);
      for (let i = 0; i < frames; i++) step(logPosteriors, i * vocabularySize);
    },
    stableWords() {
      const found = [
        ...activeCopies.flatMap(({ entry, last }) => paths.all(entry, last)),
        ...activePlaces.flatMap(({ ended, open }) => paths.all(ended, open)),
      ];
      const links = found.map(({ link }) => link);
      return links.length === 0 ? new Int32Array(0) : history.wordsOf(links.reduce(history.shared));
    },
    quietFrames: () => (silentSince < 0 ? 0 : frame - silentSince),
    finish(count) {
      if (count > nBest) throw new RangeError(`Cannot give ${count} word sequences: ${nBest} are followed`);
      const found = ends().filter(({ score }) => score > -Infinity);
      found.sort((a, b) => b.score - a.score);
      if (nBest === 1) return found.slice(0, 1).map(({ link, score }) => history.sequenceOf(link, score));
      const seen = new Set<number>();
      const different = found.filter(({ sequence }) => !seen.has(sequence) && seen.add(sequence));
      return different.slice(0, count).map(({ link, score }) => history.sequenceOf(link, score));
    },
  };
}

/** Prices of words in states of the language model that are kept from one utterance to the next. */
const mostPrices = 1 << 24;

function checkOptions({ pronunciations, wordCount }: LexiconSearchOptions, model: NgramModel): void {
  if (model.wordCount !== wordCount)
    throw new RangeError(`Cannot decode ${wordCount} words by a language model of ${model.wordCount}`);
  const empty = pronunciations.findIndex(({ tokens }) => tokens.length === 0);
  if (empty >= 0) throw new RangeError(`Cannot decode with pronunciation ${empty}: it has no states`);
}

/** Between words, in a state of the language model: what ended a word in the last frame, is silent, or either. */
interface Place {
  state: number;
  /** The cells lie in this order. */
  ended: number;
  quiet: number;
  open: number;
  /** ln P of the word of each pronunciation, once they are asked for; and the copies that they lead into. */
  logs: Float64Array | undefined;
  copies: Copy[];
  isActive: boolean;
}

/** A pronunciation, with the state of the language model after its word. */
interface Copy extends Chain {
  word: number;
  /** What leaving the word costs. */
  leave: number;
  after: Place;
  isActive: boolean;
}

/** Cells of states one after another: of what is about to enter the first one, then of each state. */
interface Chain {
  entry: number;
  last: number;
}

interface Path {
  score: number;
  /** Number of its word sequence, the word that it is in included. */
  sequence: number;
  /** What it said before. */
  link: number;
  /** The word it is in, since which frame, and the sum of its tokens' log posteriors there. */
  word: number;
  entered: number;
  logPosteriorSum: number;
}

/** Does something with a cell, or a place in one, and the fields of a `Path`, which as objects would cost in each frame. */
type UsePath = (
  cell: number,
  score: number,
  sequence: number,
  link: number,
  word: number,
  entered: number,
  logPosteriorSum: number,
) => void;

/** Cells of up to `size` paths each, best first, of different word sequences; in arrays, as each frame goes over them all. */
function createPaths(size: number, vocabularySize: number) {
  let capacity = 1024;
  const memory = openPathMemory(capacity, vocabularySize);
  let { tokens, stays, comes, scores, logPosteriorSums, origins } = memory.cells;
  let sequences: Int32Array = new Int32Array(capacity);
  let words: Int32Array = new Int32Array(capacity);
  let used = size; // each has one before it

  function grow(): void {
    capacity *= 2;
    memory.resize(capacity);
    ({ tokens, stays, comes, scores, logPosteriorSums, origins } = memory.cells);
    sequences = copied(sequences, new Int32Array(capacity));
    words = copied(words, new Int32Array(capacity));
  }

  const put: UsePath = (i, score, sequence, link, word, entered, logPosteriorSum) => {
    scores[i] = score;
    sequences[i] = sequence;
    origins[2 * i] = link;
    origins[2 * i + 1] = entered;
    words[i] = word;
    logPosteriorSums[i] = logPosteriorSum;
  };

  const move = (to: number, from: number): void =>
    put(
      to,
      scores[from]!,
      sequences[from]!,
      origins[2 * from]!,
      words[from]!,
      origins[2 * from + 1]!,
      logPosteriorSums[from]!,
    );

  /** Takes a path into a cell, unless as many are better or one that says the same is as good. */
  const take: UsePath = (cell, score, sequence, link, word, entered, logPosteriorSum) => {
    if (!(score > scores[cell + size - 1]!)) return;
    if (size === 1) return put(cell, score, sequence, link, word, entered, logPosteriorSum);
    let last = cell + size - 1; // the place that becomes free
    for (let i = cell; i < cell + size && scores[i]! > -Infinity; i++) {
      if (sequences[i] !== sequence) continue;
      if (scores[i]! >= score) return;
      last = i;
    }
    while (last > cell && score > scores[last - 1]!) {
      move(last, last - 1);
      last--;
    }
    put(last, score, sequence, link, word, entered, logPosteriorSum);
  };

  /** Takes the paths of one cell into another, which they may displace; `word` is the one that they are in, or −1. */
  function merge(cell: number, from: number, cost: number, word: number): void {
    for (let i = from; i < from + size; i++) {
      const score = scores[i]! + cost;
      if (!(score > scores[cell + size - 1]!)) return; // those that follow are worse
      take(cell, score, sequences[i]!, origins[2 * i]!, word, origins[2 * i + 1]!, logPosteriorSums[i]!);
    }
  }

  /** `advancePaths` where several paths are followed to each state. */
  function advanceMany(first: number, last: number): number {
    const { emissions, logPosteriors } = memory.heard;
    let highest = -Infinity;
    for (let cell = last; cell >= first; cell -= size) {
      const token = tokens[cell]!;
      for (let i = cell; i < cell + size; i++) scores[i]! += stays[cell]!;
      merge(cell, cell - size, comes[cell]!, -1);
      for (let i = cell; i < cell + size; i++) {
        scores[i]! += emissions[token]!;
        logPosteriorSums[i]! += logPosteriors[token]!;
      }
      if (scores[cell]! > highest) highest = scores[cell]!;
    }
    return highest;
  }

  function createCell(): number {
    const cell = used;
    used += size;
    while (used > capacity) grow();
    [stays[cell], comes[cell]] = [-Infinity, -Infinity];
    return cell;
  }

  return {
    createCell,
    createChain(states: ArrayLike<number>, { stay, leave }: Transitions): Chain {
      const entry = createCell();
      tokens[entry] = states[0]!;
      let last = entry;
      for (let s = 0; s < states.length; s++) {
        last = createCell();
        const token = states[s]!;
        tokens[last] = token;
        stays[last] = stay[token]!;
        comes[last] = s > 0 ? leave[states[s - 1]!]! : 0;
      }
      return { entry, last };
    },
    clear(cell: number, last = cell): void {
      for (let i = cell; i < last + size; i++) scores[i] = -Infinity;
    },
    best: (cell: number): number => scores[cell]!,
    bestOf(first: number, last: number): number {
      let best = -Infinity;
      for (let cell = first; cell <= last; cell += size) if (scores[cell]! > best) best = scores[cell]!;
      return best;
    },
    linkOfBest: (cell: number): number => origins[2 * cell]!,
    setBias: (bias: Float64Array): void => memory.heard.bias.set(bias),
    hear(logPosteriors: Float32Array, acousticScale: number): void {
      memory.heard.logPosteriors.set(logPosteriors);
      memory.hear(acousticScale);
    },
    /** One frame on for cells side by side; entries are left empty. @returns the score of the best */
    advance: size === 1 ? memory.advance : advanceMany,
    offer: (cell: number, { score, sequence, link, word, entered, logPosteriorSum }: Path): void =>
      take(cell, score, sequence, link, word, entered, logPosteriorSum),
    merge,
    /** As `merge`, where they begin a word. */
    enter(cell: number, from: number, price: number, word: number, frame: number, history: History): void {
      for (let i = from; i < from + size && scores[i]! > -Infinity; i++) {
        const score = scores[i]! + price;
        if (!(score > scores[cell + size - 1]!)) continue;
        take(cell, score, size > 1 ? history.longer(sequences[i]!, word) : 0, origins[2 * i]!, word, frame, 0);
      }
    },
    /** Adds the word that paths have ended to what they said. */
    endWords(cell: number, frame: number, history: History): void {
      for (let i = cell; i < cell + size && scores[i]! > -Infinity; i++) {
        if (words[i]! < 0) continue;
        origins[2 * i] = history.add(origins[2 * i]!, words[i]!, origins[2 * i + 1]!, frame, logPosteriorSums[i]!);
        words[i] = -1;
      }
    },
    /** Paths of a cell, or of some side by side. */
    all(first: number, last = first): Path[] {
      const found: Path[] = [];
      for (let i = first; i < last + size; i++) {
        if (scores[i] === -Infinity) continue;
        const before = { sequence: sequences[i]!, link: origins[2 * i]!, word: words[i]! };
        found.push({
          score: scores[i]!,
          ...before,
          entered: origins[2 * i + 1]!,
          logPosteriorSum: logPosteriorSums[i]!,
        });
      }
      return found;
    },
  };
}

function copied<A extends Int32Array | Float64Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}

type History = ReturnType<typeof createHistory>;

/** What paths of an utterance have said: links from each word to the one before; −1 is the beginning. */
function createHistory() {
  let capacity = 1024;
  let used = 0;
  let before: Int32Array = new Int32Array(capacity);
  let words: Int32Array = new Int32Array(capacity);
  let starts: Int32Array = new Int32Array(capacity);
  let ends: Int32Array = new Int32Array(capacity);
  let depths: Int32Array = new Int32Array(capacity); // words up to this one
  let logPosteriorSums: Float64Array = new Float64Array(capacity);
  const sequences = new Map<string, number>();
  const depthOf = (link: number): number => (link < 0 ? 0 : depths[link]!);
  /** From the first to the last. */
  function said(last: number): Int32Array {
    const links = new Int32Array(depthOf(last));
    for (let i = links.length - 1, link = last; i >= 0; i--, link = before[link]!) links[i] = link;
    return links;
  }
  function grow(): void {
    capacity *= 2;
    before = copied(before, new Int32Array(capacity));
    words = copied(words, new Int32Array(capacity));
    starts = copied(starts, new Int32Array(capacity));
    ends = copied(ends, new Int32Array(capacity));
    depths = copied(depths, new Int32Array(capacity));
    logPosteriorSums = copied(logPosteriorSums, new Float64Array(capacity));
  }
  /** One more word. @returns its link */
  function add(link: number, word: number, start: number, end: number, logPosteriorSum: number): number {
    if (used === capacity) grow();
    before[used] = link;
    words[used] = word;
    starts[used] = start;
    ends[used] = end;
    depths[used] = depthOf(link) + 1;
    logPosteriorSums[used] = logPosteriorSum;
    return used++;
  }
  return {
    add,
    append: ({ link, word, entered, logPosteriorSum }: Path, end: number): number =>
      add(link, word, entered, end, logPosteriorSum),
    clear(): void {
      used = 0;
      sequences.clear();
    },
    /** The number of a word sequence and one more word; 0 is that without words. */
    longer(sequence: number, word: number): number {
      const key = `${sequence} ${word}`;
      const known = sequences.get(key) ?? sequences.size + 1;
      sequences.set(key, known);
      return known;
    },
    endOf: (link: number): number => (link < 0 ? 0 : ends[link]!),
    /** The last link that both have gone through. */
    shared(a: number, b: number): number {
      let [one, other] = [a, b];
      while (one !== other) {
        if (depthOf(one) >= depthOf(other)) one = before[one]!;
        else other = before[other]!;
      }
      return one;
    },
    wordsOf: (link: number): Int32Array => said(link).map((i) => words[i]!),
    sequenceOf(link: number, score: number): WordSequence {
      const links = said(link);
      return {
        words: links.map((i) => words[i]!),
        startFrames: links.map((i) => starts[i]!),
        endFrames: links.map((i) => ends[i]!),
        confidences: Float64Array.from(links, (i) => Math.exp(logPosteriorSums[i]! / (ends[i]! - starts[i]!))),
        score,
      };
    },
  };
}
