# One rule for every stage: a folder is made from folders by a command.
#
# The command is kept beside the output, and the output depends on it: a changed knob changes the command of exactly
# what depends on it. Make decides by time whether a stage is called, the stage by its key whether it has work.

FORCE:
.PHONY: FORCE

# Engines hand out an array a product: threads that collect them get in the way of the stage beside, and a larger nursery
# lets most of them go early. A quarter of the time of two trainings at once.
NODE := node --single-threaded-gc --max-semi-space-size=64

# $(call stage,FOLDER,INPUT FOLDERS,STAGE,OPTIONS)
# strip, since make 4.3 leaves the newline of a longer file now and then
define stage_rule
ifneq ($$(strip $$(file <$(1)/command)),dist/$(3).js $(4) --out $(1))
$(1)/command: FORCE
endif
$(1)/command:
	@mkdir -p $(1) && echo 'dist/$(3).js $(4) --out $(1)' >$$@
$(1)/report.json: $(1)/command $(addsuffix /report.json,$(2)) dist/$(3).js .engine/status.json
	@$(RUNNER) $(1)/log $(NODE) dist/$(3).js $(4) --out $(1)
endef
stage = $(eval $(call stage_rule,$(strip $(1)),$(2),$(strip $(3)),$(strip $(4) $(call missing,$(3)))))

# stages that can leave utterances out
skipping := extract_features align_labels train_student filter_targets decode score
missing = $(if $(and $(ALLOW_MISSING),$(filter $(skipping),$(1))),--allow-missing $(ALLOW_MISSING))

dist/%.js: dist/build.json ;
