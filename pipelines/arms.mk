# What is compared. An arm is a name with options; a new one needs no more than a line or two here, or on the command line.

# $(call masks,HOW MANY,BINS,FRAMES); in a fast run, with its few updates, masks only hurt
masks = $(if $(FAST),,--frequency-masks $(1) --frequency-mask-bins $(2) --time-masks $(1) --time-mask-frames $(3))
weak_masks := $(call masks,1,4,5)

# Teachers: architecture and training of each member.
augmented  := $(weak_masks)
t1.train   := --width 96 --dilations 1,2,3 $(augmented)
t2.train   := --width 96 --dilations 1,2,4 $(augmented)
t3.train   := --width 80 --dilations 1,1,2,3 $(augmented)
t4.train   := --width 88 --dilations 1,2,3 $(augmented)
t5.train   := --width 96 --dilations 1,3,5 $(augmented)

# Aligners: the first sees little context, lest it learn where in an utterance the linear start put a word by heart.
aligner-1.train := --width 64 --dilations 1 --splice 1
aligner-1.align := --prior-scale 0.5
aligner-2.train := --width 96 --dilations 1,2
aligner-2.align := --prior-scale 0.75
aligner-3.train := --width 96 --dilations 1,2 --dropout 0.2
aligner-3.align := --prior-scale 0.75

# Students: size, and what they learn from.
large.train := --width 96 --dilations 1,2,3
small.train := --width 32 --dilations 1,2

# Soft targets: what is kept of the ensemble.
full.filter := --select all
one.filter  := --select all --teachers 0
top3.filter := --select top-k --k 3 --tail ghost

# Arms: .targets names soft targets, .untranscribed adds audio without transcripts, .train adds flags of train_student.
born-again.targets                  := one
full.targets                        := full
essence.targets                     := top3
full-untranscribed.targets          := full
full-untranscribed.untranscribed    := yes
essence-untranscribed.targets       := top3
essence-untranscribed.untranscribed := yes

# Flags for one size of student: the best of four trials of each arm on dev, see ablations/recipes.sh.
hard-large.train                  := --dropout 0.1
masked-large.train                := $(call masks,1,6,8)
masked-small.train                := $(call masks,1,2,3)
smooth-large.train                := --label-smoothing 0.02
smooth-small.train                := --label-smoothing 0.05
born-again-large.train            := $(weak_masks)
full-large.train                  := $(weak_masks)
full-small.train                  := --soft-weight 1
essence-large.train               := $(weak_masks)
essence-small.train               := --soft-weight 1
full-untranscribed-large.train    := --soft-weight 1
essence-untranscribed-large.train := $(weak_masks)
ALL_ARMS := hard masked smooth born-again full essence full-untranscribed essence-untranscribed
