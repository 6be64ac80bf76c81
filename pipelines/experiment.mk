# The experiment: corpus → features → alignment → teachers → soft targets → students → scores, for each rotation and seed.

UPDATES_ALIGNER ?= $(if $(FAST),200,400)## optimiser steps of the models that only align
ALIGN_PASSES    ?= $(if $(FAST),1 2,1 2 3)## realignments after the linear start
unit_flags      ?= $(if $(filter ctc,$(OBJECTIVE)),--units words)
feature_flags   ?=## further flags of extract_features, and the next three of decode, score and report
decode_flags    ?=
score_flags     ?=
report_flags    ?=
SPLITS          := train dev test $(if $(strip $(foreach arm,$(ARMS),$($(arm).untranscribed))),untranscribed)
# recordings heard otherwise: by students in place of the original, or besides it with labels and targets of their own
HEARD           := $(sort $(foreach arm,$(ARMS),$($(arm).heard)))
ALSO            := $(sort $(foreach arm,$(ARMS),$($(arm).also)))
# soft targets of the ensemble
SOFT            := $(sort full $(foreach arm,$(ARMS),$(if $($(arm).teacher),,$($(arm).targets))))

aligned         := $(filter frame,$(OBJECTIVE))
with_engine := $(if $(filter-out auto,$(ENGINE)),--engine $(ENGINE))
last = $(lastword 0 $(ALIGN_PASSES))
# $(1) folder, $(2) pass of the alignment, $(3) what is heard
train_flags = --features $(1)/$(3)/train --alignment $(1)/align-$(2)/train --dev-features $(1)/$(3)/dev --dev-alignment $(1)/align-$(2)/dev $(with_engine)
train_inputs = $(foreach split,train dev,$(1)/$(3)/$(split) $(1)/align-$(2)/$(split))
# CTC learns from transcripts and needs no alignment
ifeq ($(OBJECTIVE),ctc)
train_flags = --objective ctc --features $(1)/$(3)/train --data $(1)/data/train --dev-features $(1)/$(3)/dev --dev-data $(1)/data/dev $(with_engine)
train_inputs = $(1)/data $(foreach split,train dev,$(1)/$(3)/$(split))
endif

# ── Corpus, features, hard labels: once a rotation; $(1) folder, $(2) rotation ──
define rotation_rules
$(call stage,$(1)/data,,prepare_corpus,--corpus $(CORPUS) --source $(DATA_SOURCE) $(call prepare_flags,$(2)) $(addprefix --transcribed ,$(TRANSCRIBED)) $(unit_flags),$(LEXICON) $(TOKENIZER) $(call corpus_changed,$(1)/data))
$(foreach split,$(SPLITS),$(call features_rule,$(1),features,$(split)))
$(foreach kind,$(FOREIGN_FEATURES),$(foreach split,$(SPLITS),$(call features_rule,$(1),foreign/$(kind),$(split),$($(kind).audio))))
$(foreach kind,$(FOREIGN_FEATURES),$(foreach also,$(ALSO),$(call stage,$(1)/foreign/$(kind)/$(also),$(1)/data,extract_features,--data $(1)/data/train $(feature_flags) $($(also).audio) $($(kind).audio))))
$(foreach heard,$(HEARD),$(foreach split,train dev test,$(call features_rule,$(1),heard/$(heard),$(split),$($(heard).audio))))
$(foreach heard,$(filter-out $(HEARD),$(ALSO)),$(call features_rule,$(1),heard/$(heard),train,$($(heard).audio)))
$(if $(aligned),$(foreach heard,$(ALSO),$(call realign,$(1),$(last),$(heard),train)))
$(if $(aligned),$(foreach split,train dev,$(call align_linear,$(1),$(split))))
$(foreach pass,$(if $(aligned),$(ALIGN_PASSES)),$(call aligner_rules,$(1),$(pass),$(shell echo $$(($(pass) - 1)))))
endef
# audio is not looked at, only whether some comes or goes: that is of its folder
corpus_changed = $(if $(DATA),$(call changed,$(1),$(DATA_SOURCE) $(foreach name,wav flac opus ogg oga mp3,-not -iname '*.$(name)')))
# what teachers made elsewhere eat is normalised by its own flags alone
features_rule = $(call stage,$(1)/$(2)/$(3),$(1)/data,extract_features,--data $(1)/data/$(3) $(feature_flags) $(if $(filter foreign/%,$(2)),,$(addprefix --cmvn ,$(CMVN:none=))) $(4))
align_linear = $(call stage,$(1)/align-0/$(2),$(1)/data $(1)/features/$(2),align_labels,--data $(1)/data/$(2) --features $(1)/features/$(2))
define aligner_rules
$(call stage,$(1)/aligner-$(2),$(call train_inputs,$(1),$(3),features),train_student,$(call train_flags,$(1),$(3),features) $(aligner-$(2).train) --updates $(UPDATES_ALIGNER))
$(foreach split,train dev test,$(call realign,$(1),$(2),$(split)))
endef
realign = $(call stage,$(1)/align-$(2)/$(3),$(1)/data $(call features_of,$(1),$(3)) $(1)/aligner-$(2),align_labels,--data $(1)/data/$(or $(4),$(3)) --features $(call features_of,$(1),$(3)) --model $(1)/aligner-$(2) $(aligner-$(2).align) $(with_engine))

# ── Teachers and soft targets: once a seed; $(1) folder, $(2) seed ──
# models of the teachers; with FOLDS as many of each as there are folds, and an utterance is answered by the one that left it out
folds := $(if $(FOLDS),$(shell seq 0 $$(($(FOLDS) - 1))))
models := $(if $(folds),$(foreach t,$(TEACHERS),$(folds:%=$(t)-fold%)),$(TEACHERS))
teacher_of = $(firstword $(subst -fold, ,$(1)))
fold_of = $(if $(folds),--folds $(FOLDS) --fold $(lastword $(subst -fold, ,$(1))))
define seed_rules
$(foreach guide,$(sort $(foreach t,$(TEACHERS),$($(t).guide))),$(call guide_rules,$(1),$(2),$(guide)))
$(foreach m,$(models),$(call teacher_rules,$(1),$(2),$(m)))
$(foreach split,$(SPLITS) $(ALSO),$(call logits_rule,$(1),$(2),$(split)))
$(if $(strip $(foreach targets,$(SOFT),$($(targets).combination))),$(call stage,$(1)/combination/s$(2),$(1)/logits/s$(2)/dev $(call labels_of,$(1),dev),filter_targets,--logits $(1)/logits/s$(2)/dev --alignment $(call labels_of,$(1),dev) --tune --select all))
$(foreach targets,$(SOFT),$(call targets_rules,$(1),$(2),$(targets)))
$(call scored,$(1),ensemble,$(2),ensemble,$(1)/targets/full/s$(2),posteriors)
$(foreach count,$(sort $(foreach arm,$(ARMS),$($(arm).hypotheses))),$(call hypotheses_rules,$(1),$(2),$(count)))
$(foreach teacher,$(sort $(foreach arm,$(ARMS),$($(arm).teacher))),$(call student_teaches,$(1),$(2),$(teacher)))
endef
# another teacher's spikes, for those that should speak when it does
define guide_rules
$(call stage,$(1)/guide/$(3)/s$(2)/logits,$(1)/features/train $(1)/model/$(3)/s$(2),cache_logits,--features $(1)/features/train --teacher $(1)/model/$(3)/s$(2) $(with_engine))
$(call stage,$(1)/guide/$(3)/s$(2)/targets,$(1)/guide/$(3)/s$(2)/logits,filter_targets,--logits $(1)/guide/$(3)/s$(2)/logits $(guide.filter))
endef
guided_by = $(if $($(call teacher_of,$(2)).guide),$(1)/guide/$($(call teacher_of,$(2)).guide)/s$(3)/targets)
define teacher_rules
$(call stage,$(1)/model/$(3)/s$(2),$(call train_inputs,$(1),$(last),features) $(call guided_by,$(1),$(3),$(2)),train_student,$(call train_flags,$(1),$(last),features) $(addprefix --targets ,$(call guided_by,$(1),$(3),$(2))) $(if $(call guided_by,$(1),$(3),$(2)),$(guide.train)) $($(call teacher_of,$(3)).train) $(call fold_of,$(3)) --updates $(call updates_of,$(1)) --seed $(2)$(subst t,,$(call teacher_of,$(3))))
$(call scored,$(1),$(3),$(2),teacher,$(1)/model/$(3)/s$(2),model)
endef
features_of = $(1)/$(if $(filter $(ALSO),$(2)),heard/$(2)/train,features/$(2))
define logits_rule
$(call stage,$(1)/logits/s$(2)/$(3),$(call eaten,$(1),$(3)) $(models:%=$(1)/model/%/s$(2)) $(call alike_ours,$(1)),cache_logits,--features $(call eaten,$(1),$(3)) --teacher $(models:%=$(1)/model/%/s$(2)) $(FOREIGN) $(addprefix --like ,$(call alike_ours,$(1))) $(if $(FOREIGN),--utt2spk $(1)/data/$(or $(filter $(SPLITS),$(3)),train)/utt2spk) $(if $(FOLDS),--cross-fit) $(with_engine),$(call foreign_changed,$(1)/logits/s$(2)/$(3)))
endef
# a model of ours whose tokens and frames foreign teachers are to answer in, where no teacher is ours
alike_ours = $(if $(TEACHERS),,$(1)/aligner-$(last))
# a folder with a teacher.json, or such a file with its model beside it
foreign_changed = $(if $(FOREIGN),$(call changed,$(1),$(foreach path,$(FOREIGN),$(if $(wildcard $(path)/.),$(path),$(dir $(path))*)) -maxdepth 2 -type f))
# features that teachers eat: ours, and those that foreign ones want
eaten = $(call features_of,$(1),$(2)) $(foreach kind,$(FOREIGN_FEATURES),$(1)/foreign/$(kind)/$(2))
# soft targets need hard labels for what their report says of them, where there are any; dev and test serve the ensemble
targets_rules = $(foreach split,$(if $(filter full,$(3)),$(SPLITS),$(filter-out dev test,$(SPLITS))) $(ALSO),$(call stage,$(1)/targets/$(3)/s$(2)/$(split),$(1)/logits/s$(2)/$(split) $(call labels_of,$(1),$(split)) $(if $($(3).combination),$(1)/combination/s$(2)),filter_targets,--logits $(1)/logits/s$(2)/$(split) $(addprefix --alignment ,$(call labels_of,$(1),$(split))) $(if $($(3).combination),--combination $(1)/combination/s$(2)) $($(3).filter)))
# what the ensemble hears: so many word sequences of each utterance
hypotheses_rules = $(foreach split,$(filter-out dev test,$(SPLITS)),$(call stage,$(1)/hypotheses/$(3)/s$(2)/$(split),$(1)/data $(1)/targets/full/s$(2)/$(split) $(1)/decode/ensemble/s$(2)/dev,decode,--jobs 1 --data $(1)/data/$(split) --posteriors $(1)/targets/full/s$(2)/$(split) $(decode_flags) --decoding $(1)/decode/ensemble/s$(2)/dev --n-best $(3)))
# a student in the place of the ensemble: $(3) is its arm and size
define student_teaches
$(foreach split,$(filter-out dev test,$(SPLITS)),$(call stage,$(1)/taught-by/$(3)/logits/s$(2)/$(split),$(1)/features/$(split) $(1)/model/$(3)/s$(2),cache_logits,--features $(1)/features/$(split) --teacher $(1)/model/$(3)/s$(2) $(with_engine)))
$(foreach targets,$(sort $(foreach arm,$(ARMS),$(if $(filter $(3),$($(arm).teacher)),$($(arm).targets)))),$(foreach split,$(filter-out dev test,$(SPLITS)),$(call stage,$(1)/taught-by/$(3)/targets/$(targets)/s$(2)/$(split),$(1)/taught-by/$(3)/logits/s$(2)/$(split) $(call labels_of,$(1),$(split)),filter_targets,--logits $(1)/taught-by/$(3)/logits/s$(2)/$(split) $(addprefix --alignment ,$(call labels_of,$(1),$(split))) $($(targets).filter))))
endef
labels_of = $(if $(aligned),$(if $(filter untranscribed,$(2)),,$(1)/align-$(last)/$(2)))

# ── Students; $(1) folder, $(2) seed, $(3) arm, $(4) size ──
define student_rules
$(call stage,$(call student,$(1),$(2),$(3),$(4)),$(call train_inputs,$(1),$(last),$(call heard_by,$(3))) $(call soft_inputs,$(1),$(2),$(3)) $(call also_inputs,$(1),$(2),$(3)),train_student,$(call train_flags,$(1),$(last),$(call heard_by,$(3))) $(call soft_flags,$(1),$(2),$(3)) $(call also_flags,$(1),$(2),$(3)) $($(4).train) $($(3).train) $($(3)-$(4).train) --updates $(call updates_of,$(1)) --seed $(2))
$(call scored,$(1),$(3)-$(4),$(2),$(4),$(call student,$(1),$(2),$(3),$(4)),model,$(3))
endef
heard_by = $(if $($(1).heard),heard/$($(1).heard),features)
student = $(1)/model/$(3)-$(4)/s$(2)
# soft targets, or what the teachers hear in their place, as folders without the split
taught = $(if $($(3).targets),$(1)/$(addprefix taught-by/,$(addsuffix /,$($(3).teacher)))targets/$($(3).targets)/s$(2),$(if $($(3).hypotheses),$(1)/hypotheses/$($(3).hypotheses)/s$(2)))
taught_flag = $(if $($(1).targets),targets,hypotheses)
soft_inputs = $(if $(taught),$(taught)/train $(if $($(3).untranscribed),$(1)/features/untranscribed $(taught)/untranscribed))
soft_flags = $(if $(taught),--$(call taught_flag,$(3)) $(taught)/train $(if $($(3).untranscribed),--untranscribed $(1)/features/untranscribed --untranscribed-$(call taught_flag,$(3)) $(taught)/untranscribed))
also_targets = $(if $($(3).targets),$(1)/targets/$($(3).targets)/s$(2)/$(or $($(3).also-targets),$(4)))
also_inputs = $(foreach h,$($(3).also),$(1)/heard/$(h)/train $(call labels_of,$(1),$(h)) $(call also_targets,$(1),$(2),$(3),$(h)))
also_flags = $(foreach h,$($(3).also),--features $(1)/heard/$(h)/train $(addprefix --alignment ,$(call labels_of,$(1),$(h))) $(addprefix --targets ,$(call also_targets,$(1),$(2),$(3),$(h))))

# what models cost, once for each: $(1) folder, $(2) name, $(3) seed, $(4) models, $(5) what they hear
measured = $(if $(and $(MEASURE),$(4),$(filter $(firstword $(SEEDS)),$(3))),$(call stage,$(1)/measure/$(2),$(4) $(1)/$(5)/dev,measure_model,--model $(4) --features $(1)/$(5)/dev $(with_engine)))
# ── Decoding, tuned on dev, and scoring; $(1) folder, $(2) name, $(3) seed, $(4) size, $(5) model or targets, $(6) which, $(7) arm ──
define scored
$(call measured,$(1),$(2),$(3),$(if $(filter model,$(6)),$(5),$(models:%=$(1)/model/%/s$(3))),$(call heard_by,$(7)))
$(call decoded,$(1),$(2),$(3),dev,--tune,,$(5),$(6),$(call heard_by,$(7)))
$(call decoded,$(1),$(2),$(3),test,--decoding $(1)/decode/$(2)/s$(3)/dev,$(1)/decode/$(2)/s$(3)/dev,$(5),$(6),$(call heard_by,$(7)))
$(foreach split,dev test,$(call stage,$(1)/score/$(2)/s$(3)/$(split),$(1)/data $(1)/decode/$(2)/s$(3)/$(split),score,$(score_flags) --data $(1)/data/$(split) --hypotheses $(1)/decode/$(2)/s$(3)/$(split) --arm $(or $(7),$(2)) --size $(4) --seed $(3) --protocol $(patsubst unseen-%,unseen,$(notdir $(1)))))
endef
decoded = $(call stage,$(1)/decode/$(2)/s$(3)/$(4),$(1)/data $(call labels_of,$(1),$(4)) $(6) $(if $(filter model,$(8)),$(7) $(1)/$(9)/$(4),$(7)/$(4)),decode,--jobs 1 --data $(1)/data/$(4) $(addprefix --alignment ,$(call labels_of,$(1),$(4))) $(if $(filter model,$(8)),--model $(7) --features $(1)/$(9)/$(4) $(with_engine),--posteriors $(7)/$(4)) $(decode_flags) $(5))

$(foreach r,$(ROTATIONS),$(call rotation_rules,$(EXP)/$(r),$(r)))
$(foreach r,$(ROTATIONS),$(foreach s,$(SEEDS),$(call seed_rules,$(EXP)/$(r),$(s))))
$(foreach r,$(ROTATIONS),$(foreach s,$(SEEDS),$(foreach a,$(ARMS),$(foreach z,$(SIZES),$(call student_rules,$(EXP)/$(r),$(s),$(a),$(z))))))

names := $(models) ensemble $(foreach a,$(ARMS),$(SIZES:%=$(a)-%))
scores_on = $(foreach r,$(ROTATIONS),$(foreach s,$(SEEDS),$(foreach n,$(names),$(EXP)/$(r)/score/$(n)/s$(s)/$(1))))
measures := $(if $(MEASURE),$(foreach r,$(ROTATIONS),$(foreach n,$(if $(models),$(names),$(filter-out ensemble,$(names))),$(EXP)/$(r)/measure/$(n))))
$(call stage,$(REPORT),$(call scores_on,$(SPLIT)) $(measures),report,--scores $(call scores_on,$(SPLIT)) $(addprefix --measures ,$(measures)) --baseline $(BASELINE) $(if $(filter-out ensemble,$(AGAINST)),--ensemble $(AGAINST)) $(report_flags) --attribution "$(ATTRIBUTION)")
