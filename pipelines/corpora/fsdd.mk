# Noisy connected digits from the embedded recordings: seconds to prepare, words as four states each.
DATA_SOURCE    := data/fsdd
ALL_ROTATIONS  := seen $(foreach i,0 1 2 3 4 5,unseen-$(i))
ATTRIBUTION    := Free Spoken Digit Dataset CC BY-SA 4.0
prepare_flags   = $(if $(filter seen,$(1)),--protocol seen,--protocol unseen --rotation $(subst unseen-,,$(1)))
# unseen speakers leave four of six to train on: as many epochs
updates_of      = $(if $(filter seen,$(notdir $(1))),$(UPDATES),$(shell echo $$(($(UPDATES) * 2 / 3))))
