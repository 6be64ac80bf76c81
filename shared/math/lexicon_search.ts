import { priorBias } from './acoustic_scores.ts';
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
  const [stayInSilence, leaveSilence] = [transitions.stay[silence]!, transitions.leave[silence]!];
  const heard = Int32Array.from(new Set([silence, ...pronunciations.flatMap(({ tokens }) => [...tokens])]));
  const emissions = new Float64Array(vocabularySize); // of a frame, of each token that is heard
  const history = createHistory();
  let paths = createPaths(nBest);
  let places = new Map<number, Place>(); // by state of the language model
  let copies = new Map<number, Copy>(); // by state of the language model after the word, and pronunciation
  let activePlaces: Place[] = [];
  let activeCopies: Copy[] = [];
  let weights: SearchWeights;
  let prior: ArrayLike<number>;
  let bias: Float64Array;
  let frame = 0;
  let best = 0; // score of the best path
  let silentSince = -1; // where its last word ended; −1 within a word

  function begin(given: SearchWeights, logPrior: ArrayLike<number>): void {
    if (given !== weights || logPrior !== prior) bias = priorBias(logPrior, given);
    [weights, prior] = [given, logPrior];
    frame = best = silentSince = 0;
    history.clear();
    for (const place of activePlaces) place.isActive = false;
    for (const copy of activeCopies) copy.isActive = false;
    [activePlaces, activeCopies] = [[], []];
    if (places.size * pronunciations.length > mostPrices) {
      [paths, places, copies] = [createPaths(nBest), new Map(), new Map()];
    }
    const { ended, open } = active(placeOf(model.start));
    for (const cell of [ended, open])
      paths.offer(cell, { score: 0, sequence: 0, link: -1, word: -1, entered: 0, mass: 0 });
  }

  /** Between words, in a state of the language model. */
  function placeOf(state: number): Place {
    const known = places.get(state);
    if (known) return known;
    const cells = { ended: paths.createCells(1), quiet: paths.createCells(1), open: paths.createCells(1) };
    const place: Place = { state, ...cells, logs: undefined, copies: [], isActive: false };
    places.set(state, place);
    return place;
  }

  function active(place: Place): Place {
    if (place.isActive) return place;
    place.isActive = true;
    for (const cell of [place.ended, place.quiet, place.open]) paths.clear(cell);
    activePlaces.push(place);
    return place;
  }

  function activeCopy(place: Place, p: number): Copy {
    let copy = place.copies[p];
    if (!copy) copy = place.copies[p] = copyOf(place, p);
    if (copy.isActive) return copy;
    copy.isActive = true;
    paths.clear(copy.entry, copy.tokens.length + 1);
    activeCopies.push(copy);
    return copy;
  }

  function copyOf(place: Place, p: number): Copy {
    const { word, tokens } = pronunciations[p]!;
    const state = stateAfter(model, place.state, word);
    const key = state * pronunciations.length + p;
    const known = copies.get(key);
    if (known) return known;
    const entry = paths.createCells(tokens.length + 1);
    const stay = Float64Array.from(tokens, (token) => transitions.stay[token]!);
    const come = Float64Array.from(tokens, (_, s) => (s > 0 ? transitions.leave[tokens[s - 1]!]! : 0));
    const leave = transitions.leave[tokens.at(-1)!]!;
    const last = entry + tokens.length * nBest;
    const copy: Copy = { word, tokens, stay, come, leave, entry, last, after: placeOf(state), isActive: false };
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
    const { acousticScale } = weights;
    for (let i = 0; i < heard.length; i++) {
      const token = heard[i]!;
      emissions[token] = acousticScale * logPosteriors[at + token]! + bias[token]!;
    }
    let highest = paths.advanceWords(activeCopies, emissions, logPosteriors, at);
    silentSince = -1;
    for (const { quiet, ended } of activePlaces) {
      const score = paths.advance(quiet, stayInSilence, ended, 0, emissions[silence]!, 0);
      paths.clear(ended);
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
      copy.isActive = copy.tokens.some((_, s) => paths.best(copy.entry + (s + 1) * nBest) >= enough);
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
      const cells = [
        ...activeCopies.flatMap(({ entry, tokens }) => Array.from(tokens, (_, s) => entry + (s + 1) * nBest)),
        ...activePlaces.flatMap(({ quiet, open }) => [quiet, open]),
      ];
      const links = cells.flatMap((cell) => paths.all(cell).map(({ link }) => link));
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
  ended: number;
  quiet: number;
  open: number;
  /** ln P of the word of each pronunciation, once they are asked for; and the copies that they lead into. */
  logs: Float64Array | undefined;
  copies: Copy[];
  isActive: boolean;
}

/** A pronunciation, with the state of the language model after its word. */
interface Copy {
  word: number;
  tokens: Uint16Array;
  /** Of each state: what staying in it costs, and coming into it from the one before. */
  stay: Float64Array;
  come: Float64Array;
  /** What leaving the word costs. */
  leave: number;
  /** The cell of what is about to enter; those of the states follow. */
  entry: number;
  last: number;
  after: Place;
  isActive: boolean;
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
  mass: number;
}

/** Cells of up to `size` paths each, best first, of different word sequences; in arrays, as each frame goes over them all. */
function createPaths(size: number) {
  let capacity = 1024;
  let scores: Float64Array = new Float64Array(capacity);
  let masses: Float64Array = new Float64Array(capacity);
  let sequences: Int32Array = new Int32Array(capacity);
  let links: Int32Array = new Int32Array(capacity);
  let words: Int32Array = new Int32Array(capacity);
  let entries: Int32Array = new Int32Array(capacity);
  let used = 0;

  function grow(): void {
    capacity *= 2;
    scores = copied(scores, new Float64Array(capacity));
    masses = copied(masses, new Float64Array(capacity));
    sequences = copied(sequences, new Int32Array(capacity));
    links = copied(links, new Int32Array(capacity));
    words = copied(words, new Int32Array(capacity));
    entries = copied(entries, new Int32Array(capacity));
  }

  function put(i: number, score: number, sequence: number, link: number, word: number, entered: number, mass: number) {
    scores[i] = score;
    sequences[i] = sequence;
    links[i] = link;
    words[i] = word;
    entries[i] = entered;
    masses[i] = mass;
  }

  const move = (to: number, from: number): void =>
    put(to, scores[from]!, sequences[from]!, links[from]!, words[from]!, entries[from]!, masses[from]!);

  /** Takes a path into a cell, unless as many are better or one that says the same is as good. */
  function take(
    cell: number,
    score: number,
    sequence: number,
    link: number,
    word: number,
    entered: number,
    mass: number,
  ) {
    if (!(score > scores[cell + size - 1]!)) return;
    if (size === 1) return put(cell, score, sequence, link, word, entered, mass);
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
    put(last, score, sequence, link, word, entered, mass);
  }

  /** Takes the paths of one cell into another, which they may displace; `word` is the one that they are in, or −1. */
  function merge(cell: number, from: number, cost: number, word: number): void {
    for (let i = from; i < from + size; i++) {
      const score = scores[i]! + cost;
      if (!(score > scores[cell + size - 1]!)) return; // those that follow are worse
      take(cell, score, sequences[i]!, links[i]!, word, entries[i]!, masses[i]!);
    }
  }

  /** One frame on: paths stay or come from another cell, and are heard. @returns the score of the best */
  function advance(cell: number, stay: number, from: number, come: number, emission: number, heard: number): number {
    for (let i = cell; i < cell + size; i++) scores[i]! += stay;
    merge(cell, from, come, -1);
    for (let i = cell; i < cell + size; i++) {
      scores[i]! += emission;
      masses[i]! += heard;
    }
    return scores[cell]!;
  }

  /**
   * One frame on for all states of some words, where one path is followed to each: the last states of a word first, as
   * each takes from the one before. Most of the time of a search is spent here.
   *
   * @returns the score of the best
   */
  function advanceWords(copies: Copy[], emissions: Float64Array, logPosteriors: Float32Array, at: number): number {
    const scoreOf = scores;
    const linkOf = links;
    const entryOf = entries;
    const massOf = masses;
    let highest = -Infinity;
    for (let i = 0; i < copies.length; i++) {
      const { tokens, stay, come, entry } = copies[i]!;
      for (let s = tokens.length - 1; s >= 0; s--) {
        const from = entry + s;
        const cell = from + 1;
        const token = tokens[s]!;
        let score = scoreOf[cell]! + stay[s]!;
        const moved = scoreOf[from]! + come[s]!;
        if (moved > score) {
          score = moved;
          linkOf[cell] = linkOf[from]!;
          entryOf[cell] = entryOf[from]!;
          massOf[cell] = massOf[from]!;
        }
        score += emissions[token]!;
        scoreOf[cell] = score;
        massOf[cell]! += logPosteriors[at + token]!;
        if (score > highest) highest = score;
      }
      scoreOf[entry] = -Infinity;
    }
    return highest;
  }

  /** The same where several paths are followed. */
  function advanceWordsOfMany(copies: Copy[], emissions: Float64Array, logPosteriors: Float32Array, at: number): number {
    let highest = -Infinity;
    for (const { tokens, stay, come, entry } of copies) {
      for (let s = tokens.length - 1; s >= 0; s--) {
        const [from, token] = [entry + s * size, tokens[s]!];
        const heard = logPosteriors[at + token]!;
        const score = advance(from + size, stay[s]!, from, come[s]!, emissions[token]!, heard);
        if (score > highest) highest = score;
      }
      clear(entry);
    }
    return highest;
  }

  function clear(cell: number, count = 1): void {
    for (let i = cell; i < cell + count * size; i++) scores[i] = -Infinity;
  }

  return {
    /** @returns the first of them */
    createCells(count: number): number {
      const cell = used;
      used += count * size;
      while (used > capacity) grow();
      return cell;
    },
    clear,
    best: (cell: number): number => scores[cell]!,
    linkOfBest: (cell: number): number => links[cell]!,
    advance,
    advanceWords: size === 1 ? advanceWords : advanceWordsOfMany,
    offer: (cell: number, { score, sequence, link, word, entered, mass }: Path): void =>
      take(cell, score, sequence, link, word, entered, mass),
    merge,
    /** As `merge`, where they begin a word. */
    enter(cell: number, from: number, price: number, word: number, frame: number, history: History): void {
      for (let i = from; i < from + size && scores[i]! > -Infinity; i++) {
        const score = scores[i]! + price;
        if (!(score > scores[cell + size - 1]!)) continue;
        take(cell, score, size > 1 ? history.longer(sequences[i]!, word) : 0, links[i]!, word, frame, 0);
      }
    },
    /** Adds the word that paths have ended to what they said. */
    endWords(cell: number, frame: number, history: History): void {
      for (let i = cell; i < cell + size && scores[i]! > -Infinity; i++) {
        if (words[i]! < 0) continue;
        links[i] = history.add(links[i]!, words[i]!, entries[i]!, frame, masses[i]!);
        words[i] = -1;
      }
    },
    all(cell: number): Path[] {
      const found: Path[] = [];
      for (let i = cell; i < cell + size && scores[i]! > -Infinity; i++) {
        const before = { sequence: sequences[i]!, link: links[i]!, word: words[i]! };
        found.push({ score: scores[i]!, ...before, entered: entries[i]!, mass: masses[i]! });
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
  let masses: Float64Array = new Float64Array(capacity);
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
    masses = copied(masses, new Float64Array(capacity));
  }
  /** One more word. @returns its link */
  function add(link: number, word: number, start: number, end: number, mass: number): number {
    if (used === capacity) grow();
    before[used] = link;
    words[used] = word;
    starts[used] = start;
    ends[used] = end;
    depths[used] = depthOf(link) + 1;
    masses[used] = mass;
    return used++;
  }
  return {
    add,
    append: ({ link, word, entered, mass }: Path, end: number): number => add(link, word, entered, end, mass),
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
        confidences: Float64Array.from(links, (i) => Math.exp(masses[i]! / (ends[i]! - starts[i]!))),
        score,
      };
    },
  };
}
