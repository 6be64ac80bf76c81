"""Golden cepstra by kaldi-native-fbank, an independent implementation in C++ and float32.

    pip install kaldi-native-fbank==1.23.0 && python make_mfcc_golden.py

Signals: those of fbank_golden.json. Every eleventh frame is kept, with 4 decimals.
"""
import json
import pathlib

import kaldi_native_fbank
import numpy

here = pathlib.Path(__file__).parent
speech = numpy.array(json.loads((here / 'fbank_golden.json').read_text())['speech'], numpy.float32)
square = 1000.0 * numpy.sign(numpy.sin(numpy.arange(len(speech)) / 50.0)).astype(numpy.float32)
cases = []
for rate, bins, coefficients, lifter, energy in ((8000, 23, 13, 22, True), (16000, 40, 40, 22, False), (16000, 23, 13, 0, True)):
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = rate
    options.frame_opts.snip_edges = bins == 23
    options.mel_opts.num_bins = bins
    options.num_ceps = coefficients
    options.cepstral_lifter = lifter
    options.use_energy = energy
    mfcc = kaldi_native_fbank.OnlineMfcc(options)
    mfcc.accept_waveform(rate, (speech if rate == 8000 else speech + square).tolist())
    mfcc.input_finished()
    rows = [[round(float(v), 4) for v in mfcc.get_frame(i)] for i in range(0, mfcc.num_frames_ready, 11)]
    given = dict(sampleRateHz=rate, bins=bins, coefficients=coefficients, cepstralLifter=lifter, useEnergy=energy)
    cases.append(dict(given, snipEdges=bins == 23, frames=mfcc.num_frames_ready, every=11, rows=rows))
origin = f'kaldi-native-fbank {kaldi_native_fbank.__version__}'
(here / 'mfcc_golden.json').write_text(json.dumps(dict(origin=origin, cases=cases), separators=(',', ':')) + '\n')
