# Refuses, before anything runs and in one line, what would silently be another experiment than the one asked for.
#
# $(check_corpus) stands before the makefiles of a corpus are read, $(check_run) after them and before any rule is made.

define check_corpus
$(call check_choice,CORPUS,$(filter-out own %-ctc %-frame,$(patsubst pipelines/corpora/%.mk,%,$(wildcard pipelines/corpora/*.mk))))
$(call check_choice,OBJECTIVE,frame ctc)
$(call check_choice,RUN,local slurm)
$(call check_choice,ENGINE,auto native wasm cpu)
endef

define check_run
$(foreach v,$(given),$(call check_suffix,$(v)))
$(foreach v,$(unknown),$(if $(findstring .,$(v)),$(call unknown_name,$(v)),$(call unknown_knob,$(v))))
$(call check_choice,SPLIT,test dev)
$(call check_choice,CMVN,none utterance speaker)
$(if $(filter --cmvn,$(feature_flags)),$(error Cannot run with $(call asked,feature_flags): say whose mean is taken off with CMVN=utterance or CMVN=speaker))
$(foreach v,FAST MEASURE,$(call check_flag,$(v)))
$(foreach v,ARMS SEEDS SIZES ROTATIONS $(if $(FOREIGN),,TEACHERS),$(call check_some,$(v)))
$(foreach v,ARMS SEEDS SIZES ROTATIONS TEACHERS FOREIGN_FEATURES,$(call check_names,$(v)))
$(foreach v,JOBS SHARDS UPDATES UPDATES_ALIGNER,$(call check_count,$(v)))
$(if $(FOLDS),$(call check_count,FOLDS))
$(if $(call is_given,ALIGN_PASSES),$(call check_some,ALIGN_PASSES))
$(if $(TEACHERS)$(filter frame,$(OBJECTIVE)),,$(error Cannot run with OBJECTIVE=ctc and without TEACHERS: tokens and frames are those of a teacher of ours; give TEACHERS=t1 or more))
$(foreach v,SEEDS ALIGN_PASSES,$(call check_numbers,$(v)))
$(foreach v,EXP REPORT RUNNER DATA LEXICON TOKENIZER,$(call check_path,$(v)))
$(foreach r,$(ROTATIONS),$(if $(filter $(r),$(ALL_ROTATIONS)),,$(error Cannot run with $(call asked,ROTATIONS): $(CORPUS) has no $(r); give some of $(ALL_ROTATIONS))))
$(foreach size,$(SIZES),$(call check_flags,SIZES,$(size)))
$(foreach teacher,$(TEACHERS),$(call check_flags,TEACHERS,$(teacher))$(call check_teacher,$(teacher))$(call check_guide,$(teacher)))
$(foreach kind,$(FOREIGN_FEATURES),$(call check_audio,FOREIGN_FEATURES,$(kind)))
$(foreach arm,$(ARMS),$(call check_arm,$(arm)))
$(foreach t,$(sort full $(foreach arm,$(ARMS),$($(arm).targets))),$(if $($(t).combination),$(call check_combination,$(t))))
$(if $(running),$(check_files))
$(if $(filter distill results $(REPORT)/report.json,$(MAKECMDGOALS)),$(check_report))
endef

# ── Values: $(1) names a variable ──
comma := ,
asked = $(1)="$($(1))"
# those with a value of their own, not from a makefile
is_given = $(filter-out file undefined,$(origin $(1)))
check_choice = $(if $(and $(filter 1,$(words $($(1)))),$(filter $(2),$($(1)))),,$(error Cannot run with $(call asked,$(1)): it is one of $(2)))
check_flag = $(if $(filter-out 1 yes,$($(1))),$(error Cannot run with $(call asked,$(1)): give 1 or yes$(comma) or leave it out))
check_some = $(if $(strip $($(1))),,$(error Cannot run without $(1): give one at least))
check_names = $(call check_commas,$(1))$(foreach w,$(call twice,$($(1))),$(error Cannot run with $(call asked,$(1)): $(w) is there twice))
check_commas = $(if $(findstring $(comma),$($(1))),$(error Cannot run with $(call asked,$(1)): give names with spaces between them$(comma) as $(1)="$(subst $(comma), ,$($(1)))"))
twice = $(foreach w,$(sort $(1)),$(if $(filter-out 1,$(words $(filter $(w),$(1)))),$(w)))
check_path = $(if $(filter-out 0 1,$(words $($(1)))),$(error Cannot run with $(call asked,$(1)): a path with spaces cannot pass through make; link it to one without))$(if $(filter EXP REPORT RUNNER,$(1)),$(call check_some,$(1)))
check_numbers = $(if $(call not_digits,$($(1))),$(error Cannot run with $(call asked,$(1)): give whole numbers with spaces between them))
check_count = $(if $(call is_given,$(1)),$(if $(and $(filter 1,$(words $($(1)))),$(subst 0,,$($(1)))),,$(call no_count,$(1)))$(if $(call not_digits,$($(1))),$(call no_count,$(1))))
no_count = $(error Cannot run with $(call asked,$(1)): give a whole number from 1)
not_digits = $(strip $(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(subst 5,,$(subst 6,,$(subst 7,,$(subst 8,,$(subst 9,,$(1))))))))))))

# ── What is on the command line: knobs, and NAME.SUFFIX where NAME is of this run ──
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(v)))),$(v)))
suffix_of = $(lastword $(subst ., ,$(1)))
name_of = $(patsubst %.$(call suffix_of,$(1)),%,$(1))

arm_suffixes := targets hypotheses untranscribed teacher heard also also-targets
suffixes := train $(arm_suffixes) filter combination audio guide align
check_suffix = $(if $(findstring .,$(1)),$(if $(filter $(suffixes),$(call suffix_of,$(1))),,$(error Cannot run with $(1): .$(call suffix_of,$(1)) is nothing that a name can have; give one of $(suffixes:%=.%))))

# Who gives ARMS chooses among the arms that there are, those described beside it included: the ablations describe all, and
# run few. So with SIZES.
arms = $(sort $(ARMS) $(if $(call is_given,ARMS),$(ALL_ARMS) $(foreach s,$(arm_suffixes),$(patsubst %.$(s),%,$(filter %.$(s),$(given))))))
sizes = $(sort $(SIZES) $(if $(call is_given,SIZES),large small))
targets = $(sort full $(foreach arm,$(arms),$($(arm).targets)))
heard = $(sort $(FOREIGN_FEATURES) $(foreach arm,$(arms),$($(arm).heard) $($(arm).also)))
aligners := $(foreach pass,1 2 3 4 5 6 7 8 9,aligner-$(pass))

in_run = $(foreach s,$(arm_suffixes),$(arms:%=%.$(s))) $(trainable:%=%.train) $(targets:%=%.filter) $(targets:%=%.combination) $(heard:%=%.audio) $(TEACHERS:%=%.guide) $(aligners:%=%.align)
trainable = $(arms) $(foreach arm,$(arms),$(sizes:%=$(arm)-%)) $(sizes) $(TEACHERS) $(aligners)
# Of sizes, recordings heard otherwise and guided teachers, one that is given and of this run vouches for the others given beside it.
beside = $(call vouched,$(SIZES),train) $(call vouched,$(heard),audio) $(call vouched,$(TEACHERS),guide)
vouched = $(if $(filter $(1:%=%.$(2)),$(given)),%.$(2))
unsettled = $(filter-out SHELL MAKEFLAGS V $(KNOBS) $(in_run) $(beside),$(given))

# A knob is what a makefile sets with ?=; besides, all that those of the arms and of the corpus set can be set here.
unknown = $(if $(unsettled),$(filter-out $(call knobs_of,Makefile pipelines/*.mk pipelines/bench/*.mk) $(call set_by,pipelines/arms.mk $(filter pipelines/corpora/%,$(MAKEFILE_LIST))),$(unsettled)))
knobs_of = $(shell sed -nE 's/^([A-Za-z_]+) *\?=.*/\1/p' $(1))
set_by = $(shell sed -nE 's/^([A-Za-z0-9_.-]+) *[:?+]?=.*/\1/p' $(1))

unknown_knob = $(if $(filter $(1),$(call set_by,pipelines/corpora/*.mk)),$(call meaningless,$(1)),$(error Cannot run with $(1): there is no such knob; $(or $(call alike,$(1)),make alone lists them)$(comma) and a variable of the environment goes before make))
alike = $(call there_is,$(strip $(or $(filter $(1)%,$(KNOBS)),$(foreach k,$(KNOBS),$(if $(filter $(k)%,$(1)),$(k))))))
there_is = $(if $(1),there is $(1))
meaningless = $(error Cannot run with $(1): it has no meaning with CORPUS=$(CORPUS) and OBJECTIVE=$(OBJECTIVE); see pipelines/corpora)

unknown_name = $(error Cannot run with $(1): $(call name_of,$(1)) is no $(or $(kind_of.$(call suffix_of,$(1))),$(kind_of.arm)); check the name$(comma) or add it there)
kind_of.arm = arm in ARMS ($(ARMS))
kind_of.train = arm in ARMS ($(ARMS))$(comma) nor such with a size$(comma) size in SIZES ($(SIZES)) or teacher in TEACHERS ($(TEACHERS))
kind_of.filter = set of soft targets that an arm in ARMS has as .targets ($(targets))
kind_of.combination = $(kind_of.filter)
kind_of.audio = kind of audio that an arm in ARMS has as .heard or .also$(comma) nor one in FOREIGN_FEATURES ($(heard))
kind_of.guide = teacher in TEACHERS ($(TEACHERS))
kind_of.align = model that aligns ($(aligners))

# ── Arms, teachers, sizes ──
is_set = $(filter-out undefined,$(origin $(1)))
check_flags = $(if $(strip $($(2).train)),,$(error Cannot run with $(call asked,$(1)): $(2) has no $(2).train$(comma) the flags of train_student that make it; give them$(comma) or check the name))
# the number goes into the seed
check_teacher = $(if $(or $(filter-out t%,$(1)),$(call not_digits,$(1:t%=%)),$(filter t,$(1))),$(error Cannot run with $(call asked,TEACHERS): $(1) is not t and a number$(comma) as teachers are called))
check_guide = $(if $($(1).guide),$(if $(FOLDS),$(error Cannot run with FOLDS=$(FOLDS): $(1) has a guide$(comma) and models of folds have none; give $(1).guide=))$(if $(filter $(filter-out $(1),$(TEACHERS)),$($(1).guide)),,$(error Cannot run with $(1).guide=$($(1).guide): that is no other teacher in TEACHERS ($(TEACHERS)); add it$(comma) or give $(1).guide=)))
check_audio = $(if $(call is_set,$(2).audio),,$(error Cannot run with $(1)=$(2): there is no $(2).audio$(comma) flags of extract_features; give them$(comma) or check the name))

define check_arm
$(call check_arm_known,$(1))
$(if $(filter masked smooth,$(1)),$(call check_regularised,$(1)))
$(if $(word 2,$($(1).targets) $($(1).hypotheses)),$(error Cannot run with arm $(1): it learns from one of .targets and .hypotheses; leave out the other))
$(foreach t,$($(1).targets),$(if $(call is_set,$(t).filter),,$(error Cannot run with $(1).targets=$(t): there is no $(t).filter$(comma) flags of filter_targets; give them$(comma) or check the name)))
$(if $($(1).teacher),$(foreach t,$($(1).targets),$(if $($(t).combination),$(call no_ensemble,$(1),$(t)))))
$(if $($(1).hypotheses),$(call check_hypotheses,$(1)))
$(if $(filter-out yes,$($(1).untranscribed)),$(error Cannot run with $(1).untranscribed=$($(1).untranscribed): give yes$(comma) or leave it out))
$(foreach option,untranscribed teacher,$(if $($(1).$(option)),$(if $($(1).targets)$(filter-out teacher,$(and $($(1).hypotheses),$(option))),,$(error Cannot run with $(1).$(option)=$($(1).$(option)): arm $(1) has no soft targets; give $(1).targets=full or others))))
$(foreach heard,$($(1).heard),$(call check_audio,$(1).heard,$(heard)))
$(foreach heard,$($(1).also),$(call check_audio,$(1).also,$(heard)))
$(foreach teacher,$($(1).teacher),$(call check_taught,$(1),$(teacher)))
$(if $($(1).also),$(foreach option,teacher hypotheses,$(if $($(1).$(option)),$(error Cannot run with $(1).$(option) and $(1).also: what is heard besides has targets of the ensemble alone; leave out one of them))))
$(if $(call taught_in_circle,$(1)),$(error Cannot run with $(1).teacher=$($(1).teacher): arms of $(ARMS) teach each other in a circle; give one another teacher))
endef
check_arm_known = $(if $(strip $(filter $(1),$(ALL_ARMS)) $(foreach v,$(addprefix $(1).,train targets hypotheses heard also) $(SIZES:%=$(1)-%.train),$(call is_set,$(v)))),,$(error Cannot run with $(call asked,ARMS): there is no arm $(1); give one of $(ALL_ARMS)$(comma) or say what it is$(comma) as $(1).targets=full))
check_regularised = $(if $(strip $($(1).train) $(call is_given,$(1).train) $(foreach z,$(SIZES),$($(1)-$(z).train) $(call is_given,$(1)-$(z).train))),,$(error Cannot run with $(call asked,ARMS): with CORPUS=$(CORPUS)$(comma) OBJECTIVE=$(OBJECTIVE) and FAST=$(FAST) arm $(1) would be the arm hard; give $(1).train=))
check_hypotheses = $(if $(filter frame,$(OBJECTIVE)),$(error Cannot run with $(1).hypotheses: word sequences teach with OBJECTIVE=ctc alone))$(if $(or $(call not_digits,$($(1).hypotheses)),$(filter 0,$($(1).hypotheses))),$(call no_count,$(1).hypotheses))
check_combination = $(if $(filter-out yes,$($(1).combination)),$(error Cannot run with $(1).combination=$($(1).combination): give yes$(comma) or leave it out))$(if $(filter ctc,$(OBJECTIVE)),$(error Cannot run with $(1).combination=yes: temperatures are tuned on labels of frames$(comma) with OBJECTIVE=frame alone))
no_ensemble = $(error Cannot run with $(2).combination=$($(2).combination): $($(1).teacher)$(comma) the teacher of arm $(1)$(comma) is no ensemble; give the arm other targets)
check_taught = $(if $(filter $(2),$(filter-out $(SIZES:%=$(1)-%),$(foreach arm,$(ARMS),$(SIZES:%=$(arm)-%)))),,$(error Cannot run with $(1).teacher=$(2): $(or $(call absent_teacher,$(filter-out $(1),$(strip $(foreach z,$(SIZES),$(if $(filter %-$(z),$(2)),$(2:%-$(z)=%)))))),give another arm's student$(comma) as ARM-SIZE with a size in SIZES ($(SIZES)))))
# $(1) an arm, $(2) those that it teaches
taught_in_circle = $(strip $(if $(filter $(1),$(2)),yes,$(foreach z,$(SIZES),$(if $(filter %-$(z),$($(1).teacher)),$(call taught_in_circle,$(patsubst %-$(z),%,$($(1).teacher)),$(1) $(2))))))
absent_teacher = $(if $(1),that student is not made here; add $(1) to ARMS)

# ── Files and the report, where they are wanted ──
running = $(filter-out help test test-system check format clean bench dist/% .engine/% node_modules/%,$(or $(MAKECMDGOALS),help))
define check_files
$(if $(strip $(DATA_SOURCE)),,$(error Cannot run with CORPUS=$(CORPUS) without DATA: give DATA=its folder))
$(if $(filter command,$(firstword $(origin DATA))),$(if $(filter-out $(DATA_SOURCE),$(DATA)),$(error Cannot run with $(call asked,DATA): it has no meaning with CORPUS=$(CORPUS)$(comma) which is embedded; give CORPUS=folder$(comma) kaldi$(comma) librispeech$(comma) commonvoice or speechocean762)))
$(if $(wildcard $(DATA_SOURCE)/.),,$(error Cannot run with $(call asked,DATA): there is no such folder; check the path))
$(foreach v,LEXICON TOKENIZER FOREIGN,$(foreach path,$($(v)),$(if $(wildcard $(path)),,$(error Cannot run with $(call asked,$(v)): there is no $(path); check the path))))
endef
# unless given, the baseline may be missing, which the report says
define check_report
$(if $(call is_given,BASELINE),$(if $(and $(filter 1,$(words $(BASELINE))),$(filter $(BASELINE),$(ARMS))),,$(error Cannot run with $(call asked,BASELINE): it is one of ARMS ($(ARMS)); add it there$(comma) or choose another)))
$(if $(filter ensemble $(if $(FOLDS),$(TEACHERS:%=%-fold%),$(TEACHERS)),$(AGAINST)),,$(error Cannot run with $(call asked,AGAINST): it is ensemble or one of TEACHERS ($(TEACHERS))$(if $(FOLDS),$(comma) as t1-fold0)))
endef
