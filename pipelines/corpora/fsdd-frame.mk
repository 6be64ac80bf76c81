# What is trained on labels of frames.

# Teachers: architecture and training of each member.
augmented  := $(weak_masks)
t1.train   := --width 96 --dilations 1,2,3 $(augmented)
t2.train   := --width 96 --dilations 1,2,4 $(augmented)
t3.train   := --width 80 --dilations 1,1,2,3 $(augmented)
t4.train   := --width 88 --dilations 1,2,3 $(augmented)
t5.train   := --width 96 --dilations 1,3,5 $(augmented)

# Students: size.
large.train := --width 96 --dilations 1,2,3
small.train := --width 32 --dilations 1,2

# Aligners: the first sees little context, lest it learn where in an utterance the linear start put a word by heart.
aligner-1.train := --width 64 --dilations 1 --splice 1
aligner-1.align := --prior-scale 0.5
aligner-2.train := --width 96 --dilations 1,2
aligner-2.align := --prior-scale 0.75
aligner-3.train := --width 96 --dilations 1,2 --dropout 0.2
aligner-3.align := --prior-scale 0.75

# Flags for one size of student: the best trial of each arm on dev, see pipelines/ablations/recipes.sh; of features whose mean is
# taken off, or as they are.
ifeq ($(CMVN),none)
hard-large.train                  := --dropout 0.1
masked-large.train                := $(call masks,1,6,8)
masked-small.train                := $(faint_masks)
smooth-large.train                := --label-smoothing 0.02
smooth-small.train                := --label-smoothing 0.05
born-again-large.train            := $(weak_masks)
full-large.train                  := $(weak_masks)
full-small.train                  := --soft-weight 1
essence-large.train               := $(weak_masks)
essence-small.train               := --soft-weight 1
full-untranscribed-large.train    := --soft-weight 1
essence-untranscribed-large.train := $(weak_masks)
else
hard-small.train                  := --dropout 0.05
masked-large.train                := $(faint_masks)
masked-small.train                := $(faint_masks)
smooth-large.train                := --label-smoothing 0.05
smooth-small.train                := --label-smoothing 0.05
born-again-large.train            := $(faint_masks)
born-again-small.train            := --soft-weight 1 $(faint_masks)
full-large.train                  := $(faint_masks)
full-small.train                  := --soft-weight 1 $(faint_masks)
essence-large.train               := $(faint_masks)
essence-small.train               := --soft-weight 1 $(faint_masks)
full-untranscribed-large.train    := $(faint_masks)
full-untranscribed-small.train    := --soft-weight 1
essence-untranscribed-large.train := $(weak_masks)
endif
