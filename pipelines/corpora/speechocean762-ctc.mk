# What is trained on transcripts, with connectionist temporal classification.

# Teachers: architecture and training of each member; the others speak when the first does.
rate       := --learning-rate 0.008
t1.train   := --width 192 --dilations 1,2,3 $(rate)
t2.train   := --width 192 --dilations 1,2,4 $(rate)
t3.train   := --width 176 --dilations 1,1,2,3 $(rate)
t2.guide   := t1
t3.guide   := t1

# Students: size, three tenths and a tenth of a teacher's.
large.train := --width 96 --dilations 1,2,3
small.train := --width 48 --dilations 1,2

# Flags for one size of student: the best trial of each arm on dev, see pipelines/ablations/recipes_speechocean762_ctc.sh; of
# features whose mean is taken off, or as they are, where the small student takes over what the large one has.
ifeq ($(CMVN),none)
hard-large.train    := --learning-rate 0.016
masked-large.train  := $(rate) $(weak_masks)
full-large.train    := --learning-rate 0.004
essence-large.train := --learning-rate 0.016
$(foreach arm,hard masked full essence,$(eval $(arm)-small.train = $$($(arm)-large.train)))
else
hard-large.train    := --learning-rate 0.016
hard-small.train    := --learning-rate 0.016
masked-large.train  := $(rate) $(faint_masks)
masked-small.train  := $(rate) $(faint_masks)
full-large.train    := --learning-rate 0.064
full-small.train    := --learning-rate 0.064
essence-large.train := $(rate)
essence-small.train := --learning-rate 0.064
endif
