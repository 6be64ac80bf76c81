# Speech of your own, in the layout of CORPUS (librispeech, kaldi, commonvoice, folder) at DATA. The audio stays where it is.
#
# make distill CORPUS=kaldi DATA=~/kaldi/egs/mine/s5/data TRAIN=train DEV=dev TEST=test UNITS=lexicon LEXICON=lexicon.txt
#
# With OBJECTIVE=ctc (unless given) tokens are characters or word pieces, words whatever they make; with OBJECTIVE=frame they are
# states of characters or phones, and transcripts consist of those, searched with their bigram model.
TRAIN    ?=## parts of the corpus to train on; unless given, those whose names begin with train
DEV      ?=## parts to tune on, and TEST to test on; what is not there is held out by speakers
TEST     ?=
LEXICON  ?=## file of pronunciations, for UNITS=lexicon
TOKENIZER ?=## tokenizer.json, for UNITS=pieces: see train_tokenizer.py
UNITS    ?= $(if $(TOKENIZER),pieces,$(if $(LEXICON),lexicon,characters))
TEXT     ?= $(if $(filter ctc,$(OBJECTIVE)),$(if $(filter lexicon,$(UNITS)),units,words),units)
STATES   ?= $(if $(filter lexicon,$(UNITS)),2,1)
HOLD_OUT ?= speakers## or utterances, of one speaker
PREPARE  ?=## further flags of prepare_corpus, such as --case lower --punctuation remove
SAMPLE_RATE ?= 16000## that all audio is converted to

DATA_SOURCE    := $(DATA)
ALL_ROTATIONS  := own
ATTRIBUTION    ?= speech of your own
prepare_flags   = $(TRAIN:%=--train %) $(DEV:%=--dev %) $(TEST:%=--test %) --hold-out $(HOLD_OUT) $(PREPARE)
unit_flags     := --objective $(OBJECTIVE) --units $(UNITS) --text $(TEXT) $(if $(filter frame,$(OBJECTIVE)),--states $(STATES))
unit_flags     += $(LEXICON:%=--lexicon %) $(TOKENIZER:%=--tokenizer %)
feature_flags  := --sample-rate $(SAMPLE_RATE)
decode_flags    = $(if $(filter units,$(TEXT)),--language-model $(1)/data/lm.arpa,$(if $(and $(filter ctc,$(OBJECTIVE)),$(filter characters pieces,$(UNITS))),--vocabulary open))
score_flags    := $(if $(filter units,$(TEXT)),$(addprefix --words-are ,$(if $(filter lexicon,$(UNITS)),phone,$(if $(filter characters,$(UNITS)),character))))
report_flags   := $(if $(filter speakers,$(HOLD_OUT)),--unit speaker)
updates_of      = $(UPDATES)
