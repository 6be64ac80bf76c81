# What is trained on transcripts, with connectionist temporal classification.

# Teachers: architecture and training of each member.
rate       := --learning-rate 0.008
augmented  := $(rate) $(call masks,1,6,8)
t1.train   := --width 96 --dilations 1,2,3 $(augmented)
t2.train   := --width 96 --dilations 1,2,4 $(augmented)
t3.train   := --width 80 --dilations 1,1,2,3 $(augmented)
t4.train   := --width 88 --dilations 1,2,3 $(augmented)
t5.train   := --width 96 --dilations 1,3,5 $(augmented)

# Students: size.
large.train := --width 96 --dilations 1,2,3
small.train := --width 32 --dilations 1,2

# Flags for one size of student: the best of five trials of each arm on dev, see pipelines/ablations/recipes_ctc.sh; the small
# one takes them over.
hard-large.train                  := $(rate) --dropout 0.1
masked-large.train                := $(rate) $(call masks,1,6,8)
full-large.train                  := $(rate)
essence-large.train               := $(rate) $(weak_masks)
full-untranscribed-large.train    := $(rate) $(weak_masks)
essence-untranscribed-large.train := $(rate) $(weak_masks)
$(foreach arm,hard masked full essence full-untranscribed essence-untranscribed,$(eval $(arm)-small.train = $$($(arm)-large.train)))
