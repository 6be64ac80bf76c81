# What is trained on labels of frames. A start, as in own-ctc.mk.

# Teachers: architecture and training of each member.
rate       := --learning-rate 0.012
t1.train   := --width 256 --dilations 1,2,3 $(rate)
t2.train   := --width 256 --dilations 1,2,4 $(rate)
t3.train   := --width 224 --dilations 1,1,2,3 $(rate)

# Students: size, a third and a tenth of a teacher's.
large.train := --width 128 --dilations 1,2,3
small.train := --width 64 --dilations 1,2

# Aligners: the first sees little context, lest it learn where in an utterance the linear start put a unit by heart.
ALIGN_PASSES    ?= 1 2 3 4
UPDATES_ALIGNER ?= 600
aligner-1.train := --width 64 --dilations 1 --splice 1
aligner-2.train := --width 128 --dilations 1,2
aligner-3.train := --width 128 --dilations 1,2
aligner-4.train := --width 128 --dilations 1,2

# Controls, milder than the best ones of either corpus here: what yours wants, dev will say.
masked.train := $(weak_masks)
smooth.train := --label-smoothing 0.05
