"""The whole experiment in PyTorch: `python experiment.py STUDENT…` trains anew, as their reports say, the students in
these folders of train_student and the teachers of their soft targets. Prints seconds and dev frame accuracies.

Two processes of one thread each take the models in turn, as make does with two jobs: two threads on one network of this
size gain less. Frames are packed and the taps of a convolution gathered, which takes two thirds of the time of padded
batches and Conv1d; compiling costs each architecture more seconds than it saves. Posteriors stay in memory.
"""
import time

STARTED = time.perf_counter()

import glob
import json
import math
import os
import sys
import tempfile

import pyarrow as pa
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def report_of(folder):
    with open(os.path.join(folder, 'report.json')) as file:
        return json.load(file)


def read_table(folder):
    return pa.concat_tables(pa.ipc.open_file(path).read_all() for path in sorted(glob.glob(f'{folder}/*.arrow')))


class Corpus:
    """Utterances one after another: their features, hard labels and, for each output frame, the input frames it sees."""

    def __init__(self, features, alignment, splice, stride):
        table, aligned = read_table(features), read_table(alignment)
        assert table['utterance'] == aligned['utterance'], f'{features} and {alignment} hold different utterances'
        self.frames = torch.tensor(table['frames'].to_numpy())
        flat = torch.tensor(table['features'].combine_chunks().flatten().to_numpy())
        self.features = flat.view(int(self.frames.sum()), -1)
        self.labels = torch.tensor(aligned['labels'].combine_chunks().flatten().to_numpy().astype('int64'))
        self.counts = torch.div(self.frames + stride - 1, stride, rounding_mode='floor')
        # of each output frame: how many its utterance has, and which it is
        self.count = self.counts.repeat_interleave(self.counts)
        self.place = torch.arange(len(self.labels)) - starts(self.counts).repeat_interleave(self.counts)
        frames = self.frames.repeat_interleave(self.counts)[:, None]
        first = starts(self.frames).repeat_interleave(self.counts)[:, None]
        centre = torch.minimum(stride * self.place[:, None] + stride // 2, frames - 1)
        seen = (centre + torch.arange(-splice, splice + 1)).clamp(min=0)
        self.window = first + torch.minimum(seen, frames - 1)
        self.rows = torch.arange(len(self.labels)).split(self.counts.tolist())


def starts(lengths):
    return lengths.cumsum(0) - lengths


class Tdnn(nn.Module):
    def __init__(self, inputs, tokens, options):
        super().__init__()
        width, self.dilations, self.dropout = options['width'], options['dilations'], options['dropout']
        sizes = [inputs, *[3 * width for _ in self.dilations]]
        self.maps = nn.ModuleList(nn.Linear(size, width) for size in sizes)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in sizes)
        self.output = nn.Linear(width, tokens)
        for layer in [*self.maps, self.output]:
            nn.init.normal_(layer.weight, std=math.sqrt((1 if layer is self.output else 2) / layer.in_features))
            nn.init.zeros_(layer.bias)

    def forward(self, x, place, count):
        """Spliced features [frames × inputs], the place of each frame in its utterance, and the frames of that."""
        frames = len(x)
        here = torch.arange(frames)
        y = self.hidden(0, x)
        for i, dilation in enumerate(self.dilations):
            before = torch.where(place >= dilation, here - dilation, frames)
            after = torch.where(place + dilation < count, here + dilation, frames)
            taps = torch.stack([before, here, after], 1).view(-1)
            edged = F.pad(y, (0, 0, 0, 1))  # a row of zeros, beyond the edges
            y = y + self.hidden(i + 1, edged.index_select(0, taps).view(frames, -1))
        return self.output(y)

    def hidden(self, i, x):
        return F.dropout(F.relu(self.norms[i](self.maps[i](x))), self.dropout, self.training)


def masked(corpus, options):
    """Features with bands and stretches at 0, drawn anew for each utterance."""
    frames, bins = corpus.frames, corpus.features.shape[1]
    bands = torch.zeros(len(frames), bins, dtype=torch.bool)
    for _ in range(options['frequencyMasks']):
        bands |= spans(torch.full_like(frames, bins), options['frequencyMaskBins'], bins)
    stretches = torch.zeros(len(frames), int(frames.max()), dtype=torch.bool)
    masks = options['timeMasks'] * torch.ceil(frames / 100)
    for i in range(int(masks.max())):
        stretches |= spans(frames, options['timeMaskFrames'], stretches.shape[1]) & (i < masks)[:, None]
    stretch = stretches[torch.arange(stretches.shape[1]) < frames[:, None]]
    return corpus.features.masked_fill(bands.repeat_interleave(frames, 0) | stretch[:, None], 0)


def spans(lengths, widest, longest):
    """A span in each sequence, up to `widest` long: which of its places, up to the longest sequence's, are in it."""
    width = (torch.rand(len(lengths)) * (lengths.clamp(max=widest) + 1)).long()[:, None]
    first = (torch.rand(len(lengths), 1) * (lengths[:, None] - width + 1)).long()
    place = torch.arange(longest)
    return (place >= first) & (place < first + width)


def batches(corpus, order, frames):
    """Output frames of utterances in this order, together until they are `frames` or more."""
    together, total = [], 0
    for utterance in order:
        together.append(corpus.rows[utterance])
        total += len(together[-1])
        if total >= frames:
            yield torch.cat(together)
            together, total = [], 0
    if together:
        yield torch.cat(together)


def training_batches(corpus, options):
    while True:
        has_masks = options['frequencyMasks'] + options['timeMasks'] > 0
        features = masked(corpus, options) if has_masks else corpus.features
        for rows in batches(corpus, torch.randperm(len(corpus.frames)).tolist(), options['batchFrames']):
            yield rows, spliced(corpus, features, rows)


def spliced(corpus, features, rows):
    return features.index_select(0, corpus.window[rows].view(-1)).view(len(rows), -1)


@torch.inference_mode()
def log_posteriors(network, corpus):
    network.eval()
    found = [
        F.log_softmax(network(spliced(corpus, corpus.features, rows), corpus.place[rows], corpus.count[rows]), 1)
        for rows in batches(corpus, range(len(corpus.frames)), 1500)
    ]
    network.train()
    return torch.cat(found)


def warm_up_cosine(update, updates, warm_up):
    rise = round(warm_up * updates)
    if update < rise:
        return (update + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (update - rise) / (updates - rise)))


def loss_of(logits, labels, soft, options):
    hard = F.cross_entropy(logits, labels, label_smoothing=options['labelSmoothing'])
    if soft is None:
        return hard
    student = F.log_softmax(logits, 1)
    tokens, posteriors = soft
    if tokens is not None:  # what is not kept is one more outcome
        other = student.scatter(1, tokens, -math.inf).logsumexp(1, keepdim=True)
        student = torch.cat([student.gather(1, tokens), other], 1)
    weight = options['softWeight']
    return (1 - weight) * hard + weight * F.kl_div(student, posteriors, reduction='batchmean')


def train(path, options, soft=None):
    """Returns the path, the dev frame accuracy at the end, and the log-posteriors of the training data."""
    torch.manual_seed(options['seed'])
    network = Tdnn(TRAIN.window.shape[1] * TRAIN.features.shape[1], TOKENS, options)
    matrices = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    groups = [{'params': matrices, 'weight_decay': options['weightDecay']}, {'params': vectors, 'weight_decay': 0.0}]
    optimiser = torch.optim.AdamW(groups, fused=True)
    updates, evaluations = options['updates'], options['evaluations']
    evaluated_at = {round((i + 1) * updates / evaluations) for i in range(evaluations)}
    curve = []
    for update, (rows, x) in zip(range(updates), training_batches(TRAIN, options)):
        for group in optimiser.param_groups:
            group['lr'] = options['learningRate'] * warm_up_cosine(update, updates, options['warmUp'])
        soft_targets = soft and [part if part is None else part[rows] for part in soft]
        optimiser.zero_grad()
        logits = network(x, TRAIN.place[rows], TRAIN.count[rows])
        loss_of(logits, TRAIN.labels[rows], soft_targets, options).backward()
        nn.utils.clip_grad_norm_(network.parameters(), options['clip'])
        optimiser.step()
        if update + 1 in evaluated_at:
            found = log_posteriors(network, DEV)
            accuracy = (found.argmax(1) == DEV.labels).float().mean().item()
            curve.append((update + 1, accuracy, F.nll_loss(found, DEV.labels).item()))
    found = log_posteriors(network, TRAIN)
    with tempfile.TemporaryFile() as file:
        torch.save({'weights': network.state_dict(), 'prior': found.exp().mean(0), 'curve': curve}, file)
    return path, curve[-1][1], found


def soft_targets_of(ensemble, options):
    """All tokens, or the best and what is left over: which, and their posteriors."""
    if options['select'] == 'all':
        return None, ensemble
    posteriors, tokens = ensemble.topk(options['k'])
    return tokens, torch.cat([posteriors, (1 - posteriors.sum(1, keepdim=True)).clamp(min=0)], 1)


def student_of(path):
    """Its options; of the features, labels and targets that could be several, the one there is."""
    options = report_of(path)['options']
    several = ('features', 'alignment', 'targets')
    return options | {name: options[name][0] for name in several if isinstance(options.get(name), list)}


students = {path: student_of(path) for path in sys.argv[1:]}
targets = {path: report_of(options['targets'])['options'] for path, options in students.items() if 'targets' in options}
teachers = {}
for options in targets.values():
    for path in report_of(options['logits'])['options']['teacher']:
        teachers[path] = report_of(path)['options']

settings = next(iter(students.values()))
seen = settings['splice'], settings['stride']
TRAIN = Corpus(settings['features'], settings['alignment'], *seen)
DEV = Corpus(settings['devFeatures'], settings['devAlignment'], *seen)
deviation, mean = torch.std_mean(TRAIN.features, 0, correction=0)
for corpus in (TRAIN, DEV):
    corpus.features = (corpus.features - mean) / deviation
with open(os.path.join(settings['alignment'], 'tokens.txt')) as file:
    TOKENS = len(file.read().splitlines())

with torch.multiprocessing.get_context('fork').Pool(2) as pool:
    teaching = [pool.apply_async(train, item) for item in teachers.items()]
    untaught = [pool.apply_async(train, item) for item in students.items() if item[0] not in targets]
    results = [one.get() for one in teaching]
    ensemble = torch.stack([found for _, _, found in results]).exp().mean(0)
    taught = [
        pool.apply_async(train, (path, students[path], soft_targets_of(ensemble, options)))
        for path, options in targets.items()
    ]
    results += [one.get() for one in untaught + taught]
accuracies = {path: accuracy for path, accuracy, _ in results}
print(json.dumps({'seconds': time.perf_counter() - STARTED, 'devFrameAccuracy': accuracies}))
