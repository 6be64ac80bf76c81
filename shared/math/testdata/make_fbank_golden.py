"""Golden log-mel features by kaldi-native-fbank, an independent implementation in C++ and float32.

    pip install kaldi-native-fbank==1.23.0 soundfile==0.14.0 && python make_fbank_golden.py ../../../data/fsdd

Signals: recording 3 of jackson's seven as it is (8 kHz), and its samples read as 16 kHz with a slow square wave added.
Every seventh frame is kept, with 5 decimals: mean differences of 1e-5 and largest ones of 1e-3 can be told apart. The
speech is by Jackson, Free Spoken Digit Dataset, CC BY-SA 4.0.
"""
import json
import pathlib
import sys

import kaldi_native_fbank
import numpy
import soundfile

corpus = pathlib.Path(sys.argv[1])
row = next(r.split('\t') for r in (corpus / 'index.tsv').read_text().splitlines() if r.startswith('jackson\t7\t3\t'))
first, count = int(row[3]), int(row[4])
speech = soundfile.read(corpus / 'jackson.flac', dtype='int16')[0][first:first + count].astype(numpy.float32)
square = 1000.0 * numpy.sign(numpy.sin(numpy.arange(count) / 50.0)).astype(numpy.float32)
cases = []
for rate in (8000, 16000):
    for bins in (23, 40, 80):
        for snip in (True, False):
            options = kaldi_native_fbank.FbankOptions()
            options.frame_opts.dither = 0
            options.frame_opts.samp_freq = rate
            options.frame_opts.snip_edges = snip
            options.mel_opts.num_bins = bins
            fbank = kaldi_native_fbank.OnlineFbank(options)
            fbank.accept_waveform(rate, (speech if rate == 8000 else speech + square).tolist())
            fbank.input_finished()
            frames = range(0, fbank.num_frames_ready, 7)
            rows = [[round(float(v), 5) for v in fbank.get_frame(i)] for i in frames]
            cases.append(dict(sampleRateHz=rate, bins=bins, snipEdges=snip, frames=fbank.num_frames_ready, every=7, rows=rows))
version = getattr(kaldi_native_fbank, '__version__', '?')
out = pathlib.Path(__file__).with_name('fbank_golden.json')
out.write_text(json.dumps(dict(origin=f'kaldi-native-fbank {version}', speech=speech.astype(int).tolist(), cases=cases), separators=(',', ':')) + '\n')
