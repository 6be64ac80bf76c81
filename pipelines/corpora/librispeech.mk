# LibriSpeech, or any part of it, as its archives unpack.
#
# make distill CORPUS=librispeech DATA=~/corpora/LibriSpeech TRAIN=dev-clean       # speakers held out of 5.4 h: a laptop
# make distill CORPUS=librispeech DATA=~/corpora/LibriSpeech TRAIN=train-clean-100 DEV=dev-clean TEST=test-clean UPDATES=20000
# make distill CORPUS=librispeech DATA=~/corpora/LibriSpeech DEV=dev-clean TEST=test-clean UPDATES=200000     # all 960 h
#
# What 960 h need, from sizes and CPU seconds in report.json of this recipe's stages (12 min of speech in this layout, 29
# characters, three teachers of 0.7 M parameters, one core of an AMD EPYC); run a stage with --dry-run to measure yours:
#
#   audio       960 h = 3.46 M s, FLAC                                                    60 GB, read where it is
#   corpus      281,000 utterances, headers read: 0.06 ms CPU each                        17 s and what the disk takes to open them
#   features    100 frames/s x 40 bins x 4 B = 160 B: 346 M frames x 160 B =              55 GB; 3.46 M s / 350 s per s = 2.7 core hours
#   logits      33 frames/s x 29 tokens x 2 B x 3 teachers = 174 B: 115 M frames x 174 B = 20 GB; 115 M / 8,200 per s = 3.9 core hours
#   essence     18 B a frame (top 3): 115 M x 18 B =                                      2.1 GB; all of it, 122 B a frame: 14 GB
#   training    115 M frames / 12,000 per s = 2.7 core hours an epoch of such a teacher, 115 M / 27,000 per s = 1.2 of a student
#
# So 160 GB of disk with the audio, and with 30 epochs of each: 3 teachers x 80 + 3 students x 36 = 350 core hours, a day on 16
# cores by make -j16 with its six trainings at once. Recognisers of that much speech are larger: a teacher of 7 M parameters takes ten
# times as long, and belongs to a GPU (ENGINE=native with a CUDA build), or to teachers made elsewhere.
ATTRIBUTION := LibriSpeech (Panayotov et al., 2015), CC BY 4.0
include pipelines/corpora/own.mk
