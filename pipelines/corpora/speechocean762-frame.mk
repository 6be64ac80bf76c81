# What is trained on labels of frames.

# Teachers: architecture and training of each member. Nothing is overfitted here: masks and dropout only hurt.
rate       := --learning-rate 0.012
t1.train   := --width 192 --dilations 1,2,3 $(rate)
t2.train   := --width 192 --dilations 1,2,4 $(rate)
t3.train   := --width 176 --dilations 1,1,2,3 $(rate)

# Students: size, three tenths and a tenth of a teacher's.
large.train := --width 96 --dilations 1,2,3
small.train := --width 48 --dilations 1,2

# Aligners: the first sees little context; priors are taken off whole, else frequent phones swallow the others.
ALIGN_PASSES    ?= 1 2 3 4
UPDATES_ALIGNER ?= 600
aligner-1.train := --width 64 --dilations 1 --splice 1
aligner-2.train := --width 128 --dilations 1,2
aligner-3.train := --width 128 --dilations 1,2
aligner-4.train := --width 128 --dilations 1,2
