# What is compared. An arm is a name with options; a new one needs no more than a line or two here, or on the command line.

# $(call masks,HOW MANY,BINS,FRAMES); in a fast run, with its few updates, masks only hurt
masks = $(if $(FAST),,--frequency-masks $(1) --frequency-mask-bins $(2) --time-masks $(1) --time-mask-frames $(3))
faint_masks := $(call masks,1,2,3)
weak_masks  := $(call masks,1,4,5)

# Soft targets: what is kept of the ensemble, by .filter, flags of filter_targets; with .combination := yes each teacher at its
# own temperature, tuned on dev, and with --combine weighted its own weight.
full.filter := --select all
one.filter  := --select all --teachers 0
top3.filter := --select top-k --k 3 --tail ghost
# pseudo-labels: the ensemble's best token of a frame as if it were certain
pseudo.filter := --select top-k --k 1 --tail renormalise

# Guided CTC: a teacher with a .guide learns, beside the transcript, the guide's token in each frame that is not a blank to it.
guide.filter := --select top-k --k 1 --tail renormalise --gate blank --gate-threshold 0.5
guide.train  := --soft-weight 0.3

# Arms: .targets names soft targets, .untranscribed adds audio without transcripts, .train adds flags of train_student;
# .teacher names the student, with its size, that gives the soft targets instead of the ensemble; .hypotheses in place of
# .targets, with CTC, says how many of the ensemble's word sequences are learnt from (see ablations/hypotheses_ctc.sh);
# .heard names what is heard in training and test, .also what is heard in training besides, by its .audio, flags of
# extract_features, with .also-targets := train and the targets of the original (see ablations/parallel.sh, speeds.sh, masked_targets.sh).
born-again.targets                  := one
full.targets                        := full
essence.targets                     := top3
full-untranscribed.targets          := full
full-untranscribed.untranscribed    := yes
essence-untranscribed.targets       := top3
essence-untranscribed.untranscribed := yes

ALL_ARMS := hard masked smooth born-again full essence full-untranscribed essence-untranscribed
