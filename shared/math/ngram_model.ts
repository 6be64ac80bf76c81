/**
 * How probable each word is after those before it: an n-gram model with back-off, as an ARPA file says it. In plain
 * arrays, so that threads can share it.
 *
 *     ln P(w | h) = log of "h w" where that n-gram is there, else backoff of h + ln P(w | h without its first word)
 *
 * Every n-gram is a node of a tree, found from the n-gram without its last word. A state of a search is the node of the
 * longest n-gram that matters to what comes next.
 */
export interface NgramModel {
  /** Words have ids below it; as a word, `wordCount` is the end of a sentence. */
  wordCount: number;
  /** The state at the start of a sentence. */
  start: number;
  /** Symbol of each word, and of the end of a sentence; those that the model does not know share one. */
  symbols: Int32Array;
  /** By node; node 0 is the empty n-gram. Its last symbol, and the node without it. */
  last: Int32Array;
  parents: Int32Array;
  /** Natural logarithms. */
  logs: Float64Array;
  backoffs: Float64Array;
  /** The longest n-gram there is that ends as this one does. */
  shorter: Int32Array;
  /** The state that a search is in after this n-gram. */
  states: Int32Array;
  /** A hash table of nodes by parent and symbol, linear probing; 0 where it is free. */
  slots: Int32Array;
}

/** ln P(word | what brought the search into this state); −Infinity for what the model rules out. */
export function logProbability(model: NgramModel, state: number, word: number): number {
  const symbol = symbolOf(model, word);
  let backoff = 0;
  for (let node = state; ; node = model.shorter[node]!) {
    const found = childOf(model, node, symbol);
    if (found > 0) return backoff + model.logs[found]!;
    if (node === 0) return -Infinity;
    backoff += model.backoffs[node]!;
  }
}

/** The state after a word. */
export function stateAfter(model: NgramModel, state: number, word: number): number {
  const symbol = symbolOf(model, word);
  for (let node = state; ; node = model.shorter[node]!) {
    const found = childOf(model, node, symbol);
    if (found > 0) return model.states[found]!;
    if (node === 0) return 0;
  }
}

/** Words beyond those of the model, of an open vocabulary, are like any that it does not know. */
const symbolOf = ({ symbols, wordCount }: NgramModel, word: number): number =>
  word <= wordCount ? symbols[word]! : wordCount + 2;

/** All words equally likely, whatever came before; the end of a sentence costs nothing. */
export function uniformModel(wordCount: number): NgramModel {
  const builder = createNgramBuilder(
    wordCount,
    Array.from({ length: wordCount }, (_, word) => word),
  );
  for (let word = 0; word < wordCount; word++) builder.add([word], -Math.log(wordCount), 0);
  builder.add([wordCount], 0, 0);
  return builder.model();
}

/** The symbols that no word has. */
export const symbolsBeside = (wordCount: number) => ({ end: wordCount, start: wordCount + 1, unknown: wordCount + 2 });

/**
 * Puts a model together, shorter n-grams first. Where the beginning of an n-gram is missing, as some tools leave it, it
 * is added with the probability that back-off gives it.
 *
 * @param symbols of the words, `symbolsBeside` for those that are none
 */
export function createNgramBuilder(wordCount: number, symbols: readonly number[]) {
  let size = 1;
  let table: Table = {
    last: new Int32Array(1024),
    parents: new Int32Array(1024),
    logs: new Float64Array(1024),
    backoffs: new Float64Array(1024),
    slots: new Int32Array(2048),
  };
  const depths: number[] = [0];

  function append(parent: number, symbol: number, log: number, backoff: number): number {
    if (size === table.last.length) table = grown(table, size);
    const node = size++;
    table.last[node] = symbol;
    table.parents[node] = parent;
    table.logs[node] = log;
    table.backoffs[node] = backoff;
    insert(table, node);
    depths.push(depths[parent]! + 1);
    return node;
  }

  return {
    /** @returns whether it is new */
    add(ngram: readonly number[], log: number, backoff: number): boolean {
      let parent = 0;
      for (const symbol of ngram.slice(0, -1)) {
        const found = childOf(table, parent, symbol);
        parent = found > 0 ? found : append(parent, symbol, Number.NaN, 0); // its probability follows
      }
      const symbol = ngram.at(-1)!;
      const known = childOf(table, parent, symbol);
      if (known === 0) append(parent, symbol, log, backoff);
      return known === 0;
    },
    model(): NgramModel {
      const [last, parents, logs, backoffs] = [table.last, table.parents, table.logs, table.backoffs].map((array) =>
        array.slice(0, size),
      ) as [Int32Array, Int32Array, Float64Array, Float64Array];
      const shorter = new Int32Array(size);
      const states = Int32Array.from({ length: size }, (_, node) => node);
      const isContext = new Uint8Array(size);
      for (let node = 1; node < size; node++) isContext[parents[node]!] = 1;
      const order = Int32Array.from(states).sort((a, b) => depths[a]! - depths[b]!);
      for (const node of order) {
        if (node === 0) continue;
        let backoff = 0;
        for (let context = parents[node]!; context > 0 && shorter[node] === 0; ) {
          backoff += backoffs[context]!;
          context = shorter[context]!;
          shorter[node] = childOf(table, context, last[node]!);
        }
        if (Number.isNaN(logs[node])) logs[node] = backoff + (shorter[node]! > 0 ? logs[shorter[node]!]! : -Infinity);
        if (!isContext[node] && backoffs[node] === 0) states[node] = states[shorter[node]!]!;
      }
      const { start } = symbolsBeside(wordCount);
      const all = Int32Array.from([...symbols, wordCount]);
      const first = childOf(table, 0, start);
      return {
        ...{ wordCount, symbols: all, last, parents, logs, backoffs, shorter, states, slots: table.slots },
        start: states[first]!,
      };
    },
  };
}

type Table = Pick<NgramModel, 'last' | 'parents' | 'logs' | 'backoffs' | 'slots'>;

/** The node of an n-gram and one more symbol; 0 where there is none. */
function childOf({ last, parents, slots }: Pick<Table, 'last' | 'parents' | 'slots'>, parent: number, symbol: number) {
  const mask = slots.length - 1;
  for (let slot = hashOf(parent, symbol) & mask; ; slot = (slot + 1) & mask) {
    const node = slots[slot]!;
    if (node === 0 || (parents[node] === parent && last[node] === symbol)) return node;
  }
}

function insert({ last, parents, slots }: Table, node: number): void {
  const mask = slots.length - 1;
  let slot = hashOf(parents[node]!, last[node]!) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = node;
}

/** Twice the room. */
function grown({ last, parents, logs, backoffs, slots }: Table, size: number): Table {
  const copyOf = <A extends Int32Array | Float64Array>(array: A, larger: A): A => {
    larger.set(array);
    return larger;
  };
  const larger = {
    last: copyOf(last, new Int32Array(2 * size)),
    parents: copyOf(parents, new Int32Array(2 * size)),
    logs: copyOf(logs, new Float64Array(2 * size)),
    backoffs: copyOf(backoffs, new Float64Array(2 * size)),
    slots: new Int32Array(2 * slots.length),
  };
  for (let node = 1; node < size; node++) insert(larger, node);
  return larger;
}

/** Murmur's final mixing, of both numbers. */
function hashOf(parent: number, symbol: number): number {
  let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return hash ^ (hash >>> 16);
}
