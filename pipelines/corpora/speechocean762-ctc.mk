# What is trained on transcripts, with connectionist temporal classification.

# Teachers: architecture and training of each member.
rate       := --learning-rate 0.008
t1.train   := --width 192 --dilations 1,2,3 $(rate)
t2.train   := --width 192 --dilations 1,2,4 $(rate)
t3.train   := --width 176 --dilations 1,1,2,3 $(rate)

# Students: size, three tenths and a tenth of a teacher's.
large.train := --width 96 --dilations 1,2,3
small.train := --width 48 --dilations 1,2
