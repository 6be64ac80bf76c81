# What is compared. An arm is a name with options; a new one needs no more than a line or two here, or on the command line.

# Teachers: architecture and training of each member.
masking    := --frequency-masks 1 --frequency-mask-bins 4 --time-masks 1 --time-mask-frames 5
augmented  := $(if $(FAST),,$(masking))
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
hard.train                         := --dropout 0.1
masked.train                       := $(masking)
smooth.train                       := --label-smoothing 0.1
born-again.targets                 := one
full.targets                       := full
essence.targets                    := top3
full-untranscribed.targets         := full
full-untranscribed.untranscribed   := yes
essence-untranscribed.targets      := top3
essence-untranscribed.untranscribed := yes
ALL_ARMS := hard masked smooth born-again full essence full-untranscribed essence-untranscribed
