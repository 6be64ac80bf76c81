# One rule for every stage: a folder is made from folders by a command.
#
# The command is kept beside the output, and the output depends on it: a changed knob changes the command of exactly
# what depends on it. Make decides by time whether a stage is called, the stage by its key whether it has work.

FORCE:
.PHONY: FORCE

# Engines hand out an array a product: threads that collect them get in the way of the stage beside, and a larger nursery
# lets most of them go early. A quarter of the time of two trainings at once.
NODE := node --single-threaded-gc --max-semi-space-size=64

# Parts that these stages compute their output in, unless they tune: 00000-of-00004 …, none where there is only one.
in_parts := extract_features cache_logits filter_targets decode
parts    := $(if $(filter-out 1,$(SHARDS)),$(shell for ((i = 0; i < $(SHARDS); i++)); do printf '%05d-of-%05d ' $$i $(SHARDS); done))
parts_of = $(if $(filter --tune,$(2)),,$(if $(filter $(in_parts),$(1)),$(parts)))

# $(call stage,FOLDER,INPUT FOLDERS,STAGE,OPTIONS,OTHER INPUTS)
# strip, since make 4.3 leaves the newline of a longer file now and then; a comma of FOLDER would end file's first argument
define stage_rule
ifneq ($$(strip $$(file <$(subst $(comma),$$(comma),$(1))/command)),dist/$(3).js $(4) --out $(1))
$(1)/command: FORCE
endif
$(1)/command:
	@mkdir -p $(1) && echo 'dist/$(3).js $(4) --out $(1)' >$$@
$(call $(if $(call parts_of,$(3),$(4)),parts_rule_$(RUN),whole_rule),$(1),$(1)/command $(addsuffix /report.json,$(2)) $(5) dist/$(3).js .engine/status.json,$(NODE) dist/$(3).js $(4) --out $(1))
endef
# $(1) folder, $(2) what it depends on, $(3) command
define whole_rule
$(1)/report.json: $(2)
	@$(RUNNER) $(1)/log $(3)
endef
# here, each part is a target of its own, so that make runs as many as it has jobs; secondary, since nobody misses a part
# of an output that stands
define parts_rule_local
$(1)/report.json: $(parts:%=$(1)/part-%.json)
	@$(RUNNER) $(1)/log $(3) --shards $(SHARDS)
$(foreach part,$(parts),$(call part_rule,$(1),$(2),$(3),$(part)))
.SECONDARY: $(parts:%=$(1)/part-%.json)
endef
define part_rule
$(1)/part-$(4).json: $(2)
	@$(RUNNER) $(1)/log-$(4) $(3) --shard $(subst -of-,/,$(4))

endef
# there, all parts are one array of jobs
define parts_rule_slurm
$(1)/report.json: $(2)
	@$(RUNNER) --array $(SHARDS) $(1)/log $(3)
	@$(RUNNER) $(1)/log $(3) --shards $(SHARDS)
endef
stage = $(eval $(call stage_rule,$(strip $(1)),$(2),$(strip $(3)),$(strip $(4) $(call missing,$(3))),$(5)))

# $(call changed,FOLDER,FLAGS OF FIND): FORCE where find has something newer than what is in FOLDER. What lies in folders not made here
# is looked through by find, since make can list neither any depth nor names with spaces.
changed = $(if $(wildcard $(1)/report.json),$(if $(shell find -L $(2) -newer $(1)/report.json -print -quit 2>/dev/null),FORCE))

# stages that can leave utterances out
skipping := prepare_corpus extract_features align_labels train_student filter_targets decode score
missing = $(if $(and $(ALLOW_MISSING),$(filter $(skipping),$(1))),--allow-missing $(ALLOW_MISSING))

dist/%.js: dist/build.json ;
