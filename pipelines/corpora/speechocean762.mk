# Read English of Mandarin speakers, adults: 39 phones as two states each, scored as phones with a phone bigram.
# make distill CORPUS=speechocean762 DATA=the folder of its archive
DATA_SOURCE    := $(DATA)
ALL_ROTATIONS  := official
ATTRIBUTION    := speechocean762, free for commercial and non-commercial purposes
feature_flags  := --sample-rate 16000
decode_flags    = --language-model $(1)/data/lm.arpa
score_flags    := --words-are phone
report_flags   := --unit speaker
updates_of      = $(UPDATES)
