# What is trained on labels of frames.

# Teachers: architecture and training of each member. Nothing is overfitted here: masks and dropout only hurt.
rate       := --learning-rate 0.012
t1.train   := --width 192 --dilations 1,2,3 $(rate)
t2.train   := --width 192 --dilations 1,2,4 $(rate)
t3.train   := --width 176 --dilations 1,1,2,3 $(rate)

# Students: size, 57, 30 and 10 % of a teacher's.
medium.train := --width 140 --dilations 1,2,3
large.train  := --width 96 --dilations 1,2,3
small.train  := --width 48 --dilations 1,2

# Aligners: the first sees little context; priors are taken off whole, else frequent phones swallow the others.
ALIGN_PASSES    ?= 1 2 3 4
UPDATES_ALIGNER ?= 600
aligner-1.train := --width 64 --dilations 1 --splice 1
aligner-2.train := --width 128 --dilations 1,2
aligner-3.train := --width 128 --dilations 1,2
aligner-4.train := --width 128 --dilations 1,2

# Flags for one size of student: the best trial of each arm on dev, see pipelines/ablations/recipes_speechocean762.sh; the
# others take them over.
hard-large.train    := --learning-rate 0.027
masked-large.train  := --learning-rate 0.018 $(faint_masks)
smooth-large.train  := --learning-rate 0.012 --label-smoothing 0.05
full-large.train    := --learning-rate 0.040
essence-large.train := --learning-rate 0.018
$(foreach arm,hard masked smooth full essence,$(foreach size,medium small,$(eval $(arm)-$(size).train = $$($(arm)-large.train))))
