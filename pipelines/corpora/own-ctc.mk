# What is trained on transcripts, with connectionist temporal classification. A start, made on the embedded digits and on
# speechocean762: for hundreds of hours, wider models (--width 512), larger batches (--batch-frames 6000) and more UPDATES.

# Teachers: architecture and training of each member.
rate       := --learning-rate 0.008
t1.train   := --width 256 --dilations 1,2,3 $(rate)
t2.train   := --width 256 --dilations 1,2,4 $(rate)
t3.train   := --width 224 --dilations 1,1,2,3 $(rate)

# Students: size, a third and a tenth of a teacher's.
large.train := --width 128 --dilations 1,2,3
small.train := --width 64 --dilations 1,2

# Controls, milder than the best ones of either corpus here: what yours wants, dev will say.
masked.train := $(weak_masks)
