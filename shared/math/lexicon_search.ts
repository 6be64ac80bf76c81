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
  let paths = createPaths(nBest);
  let places = new Map<number, Place>(); // by state of the language model
  let copies = new Map<number, Copy>(); // by state of the language model after the word, and pronunciation
  let history = createHistory();
  let activePlaces: Place[] = [];
  let activeCopies: Copy[] = [];
  let weights: SearchWeights;
  let bias: Float64Array;
  let frame = 0;
  let best = 0; // score of the best path
  let silentSince = -1; // where its last word ended; −1 within a word

  function begin(given: SearchWeights, logPrior: ArrayLike<number>): void {
    weights = given;
    bias = priorBias(logPrior, given);
    frame = best = silentSince = 0;
    history = createHistory();
    for (const active of [...activePlaces, ...activeCopies]) active.isActive = false;
    [activePlaces, activeCopies] = [[], []];
    if (places.size * pronunciations.length > mostPrices) {
      [paths, places, copies] = [createPaths(nBest), new Map(), new Map()];
    }
    const { ended, open } = activePlace(model.start);
    for (const cell of [ended, open])
      paths.offer(cell, { score: 0, sequence: 0, link: -1, word: -1, entered: 0, mass: 0 });
  }

  /** The place of a state of the language model between words. */
  function activePlace(state: number): Place {
    let place = places.get(state);
    if (!place) {
      const cells = { ended: paths.createCell(), quiet: paths.createCell(), open: paths.createCell() };
      place = { state, ...cells, logs: undefined, copies: [], isActive: false };
      places.set(state, place);
    }
    if (!place.isActive) {
      place.isActive = true;
      for (const cell of [place.ended, place.quiet, place.open]) paths.clear(cell);
      activePlaces.push(place);
    }
    return place;
  }

  function activeCopy(place: Place, p: number): Copy {
    const copy = place.copies[p] ?? copyOf(place, p);
    if (copy.isActive) return copy;
    copy.isActive = true;
    for (const cell of copy.cells) paths.clear(cell);
    paths.clear(copy.entry);
    activeCopies.push(copy);
    return copy;
  }

  function copyOf(place: Place, p: number): Copy {
    const { word, tokens } = pronunciations[p]!;
    const state = stateAfter(model, place.state, word);
    const key = state * pronunciations.length + p;
    let copy = copies.get(key);
    if (!copy) {
      const cells = Array.from(tokens, () => paths.createCell());
      const [stay, leave] = [transitions.stay, transitions.leave].map((of) => Float64Array.from(tokens, (t) => of[t]!));
      const costs = { stay: stay!, leave: leave! };
      copy = { state, word, tokens, ...costs, cells, entry: paths.createCell(), isActive: false };
      copies.set(key, copy);
    }
    place.copies[p] = copy;
    return copy;
  }

  /** From all places into all words. */
  function enterWords(): void {
    const enough = best - beamNats;
    for (const place of activePlaces) {
      const { open, state } = place;
      const highest = paths.best(open);
      if (!(highest > -Infinity && highest >= enough)) continue;
      place.logs ??= Float64Array.from(pronunciations, ({ word }) => logProbability(model, state, word));
      for (let p = 0; p < place.logs.length; p++) {
        const price = weights.languageModelScale * place.logs[p]! - weights.insertionPenalty;
        if (!(highest + price > -Infinity && highest + price >= enough)) continue;
        const { entry, word } = activeCopy(place, p);
        paths.enter(entry, open, price, word, frame, history);
      }
    }
  }

  /** @param at where the frame begins */
  function step(logPosteriors: Float32Array, at: number): void {
    enterWords();
    let highest = -Infinity;
    for (let i = 0; i < activeCopies.length; i++) {
      const score = paths.advanceWord(activeCopies[i]!, logPosteriors, at, bias, weights.acousticScale);
      if (score > highest) highest = score;
    }
    silentSince = -1;
    const emission = weights.acousticScale * logPosteriors[at + silence]! + bias[silence]!;
    for (const { quiet, ended } of activePlaces) {
      const score = paths.advance(quiet, stayInSilence, ended, 0, emission, 0);
      paths.clear(ended);
      if (!(score > highest)) continue;
      highest = score;
      silentSince = history.endOf(paths.linkOfBest(quiet));
    }
    frame++;
    best = highest;
    if (beamNats < Infinity) prune(highest - beamNats);
    for (let i = 0; i < activeCopies.length; i++) {
      const { state, tokens, cells, leave } = activeCopies[i]!;
      const last = tokens.length - 1;
      if (paths.best(cells[last]!) + leave[last]! > -Infinity)
        paths.merge(activePlace(state).ended, cells[last]!, leave[last]!);
    }
    for (const { ended, quiet, open } of activePlaces) {
      paths.endWords(ended, frame, history);
      paths.clear(open);
      paths.merge(open, ended, 0);
      paths.merge(open, quiet, leaveSilence);
    }
  }

  function prune(enough: number): void {
    activeCopies = activeCopies.filter((copy) => {
      copy.isActive = copy.cells.some((cell) => paths.best(cell) >= enough);
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
    const inWords = activeCopies.flatMap(({ cells }) => paths.all(cells.at(-1)!));
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
        ...activeCopies.flatMap(({ cells }) => cells),
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
  state: number;
  word: number;
  tokens: Uint16Array;
  /** Of each state: what staying in it and leaving it costs. */
  stay: Float64Array;
  leave: Float64Array;
  /** Of each state of the pronunciation, and of what is about to enter. */
  cells: number[];
  entry: number;
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

  /** Takes the paths of one cell into another, which they may displace. */
  function merge(cell: number, from: number, cost: number): void {
    for (let i = from; i < from + size; i++) {
      const score = scores[i]! + cost;
      if (!(score > scores[cell + size - 1]!)) return; // those that follow are worse
      take(cell, score, sequences[i]!, links[i]!, words[i]!, entries[i]!, masses[i]!);
    }
  }

  /** One frame on: paths stay or come from another cell, and are heard. @returns the score of the best */
  function advance(cell: number, stay: number, from: number, leave: number, emission: number, heard: number): number {
    if (size === 1) {
      // most of the time is spent here
      let score = scores[cell]! + stay;
      const moved = scores[from]! + leave;
      if (moved > score) {
        score = moved;
        links[cell] = links[from]!;
        words[cell] = words[from]!;
        entries[cell] = entries[from]!;
        masses[cell] = masses[from]!;
      }
      score += emission;
      scores[cell] = score;
      masses[cell]! += heard;
      return score;
    }
    for (let i = cell; i < cell + size; i++) scores[i]! += stay;
    merge(cell, from, leave);
    for (let i = cell; i < cell + size; i++) {
      scores[i]! += emission;
      masses[i]! += heard;
    }
    return scores[cell]!;
  }

  return {
    createCell(): number {
      const cell = used;
      used += size;
      while (used > capacity) grow();
      return cell;
    },
    clear(cell: number): void {
      for (let i = cell; i < cell + size; i++) scores[i] = -Infinity;
    },
    best: (cell: number): number => scores[cell]!,
    linkOfBest: (cell: number): number => links[cell]!,
    advance,
    /** One frame on for all states of a word, the last ones first, as each takes from the one before. */
    advanceWord(
      copy: Copy,
      logPosteriors: Float32Array,
      at: number,
      bias: Float64Array,
      acousticScale: number,
    ): number {
      const { tokens, cells, entry, stay, leave } = copy;
      let highest = -Infinity;
      for (let s = tokens.length - 1; s >= 0; s--) {
        const token = tokens[s]!;
        const cell = cells[s]!;
        const from = s > 0 ? cells[s - 1]! : entry;
        const heard = logPosteriors[at + token]!;
        const emission = acousticScale * heard + bias[token]!;
        const score = advance(cell, stay[s]!, from, s > 0 ? leave[s - 1]! : 0, emission, heard);
        if (score > highest) highest = score;
      }
      for (let i = entry; i < entry + size; i++) scores[i] = -Infinity;
      return highest;
    },
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
        links[i] = history.append({ link: links[i]!, word: words[i]!, entered: entries[i]!, mass: masses[i]! }, frame);
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

interface Link {
  before: number;
  word: number;
  start: number;
  end: number;
  confidence: number;
  /** Words up to this one. */
  depth: number;
}

type History = ReturnType<typeof createHistory>;

/** What paths of an utterance have said: links from each word to the one before; −1 is the beginning. */
function createHistory() {
  const links: Link[] = [];
  const sequences = new Map<string, number>();
  const depthOf = (link: number): number => (link < 0 ? 0 : links[link]!.depth);
  /** From the last to the first. */
  function* backwards(link: number): Generator<Link> {
    for (let i = link; i >= 0; i = links[i]!.before) yield links[i]!;
  }
  return {
    append({ link, word, entered, mass }: Pick<Path, 'link' | 'word' | 'entered' | 'mass'>, end: number): number {
      const confidence = Math.exp(mass / (end - entered));
      return links.push({ before: link, word, start: entered, end, confidence, depth: depthOf(link) + 1 }) - 1;
    },
    /** The number of a word sequence and one more word; 0 is that without words. */
    longer(sequence: number, word: number): number {
      const key = `${sequence} ${word}`;
      const known = sequences.get(key) ?? sequences.size + 1;
      sequences.set(key, known);
      return known;
    },
    endOf: (link: number): number => (link < 0 ? 0 : links[link]!.end),
    /** The last link that both have gone through. */
    shared(a: number, b: number): number {
      let [one, other] = [a, b];
      while (one !== other) {
        if (depthOf(one) >= depthOf(other)) one = links[one]!.before;
        else other = links[other]!.before;
      }
      return one;
    },
    wordsOf: (link: number): Int32Array => Int32Array.from([...backwards(link)].reverse(), ({ word }) => word),
    sequenceOf(link: number, score: number): WordSequence {
      const said = [...backwards(link)].reverse();
      return {
        words: Int32Array.from(said, ({ word }) => word),
        startFrames: Int32Array.from(said, ({ start }) => start),
        endFrames: Int32Array.from(said, ({ end }) => end),
        confidences: Float64Array.from(said, ({ confidence }) => confidence),
        score,
      };
    },
  };
}
