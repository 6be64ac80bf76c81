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
