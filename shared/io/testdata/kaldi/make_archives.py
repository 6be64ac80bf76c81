"""Makes Kaldi archives of each kind with kaldi_native_io 1.23.0 (Kaldi's own code), and golden.json, what kaldiio 2.18.1
(written apart from it) reads in them. Run it in its own folder."""
import json

import kaldi_native_io
import kaldiio
import numpy as np

rng = np.random.default_rng(5)
posteriors = {name: np.log(rng.dirichlet(np.full(3, 0.5), frames)).astype(np.float32) for name, frames in (('u-1', 12), ('u-2', 7))}
method = kaldi_native_io.CompressionMethod
archives = {
    'text': (',t', kaldi_native_io.FloatMatrixWriter, []),
    'float': ('', kaldi_native_io.FloatMatrixWriter, []),
    'double': ('', kaldi_native_io.DoubleMatrixWriter, []),
    'cm': ('', kaldi_native_io.CompressedMatrixWriter, [method.kSpeechFeature]),
    'cm2': ('', kaldi_native_io.CompressedMatrixWriter, [method.kTwoByteAuto]),
    'cm3': ('', kaldi_native_io.CompressedMatrixWriter, [method.kOneByteAuto]),
}
golden = {}
for name, (mode, writer_of, how) in archives.items():
    with writer_of(f'ark,scp{mode}:{name}.ark,{name}.scp') as writer:
        for utterance, values in posteriors.items():
            writer.write(utterance, values.astype(np.float64) if name == 'double' else values, *how)
    golden[name] = {utterance: np.asarray(values, np.float32).tolist() for utterance, values in kaldiio.load_ark(f'{name}.ark')}
json.dump(golden, open('golden.json', 'w'))
