"""Packs the recordings of the Free Spoken Digit Dataset, one FLAC file a speaker, with an index. Lossless.

    pip install soundfile==0.14.0 && python pack.py RECORDINGS .

RECORDINGS holds {digit}_{speaker}_{index}.flac or .wav, 8 kHz, 16 bits.
"""
import pathlib
import sys

import numpy
import soundfile

source, target = map(pathlib.Path, sys.argv[1:])
files = sorted(path for path in source.iterdir() if path.suffix in ('.flac', '.wav'))
speakers: dict[str, list[tuple[int, int, pathlib.Path]]] = {}
for path in files:
    digit, speaker, index = path.stem.split('_')
    speakers.setdefault(speaker, []).append((int(digit), int(index), path))

lines = ['speaker\tdigit\tindex\tfirst_sample\tsamples\n']
for speaker, recordings in sorted(speakers.items()):
    parts, place = [], 0
    for digit, index, path in sorted(recordings):
        samples, rate = soundfile.read(path, dtype='int16')
        assert rate == 8000 and samples.ndim == 1, path
        lines.append(f'{speaker}\t{digit}\t{index}\t{place}\t{len(samples)}\n')
        parts.append(samples)
        place += len(samples)
    packed = numpy.concatenate(parts)
    soundfile.write(target / f'{speaker}.flac', packed, 8000, subtype='PCM_16', compression_level=1.0)
    assert numpy.array_equal(soundfile.read(target / f'{speaker}.flac', dtype='int16')[0], packed)
(target / 'index.tsv').write_text(''.join(lines))
