"""Golden intervals and p value over speakers by numpy: sums by speaker, multinomial draws, all sign patterns.

    pip install numpy && python make_by_speaker_golden.py

Ten speakers of one to six utterances, two arms of three seeds; 400,000 draws of speakers and, independently, of two of the seeds.
"""
import itertools
import json
import pathlib

import numpy

SPEAKERS, SEEDS, DRAWS = 10, 3, 400000
random = numpy.random.default_rng(7)
skill = random.normal(0, 0.5, SPEAKERS)
utterances = []
for speaker in range(SPEAKERS):
    for _ in range(random.integers(1, 7)):
        words = int(random.integers(2, 9))
        rate = numpy.exp(-1.6 + skill[speaker])
        hard = random.binomial(words, min(rate, 1), SEEDS)
        top3 = random.binomial(words, min(rate * 0.7, 1), SEEDS)
        utterances.append((speaker, words, hard.tolist(), top3.tolist()))

words, hard, top3 = numpy.zeros(SPEAKERS), numpy.zeros((SEEDS, SPEAKERS)), numpy.zeros((SEEDS, SPEAKERS))
for speaker, count, of_hard, of_top3 in utterances:
    words[speaker] += count
    hard[:, speaker] += of_hard
    top3[:, speaker] += of_top3

difference = top3.mean(0) - hard.mean(0)
signs = numpy.array(list(itertools.product([1, -1], repeat=SPEAKERS)))
p = float(numpy.mean(numpy.abs(signs @ difference) >= abs(difference.sum()) - 1e-9))
speaker_draws = random.multinomial(SPEAKERS, numpy.full(SPEAKERS, 1 / SPEAKERS), DRAWS).astype(float)
seed_draws = random.multinomial(SEEDS - 1, numpy.full(SEEDS, 1 / SEEDS), DRAWS).astype(float)


def resampled(errors):
    return numpy.einsum('ns,sk,nk->n', seed_draws, errors, speaker_draws) / ((SEEDS - 1) * (speaker_draws @ words))


def interval(rates):
    return numpy.quantile(rates, [0.025, 0.975]).tolist()


rates = resampled(hard), resampled(top3)
golden = dict(
    origin=f'make_by_speaker_golden.py, numpy {numpy.__version__}',
    utterances='@',
    wer=float(top3.mean(0).sum() / words.sum()),
    interval=interval(rates[1]),
    difference=float(difference.sum() / words.sum()),
    differenceInterval=interval(rates[1] - rates[0]),
    p=p,
    speakers=dict(
        better=int((difference < -1e-9).sum()),
        equal=int((abs(difference) < 1e-9).sum()),
        worse=int((difference > 1e-9).sum()),
    ),
)
rows = ',\n'.join(
    '  ' + json.dumps(dict(speaker=f's{speaker:02d}', words=count, hard=of_hard, top3=of_top3))
    for speaker, count, of_hard, of_top3 in utterances
)
text = json.dumps(golden, indent=1).replace('"@"', f'[\n{rows}\n ]')
pathlib.Path(__file__).with_name('by_speaker.json').write_text(text + '\n')
