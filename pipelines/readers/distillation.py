"""Training in PyTorch from this toolkit's files: features, soft targets (an essence) and hard labels.

    data = DistillationDataset('exp/features/train', 'exp/essence/train', 'exp/align/train')
    loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, collate_fn=collate, num_workers=2)
    for batch in loader:
        logits = model(batch['features'])                       # yours, [frames, tokens]
        loss = distillation_loss(logits, batch, tail=data.tail, temperature=data.temperature, soft_weight=0.5)

Nothing of the toolkit is needed, only pyarrow, numpy and torch (1.13 or later). The files are described in
shared/training/FORMATS.md. Run as a program it trains a small network: distillation.py FEATURES ESSENCE ALIGNMENT.
"""
import math
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pyarrow import ipc
from torch.nn import functional as F


class UtteranceTable:
    """A folder of Arrow files with a row for each utterance, or one such file. Mapped into memory, not read."""

    def __init__(self, path):
        path = Path(path)
        self.paths = sorted(path.glob('*.arrow')) if path.is_dir() else [path]
        if not self.paths:
            raise FileNotFoundError(f'{path} holds no .arrow file')
        self._files = None
        with ipc.open_file(pa.memory_map(str(self.paths[0]))) as file:
            self.metadata = {key.decode(): value.decode() for key, value in file.schema.metadata.items()}
        self.place = {}  # utterance → (file, record batch, row)
        for i, file in enumerate(self.files):
            for b in range(file.num_record_batches):
                for row, utterance in enumerate(file.get_batch(b).column('utterance').to_pylist()):
                    self.place[utterance] = (i, b, row)

    @property
    def files(self):
        if self._files is None:  # opened anew in each worker of a DataLoader
            self._files = [ipc.open_file(pa.memory_map(str(path))) for path in self.paths]
        return self._files

    def __getstate__(self):
        return {**self.__dict__, '_files': None}

    def read(self, utterance):
        """The cells of a row: numbers, and numpy arrays that are views of the file."""
        i, b, row = self.place[utterance]
        batch = self.files[i].get_batch(b)
        cells = {}
        for name, column in zip(batch.schema.names, batch.columns):
            cell = column[row]
            cells[name] = cell.values.to_numpy() if pa.types.is_list(column.type) else cell.as_py()
        return cells


class DistillationDataset(torch.utils.data.Dataset):
    """Utterances that have features and soft targets; of those with hard labels too, where an alignment is given.

    An item has, for T output frames that keep at most K tokens each:
      features        float32 [T, (left + 1 + right) · bins], normalised per bin over the first 100 utterances; the window
                      around the input frame in the middle of each output frame, the edges repeated
      tokens          int64   [T, K], kept tokens, best first; 0 where there are fewer
      log_posteriors  float32 [T, K], their log-posteriors in nats; −inf where there are fewer
      log_tail        float32 [T], log of the mass not kept
      weight          float32 [T], how far the gate is open
      labels          int64   [T], hard labels; −1 where there are none
    """

    def __init__(self, features, essence, alignment=None, left=2, right=2):
        self.features, self.essence = UtteranceTable(features), UtteranceTable(essence)
        self.alignment = UtteranceTable(alignment) if alignment else None
        self.left, self.right = left, right
        about, targets = self.features.metadata, self.essence.metadata
        if self.alignment and self.alignment.metadata['kd.tokens'] != targets['kd.tokens']:
            raise ValueError(f'{alignment} and {essence} have other tokens: make both from the same data')
        self.bins = int(about['kd.bins'])
        self.vocabulary_size = int(targets['kd.vocabularySize'])
        self.tail, self.temperature = targets['kd.tail'], float(targets['kd.temperature'])
        # times of frames, so that any stride and any first frame fit
        time = lambda metadata: (float(metadata['kd.firstFrameCentreMs']), float(metadata['kd.frameShiftMs']))
        (self.first_in, self.shift_in), (self.first_out, self.shift_out) = time(about), time(targets)
        tables = [self.features.place, self.essence.place] + ([self.alignment.place] if self.alignment else [])
        self.utterances = sorted(set.intersection(*map(set, tables)))
        sample = np.concatenate([self._input(utterance) for utterance in self.utterances[:100]])
        self.mean, self.deviation = sample.mean(0), sample.std(0) + 1e-5

    def _input(self, utterance):
        return self.features.read(utterance)['features'].reshape(-1, self.bins)

    def __len__(self):
        return len(self.utterances)

    def __getitem__(self, i):
        utterance = self.utterances[i]
        row, target = self._input(utterance), self.essence.read(utterance)
        frames = target['frames']
        centres = np.rint((self.first_out + self.shift_out * np.arange(frames) - self.first_in) / self.shift_in).astype(int)
        centres = np.minimum(centres, len(row) - 1)
        window = np.clip(centres[:, None] + np.arange(-self.left, self.right + 1), 0, len(row) - 1)
        offsets = target.get('offsets')
        if offsets is None:
            offsets = int(self.essence.metadata['kd.k']) * np.arange(frames + 1)
        counts = np.diff(offsets)
        place = np.arange(max(counts.max(), 1))
        kept = place < counts[:, None]
        tokens = np.zeros(kept.shape, np.int64)
        log_posteriors = np.full(kept.shape, -np.inf, np.float32)
        tokens[kept] = target['tokens']
        log_posteriors[kept] = target['logPosteriors']
        labels = self.alignment.read(utterance)['labels'] if self.alignment else np.full(frames, -1)
        return {
            'utterance': utterance,
            'features': torch.from_numpy(((row - self.mean) / self.deviation)[window].reshape(frames, -1).astype(np.float32)),
            'tokens': torch.from_numpy(tokens),
            'log_posteriors': torch.from_numpy(log_posteriors),
            'log_tail': torch.from_numpy(target['logTail'].astype(np.float32)),
            'weight': torch.from_numpy(target['weight'].astype(np.float32)),
            'labels': torch.from_numpy(labels.astype(np.int64)),
        }


def collate(items):
    """Utterances one after another, without padding but for the number of tokens kept: all of them [frames, …]."""
    width = max(item['tokens'].shape[1] for item in items)
    fill = {'tokens': 0, 'log_posteriors': -math.inf}
    widened = lambda item, name: F.pad(item[name], (0, width - item[name].shape[1]), value=fill[name]) if name in fill else item[name]
    batch = {name: torch.cat([widened(item, name) for item in items]) for name in items[0] if name != 'utterance'}
    batch['utterances'] = [item['utterance'] for item in items]
    batch['lengths'] = torch.tensor([len(item['labels']) for item in items])
    return batch


def distillation_loss(logits, batch, tail, temperature=1.0, soft_weight=0.5):
    """Mean over frames of h · cross-entropy + w · g · T² · KL(soft targets ‖ student at T), h = 1 − w · g, as train_student has it.

    tail: what the mass not kept means, as the essence says it (kd.tail): ghost, renormalise, uniform or to-label.
    """
    log_student = torch.log_softmax(logits / temperature, -1)
    kept = torch.isfinite(batch['log_posteriors'])
    tail_mass = batch['log_tail'].exp() if tail in ('ghost', 'uniform') else torch.zeros_like(batch['log_tail'])
    # kept mass is rescaled to 1 − tail: half floats are off by rounding
    target = torch.where(kept, batch['log_posteriors'], torch.full_like(batch['log_posteriors'], -math.inf)).exp()
    target = target * ((1 - tail_mass) / target.sum(-1).clamp_min(1e-30))[:, None]
    plogp = lambda p: torch.where(p > 0, p * p.clamp_min(1e-30).log(), torch.zeros_like(p))
    picked = torch.where(kept, log_student.gather(1, batch['tokens']), torch.zeros_like(target))
    nats = (plogp(target) - target * picked).sum(-1)
    if tail in ('ghost', 'uniform'):
        is_kept = torch.zeros_like(log_student).scatter_add_(1, batch['tokens'], kept.to(log_student.dtype)) > 0
        others = log_student.masked_fill(is_kept, -math.inf if tail == 'ghost' else 0)
        if tail == 'ghost':  # one more outcome, "anything else"
            has_tail = tail_mass > 0
            log_else = torch.logsumexp(others, -1)
            nats = nats + torch.where(has_tail, plogp(tail_mass) - tail_mass * torch.where(has_tail, log_else, torch.zeros_like(log_else)), torch.zeros_like(nats))
        else:
            share = tail_mass / (~is_kept).sum(-1).clamp_min(1)
            nats = nats + (~is_kept).sum(-1) * plogp(share) - share * others.sum(-1)
    soft = torch.where(kept.any(-1), soft_weight * batch['weight'], torch.zeros_like(nats))
    has_label = batch['labels'] >= 0
    hard = F.cross_entropy(logits, batch['labels'].clamp_min(0), reduction='none') * has_label
    return ((1 - soft) * hard + soft * temperature**2 * nats).mean()


def main(features, essence, alignment, updates=200):
    torch.manual_seed(0)
    data = DistillationDataset(features, essence, alignment)
    width = (data.left + 1 + data.right) * data.bins
    model = torch.nn.Sequential(torch.nn.Linear(width, 128), torch.nn.ReLU(), torch.nn.Linear(128, data.vocabulary_size))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    update = 0
    while update < updates:
        for batch in torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, collate_fn=collate):
            logits = model(batch['features'])
            loss = distillation_loss(logits, batch, data.tail, data.temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if update % 20 == 0 or update == updates - 1:
                accuracy = (logits.argmax(-1) == batch['labels']).float().mean()
                print(f'update {update}: loss {loss.item():.4f} nats, frame accuracy {accuracy.item():.3f}', flush=True)
            update += 1
            if update == updates:
                break


if __name__ == '__main__':
    main(*sys.argv[1:4], *map(int, sys.argv[4:5]))
