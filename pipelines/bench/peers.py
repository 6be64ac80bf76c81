"""The other side of each comparison: `python peers.py CASE [ARGUMENT…]` prints how much work it does in a second."""
import os
import sys
import tempfile
import time


def rate_of(units, work):
    """Runs the work until two seconds have passed, after one round to warm up; units a second."""
    work()
    started = time.perf_counter()
    rounds = 0
    while time.perf_counter() - started < 2:
        work()
        rounds += 1
    return units * rounds / (time.perf_counter() - started)


def signal(seconds):
    import numpy as np

    return np.random.default_rng(0).normal(0, 1000, 16000 * seconds).astype(np.float32)


def fbank_numpy():
    """The whole signal at once: strided frames, one batch of real FFTs, one matrix product with the mel bank."""
    import numpy as np

    seconds, rate, bins, length, shift, size = 21 * 60, 16000, 80, 400, 160, 512
    samples = signal(seconds)
    window = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length - 1))) ** 0.85).astype(np.float32)
    mel = lambda hertz: 1127 * np.log(1 + hertz / 700)
    edges = np.linspace(mel(20), mel(rate / 2), bins + 2)
    lines = mel(np.arange(size // 2 + 1) * rate / size)[:, None]
    up, down = (lines - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - lines) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(up, down)).astype(np.float32)

    def work():
        frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::shift]
        frames = frames - frames.mean(axis=1, keepdims=True)
        frames[:, 1:] -= 0.97 * frames[:, :-1]
        frames[:, 0] *= 0.03
        spectrum = np.fft.rfft(frames * window, size)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log(np.maximum(power.astype(np.float32) @ bank, np.float32(2**-23)))

    return rate_of(seconds, work)


def fbank_kaldi():
    import kaldi_native_fbank as knf

    seconds = 21 * 60
    samples = signal(seconds)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80

    def work():
        fbank = knf.OnlineFbank(options)
        fbank.accept_waveform(16000, samples)
        fbank.input_finished()
        return [fbank.get_frame(i) for i in range(fbank.num_frames_ready)]

    return rate_of(seconds, work)


def torch_of_one_thread():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return torch


def top(k):
    torch = torch_of_one_thread()
    frames, tokens = 4000, 500
    scores = torch.randn(frames, tokens)
    for i in range(1, frames):
        scores[i] += 0.9 * scores[i - 1]
    return rate_of(frames, lambda: (torch.topk(scores, int(k)), torch.logsumexp(scores, 1)))


def loss():
    """Dense KL and cross-entropy, and their gradient with respect to the logits."""
    torch = torch_of_one_thread()
    frames, tokens = 600, 5000
    logits = (3 * torch.randn(frames, tokens)).requires_grad_()
    teacher = torch.softmax(3 * torch.randn(frames, tokens), 1)
    labels = torch.full((frames,), 7)

    def work():
        logits.grad = None
        student = torch.log_softmax(logits, 1)
        soft = torch.nn.functional.kl_div(student, teacher, reduction='batchmean')
        hard = torch.nn.functional.nll_loss(student, labels)
        (0.9 * soft + 0.1 * hard).backward()

    return rate_of(frames, work)


def ctc():
    """One utterance, and the gradient with respect to its logits."""
    torch = torch_of_one_thread()
    frames, tokens, count = 600, 500, 60
    logits = (3 * torch.randn(frames, tokens)).requires_grad_()
    labels = (1 + torch.arange(count) * 7 % (tokens - 1))[None]
    lengths = torch.tensor([frames]), torch.tensor([count])

    def work():
        logits.grad = None
        posteriors = torch.log_softmax(logits, 1)[:, None]
        (torch.nn.functional.ctc_loss(posteriors, labels, *lengths, reduction='sum') / frames).backward()

    return rate_of(frames, work)


def train(name):
    torch = torch_of_one_thread()
    nn = torch.nn

    class Layer(nn.Module):
        def __init__(self, width, dilation):
            super().__init__()
            self.dilation, self.norm = dilation, nn.LayerNorm(width)
            self.map = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation) if dilation else nn.Linear(width, width)

        def forward(self, x):
            z = self.map(x.transpose(1, 2)).transpose(1, 2) if self.dilation else self.map(x)
            return x + torch.relu(self.norm(z))

    if name == 'lstm':
        return train_recurrent(torch)
    splice, stride, width, dilations = {'tdnn': (4, 3, 256, [1, 1, 2, 3]), 'dense': (5, 1, 512, [0, 0, 0])}[name]
    inputs, tokens = 40 * (2 * splice + 1), 120
    shape = (16, 100) if name == 'tdnn' else (1, 1024)
    first = [nn.Linear(inputs, width), nn.LayerNorm(width), nn.ReLU()]
    model = nn.Sequential(*first, *[Layer(width, dilation) for dilation in dilations], nn.Linear(width, tokens))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    features = torch.randn(*shape, inputs)
    labels = torch.arange(shape[0] * shape[1]) % tokens

    def work():
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(features).reshape(-1, tokens), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()

    return rate_of(shape[0] * shape[1] * stride, work)


def train_recurrent(torch):
    nn = torch.nn
    recurrent, output = nn.LSTM(80, 256, batch_first=True), nn.Linear(256, 120)
    parameters = [*recurrent.parameters(), *output.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
    features = torch.randn(16, 100, 80)
    labels = torch.arange(1600) % 120

    def work():
        optimiser.zero_grad()
        nn.functional.cross_entropy(output(recurrent(features)[0]).reshape(-1, 120), labels).backward()
        nn.utils.clip_grad_norm_(parameters, 5)
        optimiser.step()

    return rate_of(1600, work)


def cache(what):
    """An essence of 16 tokens, a million frames: columns from numpy arrays, one batch for each 8 MiB."""
    import hashlib

    import numpy as np
    import pyarrow as pa

    utterances, frames, k, together = 2000, 500, 16, 200
    random = np.random.default_rng(0)
    row = {
        'tokens': (np.arange(frames * k) * 7 % 5000).astype(np.uint16),
        'logPosteriors': random.normal(size=frames * k).astype(np.float32),
        'logTail': random.normal(size=frames).astype(np.float32),
        'weight': np.ones(frames, np.float32),
    }
    half = ('logPosteriors', 'weight')

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'part.arrow')

        def batch(first):
            arrays = {
                'utterance': pa.array([f'utterance-{i}' for i in range(first, first + together)]),
                'frames': pa.array(np.full(together, frames, np.int32)),
            }
            for name, values in row.items():
                stacked = np.concatenate([values.astype(np.float16) if name in half else values] * together)
                offsets = np.arange(together + 1, dtype=np.int32) * len(values)
                arrays[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(stacked))
            return pa.record_batch(arrays)

        def write(file):
            with pa.ipc.new_file(file, batch(0).schema) as writer:
                for first in range(0, utterances, together):
                    writer.write(batch(first))

        def write_alone():
            with pa.OSFile(path, 'wb') as file:
                write(file)
            with open(path, 'rb') as file:
                os.fsync(file.fileno())

        class Digesting:
            """A file whose digest is known when it has been written, as ours is."""

            def __init__(self, file):
                self.file, self.digest, self.closed = file, hashlib.sha256(), False

            def write(self, data):
                self.digest.update(data)
                return self.file.write(data)

            def flush(self):
                self.file.flush()

            def close(self):
                self.closed = True

        def write_digested():
            with open(path, 'wb') as file:
                write(pa.PythonFile(Digesting(file), mode='w'))
                file.flush()
                os.fsync(file.fileno())

        def read():
            total = 0
            with pa.OSFile(path) as source:
                reader = pa.ipc.open_file(source)
                for i in range(reader.num_record_batches):
                    found = reader.get_batch(i)
                    for tail, posteriors in zip(found['logTail'], found['logPosteriors']):
                        posteriors.values.to_numpy(zero_copy_only=False).astype(np.float32)
                        total += tail.values[0].as_py()
            return total

        if what == 'read':
            write_alone()
            return rate_of(os.path.getsize(path) / 1e9, read)
        return rate_of(utterances * frames, write_alone if what == 'write' else write_digested)


def flac(path, seconds):
    import soundfile

    return rate_of(float(seconds), lambda: soundfile.read(path, dtype='int16'))


def read_transcripts(path):
    with open(path) as file:
        return [line.split(' ', 1)[1].strip() for line in file]


def jiwer(reference, hypothesis):
    """Once, from the files to the counts; utterances a second."""
    import jiwer as measures

    started = time.perf_counter()
    truth = read_transcripts(reference)
    measures.process_words(truth, read_transcripts(hypothesis))
    return len(truth) / (time.perf_counter() - started)


CASES = dict(
    fbank_numpy=fbank_numpy, fbank_kaldi=fbank_kaldi, top=top, loss=loss, ctc=ctc, train=train, cache=cache, flac=flac, jiwer=jiwer
)
print(CASES[sys.argv[1]](*sys.argv[2:]))
