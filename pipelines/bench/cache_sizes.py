"""Bytes a frame, and the divergence of what is kept from the dense distribution: see cache_sizes.sh.

python cache_sizes.py sharpen FOLDER MODEL…   a folder as filter_targets --tune leaves it, every teacher at T = 0.5
python cache_sizes.py table FOLDER TOKENS…    the table
"""
import hashlib
import json
import os
import sys
import tempfile

import numpy as np

SHARP = 0.5
PART = "part-00000-of-00001.arrow"


def sharpen(folder, *models):
    """What takes the place of tuned temperatures."""
    ids = [json.load(open(os.path.join(model, "report.json")))["id"] for model in models]
    found = {"teachers": ids, "teacherTemperatures": [SHARP] * len(ids), "weights": [1 / len(ids)] * len(ids), "atEdge": []}
    text = json.dumps(found).encode()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "combination.json"), "wb") as file:
        file.write(text)
    files = {"combination.json": {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}}
    with open(os.path.join(folder, "report.json"), "w") as file:
        json.dump({"schemaVersion": 1, "stage": "filter_targets", "id": hashlib.sha256(text).hexdigest()[:32], "files": files}, file)


def rows_of(path):
    """Rows of an Arrow file as dictionaries of arrays, a record batch in memory at a time."""
    from pyarrow import ipc

    reader = ipc.open_file(path)
    for batch in range(reader.num_record_batches):
        columns = reader.get_batch(batch)
        for row in range(columns.num_rows):
            cells = {name: columns[name][row] for name in columns.schema.names}
            yield {name: cell.values.to_numpy() if hasattr(cell, "values") else cell.as_py() for name, cell in cells.items()}


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def combined(row, tokens, temperature):
    """Log of the teachers' mean posterior, [frames × tokens], float64."""
    teachers = [row[name].astype(np.float64).reshape(-1, tokens) for name in row if name.startswith("logPosteriors_")]
    return np.log(np.mean([np.exp(log_softmax(values / temperature)) for values in teachers], axis=0))


def divergence(reference, other):
    """KL(reference ‖ other) of each frame."""
    return (np.exp(reference) * (reference - other)).sum(axis=1)


def decode_tokens(codes, k):
    """Tokens of an utterance from `tokenCodes`, [frames × k]: a place in the frame before, or k + token."""
    tokens, before = [], []
    for frame in codes.reshape(-1, k):
        left, now = list(before), []
        for code in frame:
            now.append(left.pop(code) if code < k else int(code) - k)
        tokens.append(now)
        before = now
    return np.array(tokens, np.uint16).reshape(-1, k)


def decode_steps(steps, k):
    """Log-posteriors from `logPosteriorSteps`: sums of the bits of halves."""
    return np.cumsum(steps.reshape(-1, k), axis=1, dtype=np.uint16).view(np.float16)


def densified(row, k, tokens):
    """Log-posteriors of a sparse row at T = 1, its tail spread evenly over the other tokens."""
    values = row["logPosteriors"].reshape(-1, k).astype(np.float64) - row["logZ_1"].astype(np.float64)[:, None]
    beyond = np.maximum(1e-12, 1 - np.exp(values).sum(axis=1, keepdims=True))
    dense = np.repeat(np.log(beyond / (tokens - k)), tokens, axis=1)
    np.put_along_axis(dense, row["tokens"].reshape(-1, k).astype(np.int64), values, axis=1)
    return dense


class Tally:
    def __init__(self):
        self.bytes, self.nats, self.mass, self.frames = 0, 0.0, 0.0, 0

    def add(self, size, nats, mass=1.0):
        self.bytes += size
        self.nats += nats.sum()
        self.mass += np.sum(mass * np.ones(len(nats)))
        self.frames += len(nats)

    def cells(self):
        return f"{self.bytes / self.frames:.1f}", f"{max(0, self.nats / self.frames):.1e}", f"{100 * self.mass / self.frames:.1f}"


def dense_rows(folder, tokens, temperature):
    """What dense caches and Kaldi's archives take."""
    import kaldiio
    import pyarrow

    names = {2: "Kaldi, speech features (1 byte)", 3: "Kaldi, two bytes", 5: "Kaldi, one byte"}
    tallies = {"dense float32": Tally(), "dense float16": Tally(), "dense float16, zstd": Tally()}
    tallies.update({name: Tally() for name in names.values()})
    ark = os.path.join(tempfile.mkdtemp(), "posteriors.ark")
    zstd = pyarrow.Codec("zstd", compression_level=1)
    for row in rows_of(os.path.join(folder, "dense", PART)):
        reference = combined(row, tokens, temperature)
        exact, half = reference.astype(np.float32), reference.astype(np.float16)
        lost = divergence(reference, log_softmax(half.astype(np.float64)))
        tallies["dense float32"].add(exact.nbytes, divergence(reference, log_softmax(exact.astype(np.float64))))
        tallies["dense float16"].add(half.nbytes, lost)
        tallies["dense float16, zstd"].add(len(zstd.compress(half.tobytes())), lost)
        for method, name in names.items():
            kaldiio.save_ark(ark, {"u": exact}, compression_method=method)
            (_, read), = kaldiio.load_ark(ark)
            tallies[name].add(os.path.getsize(ark), divergence(reference, log_softmax(read.astype(np.float64))))
    return [(name, *tally.cells()) for name, tally in tallies.items()]


def sparse_rows(folder, tokens, temperature, sureness):
    """What sparse caches take, all columns and the file around them."""
    tallies = {k: Tally() for k in (3, 10, 16, 32)}
    path = lambda k, compression: os.path.join(folder, f"{sureness}-{k}-{compression}", "linear", PART)
    plain = {k: rows_of(path(k, "plain")) for k in tallies}
    coded = {k: rows_of(path(k, "zstd")) for k in tallies}
    for row in rows_of(os.path.join(folder, "dense", PART)):
        reference = combined(row, tokens, temperature)
        for k, tally in tallies.items():
            sparse, small = next(plain[k]), next(coded[k])
            assert sparse["utterance"] == small["utterance"] == row["utterance"]
            assert (decode_tokens(small["tokenCodes"], k) == sparse["tokens"].reshape(-1, k)).all()
            assert (decode_steps(small["logPosteriorSteps"], k) == sparse["logPosteriors"].reshape(-1, k)).all()
            kept = np.exp(sparse["logPosteriors"].reshape(-1, k).astype(np.float64) - sparse["logZ_1"].astype(np.float64)[:, None])
            tally.add(0, divergence(reference, densified(sparse, k, tokens)), kept.sum(axis=1))
    for k, tally in tallies.items():
        _, nats, mass = tally.cells()
        sizes = [os.path.getsize(path(k, compression)) / tally.frames for compression in ("plain", "zstd")]
        yield f"sparse, k = {k}", f"{sizes[0]:.1f}", nats, mass
        yield f"sparse, k = {k}, zstd", f"{sizes[1]:.1f}", nats, mass


def table(folder, *sizes):
    print("| posteriors | kept as | bytes/frame | KL, nats | mass kept % |\n| --- | --- | ---: | ---: | ---: |")
    for size in sizes:
        for sureness, temperature in (("real", 1), ("sharpened", SHARP)):
            where = os.path.join(folder, size)
            what = f"{int(size):,} tokens" + ("" if sureness == "real" else ", made surer (synthetic)")
            for cells in [*dense_rows(where, int(size), temperature), *sparse_rows(where, int(size), temperature, sureness)]:
                print(f"| {what} | " + " | ".join(cells) + " |", flush=True)


{"sharpen": sharpen, "table": table}[sys.argv[1]](*sys.argv[2:])
