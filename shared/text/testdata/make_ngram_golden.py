"""Values of an n-gram model with back-off, for arpa_test.ts: python3 make_ngram_golden.py > ngram.json

An implementation of its own: n-grams in a dictionary by their words, back-off by recursion, as the format defines it.
Where the package kenlm is installed its values are compared too (float32: to 1e-5), as they were when ngram.json was made
(kenlm 0.3.0).
The model: probabilities are drawn, not estimated, so that no smoothing hides a wrong back-off; trigrams and 4-grams are
pruned at random, with the beginnings of the rest kept, and one beginning ("b a") is left out, as some tools do.
"""
import itertools
import json
import math
import random
import sys
import tempfile

random.seed(7)
words = ['a', 'b', 'c', 'd']
start, end, unknown = '<s>', '</s>', '<unk>'
ngrams = {1: {(w,): (-random.uniform(0.2, 2), -random.uniform(0, 1)) for w in words + [unknown]}}
ngrams[1][(end,)] = (-0.7, None)
ngrams[1][(start,)] = (-99, -0.4)
for order in (2, 3, 4):
    ngrams[order] = {}
    for context in ngrams[order - 1]:
        if context[-1] in (end, unknown) or (order > 2 and context == (start,)):
            continue
        for w in words + [end]:
            if random.random() < {2: 0.7, 3: 0.4, 4: 0.3}[order]:
                back = None if w == end or order == 4 or random.random() < 0.2 else round(random.uniform(-1, 0.2), 4)
                ngrams[order][context + (w,)] = (-random.uniform(0.1, 2), back)
ngrams = {n: {k: (round(p, 4), None if b is None else round(b, 4)) for k, (p, b) in t.items()} for n, t in ngrams.items()}
missing = ('b', 'a')
assert any(k[:2] == missing for k in ngrams[3]) and missing in ngrams[2]
del ngrams[2][missing]


def arpa_of(tables):
    lines = ['\\data\\'] + [f'ngram {n}={len(t)}' for n, t in tables.items()]
    for n, table in tables.items():
        lines += ['', f'\\{n}-grams:'] + [
            f"{p}\t{' '.join(k)}" + ('' if b is None else f'\t{b}') for k, (p, b) in table.items()
        ]
    return '\n'.join(lines + ['', '\\end\\', ''])


def log10(history, word):
    """log10 P(word | history)"""
    word = word if (word,) in ngrams[1] else unknown
    history = tuple(h if (h,) in ngrams[1] else unknown for h in history)[-3:]
    table = ngrams[len(history) + 1]
    if history + (word,) in table:
        return table[history + (word,)][0]
    return (ngrams[len(history)].get(history, (0, 0))[1] or 0) + log10(history[1:], word)


sentences = []
for length in (0, 1, 2, 3, 5, 8, 13):
    for _ in range(4):
        said = [random.choice(words + ['z'] if random.random() < 0.2 else words) for _ in range(length)]
        logs = [log10((start, *said[:i]), w) for i, w in enumerate(said + [end])]
        sentences.append({'words': said, 'log10': [round(x, 6) for x in logs]})

try:
    import kenlm

    # kenlm wants the beginning and the end of every n-gram: it gets those that are missing, as probable as by back-off
    whole = {n: dict(table) for n, table in ngrams.items()}
    for n in (4, 3):
        for ngram in whole[n]:
            for part in (ngram[:-1], ngram[1:]):
                whole[n - 1].setdefault(part, (round(log10(part[:-1], part[-1]), 6), None))
    with tempfile.NamedTemporaryFile('w', suffix='.arpa') as file:
        file.write(arpa_of(whole))
        file.flush()
        model = kenlm.Model(file.name)
        for sentence in sentences:
            theirs = [score for score, _, _ in model.full_scores(' '.join(sentence['words']))]
            for ours, other in zip(sentence['log10'], theirs):
                assert math.isclose(ours, other, abs_tol=1e-5), (sentence, theirs)
    print(f'kenlm agrees on {len(sentences)} sentences', file=sys.stderr)
except ImportError:
    print('kenlm is not installed: not compared', file=sys.stderr)
json.dump({'arpa': arpa_of(ngrams), 'sentences': sentences}, sys.stdout, indent=1)
