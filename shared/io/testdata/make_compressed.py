"""Makes zstd.arrow and lz4.arrow, tables as pyarrow compresses them: pip install pyarrow==26.0.1; python make_compressed.py"""
import numpy
import pyarrow
from pyarrow import ipc

frames = numpy.arange(1000)
schema = pyarrow.schema(
    [
        pyarrow.field("utterance", pyarrow.utf8(), nullable=False),
        pyarrow.field("frames", pyarrow.int32(), nullable=False),
        pyarrow.field("tokens", pyarrow.list_(pyarrow.field("item", pyarrow.uint16(), nullable=False)), nullable=False),
        pyarrow.field("values", pyarrow.list_(pyarrow.field("item", pyarrow.float32(), nullable=False)), nullable=False),
        pyarrow.field("agreeing", pyarrow.list_(pyarrow.field("item", pyarrow.uint8(), nullable=False)), nullable=False),
    ],
    metadata={"kd.format": "test"},
)
# one row that compresses, one that does not, one that is empty
noise = numpy.random.default_rng(1).integers(0, 65536, 50)
lists = [(frames * frames) % 7, noise, noise[:0]]
table = pyarrow.Table.from_arrays(
    [
        pyarrow.array(["even", "noise", "none"]),
        pyarrow.array([len(values) for values in lists], pyarrow.int32()),
        pyarrow.array([values.astype("uint16") for values in lists], schema.field("tokens").type),
        pyarrow.array([(values / 8).astype("float32") for values in lists], schema.field("values").type),
        pyarrow.array([(values % 256).astype("uint8") for values in lists], schema.field("agreeing").type),
    ],
    schema=schema,
)
for codec in ["zstd", "lz4"]:
    with ipc.new_file(f"{codec}.arrow", schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
        for row in range(3):
            writer.write_batch(table.slice(row, 1).combine_chunks().to_batches()[0])
