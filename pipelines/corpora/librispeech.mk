# LibriSpeech, or any part of it, as its archives unpack.
#
# make distill CORPUS=librispeech DATA=~/corpora/LibriSpeech TRAIN=dev-clean                   # speakers held out: a laptop
# make distill CORPUS=librispeech DATA=~/corpora/LibriSpeech TRAIN=train-clean-100 DEV=dev-clean TEST=test-clean UPDATES=20000
ATTRIBUTION := LibriSpeech (Panayotov et al., 2015), CC BY 4.0
include pipelines/corpora/own.mk
