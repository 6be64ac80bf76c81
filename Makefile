# Knowledge distillation for speech recognition: what runs, in which order. `make` alone prints what there is.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --jobs=$(JOBS)

ifeq ($(MAKECMDGOALS),results)
SEEDS     ?= 0 1 2 3 4
ROTATIONS ?= $(ALL_ROTATIONS)
SIZES     ?= large small
ARMS      ?= $(ALL_ARMS)
REPORT    ?= exp/results
endif

# ── Knobs ────────────────────────────────────────────────────────────────────────────────────────────────────────
RUN       ?= local## where stages run: local, or slurm: each a job, its parts an array (see pipelines/run_slurm.sh)
JOBS      ?= $(if $(filter slurm,$(RUN)),100,$(shell nproc 2>/dev/null || sysctl -n hw.ncpu))## stages at once
SHARDS    ?= 1## parts that features, caching, filtering and decoding are computed in, at once as far as JOBS goes
ENGINE    ?= auto## auto, native, wasm or cpu
FAST      ?=## 1: a small run of everything in under two minutes, for the impatient and for CI
SEEDS     ?= $(if $(FAST)$(filter wasm cpu,$(ENGINE)),0,0 1)## a student and a set of teachers for each; slow engines take one
CORPUS    ?= fsdd## fsdd, embedded; or, with DATA=its folder, speechocean762, librispeech, kaldi, commonvoice or folder: see pipelines/corpora
DATA      ?=## folder of a corpus that is not embedded
TRANSCRIBED ?=## share of the training transcripts that are used; the others' audio goes with the untranscribed
OBJECTIVE ?= $(if $(filter fsdd speechocean762,$(CORPUS)),frame,ctc)## frame: a label for each frame, found by realignment; ctc: transcripts alone
CMVN      ?= $(if $(filter fsdd-frame speechocean762-ctc,$(CORPUS)-$(OBJECTIVE)),utterance,none)## whose mean is taken off the features: utterance or speaker, or none
ROTATIONS ?= $(firstword $(ALL_ROTATIONS))## fsdd: seen: all speakers in training and test; unseen-0 … unseen-5: one speaker kept for the test
SIZES     ?= large## students: large (a teacher's own architecture), small (about a sixth of it)
ARMS      ?= hard $(if $(FAST),,masked $(if $(filter frame,$(OBJECTIVE)),smooth)) full essence## what students learn from: see pipelines/arms.mk
TEACHERS  ?= $(if $(FAST)$(filter-out fsdd,$(CORPUS)),t1 t2 t3,t1 t2 t3 t4 t5)## members of the ensemble
FOREIGN   ?=## teachers made elsewhere that join the ensemble: folders with a teacher.json, or such files
FOREIGN_FEATURES ?=## names of features that they eat, besides ours; NAME.audio has the flags of extract_features
FOLDS     ?=## parts of the training data, so that each utterance is answered by models of its teachers that left it out
UPDATES   ?= $(if $(FAST),300,2500)## optimiser steps of every model; two thirds of them where unseen speakers leave four of six to train on
SPLIT     ?= test## what the report shows: test, or dev while choosing
BASELINE  ?= hard## arm that the others are compared with
AGAINST   ?= ensemble## model that all are compared with besides: the ensemble, or a teacher, as t1
MEASURE   ?=## yes: what each model costs, in the report too; times hold where nothing else runs (JOBS=1)
ALLOW_MISSING ?=## utterances that each stage may leave out for their faults, named in its report
EXP       ?= exp/$(CORPUS:fsdd=digits)$(if $(filter ctc,$(OBJECTIVE)),-ctc)$(if $(FAST),-fast)## where everything goes
REPORT    ?= $(EXP)/report## where the table and the page go
RUNNER    ?= pipelines/run_$(RUN).sh## runs one stage: LOG COMMAND…
PARTITION ?=## of Slurm jobs, as the next three; what the cluster says unless given
ACCOUNT   ?=## that they are charged to
TIME_LIMIT ?=## of one, as 4:00:00
MEMORY    ?=## of one, as 4G
SBATCH_FLAGS ?=## anything else that sbatch takes
export PARTITION ACCOUNT TIME_LIMIT MEMORY SBATCH_FLAGS
KNOBS     := RUN SHARDS PARTITION ACCOUNT TIME_LIMIT MEMORY SBATCH_FLAGS CORPUS DATA TRANSCRIBED OBJECTIVE CMVN JOBS ENGINE FAST SEEDS ROTATIONS SIZES ARMS TEACHERS FOREIGN FOREIGN_FEATURES FOLDS UPDATES SPLIT BASELINE AGAINST MEASURE ALLOW_MISSING EXP REPORT RUNNER

.PHONY: help
help: ## this text
	@echo 'Targets:'; sed -nE 's/^([a-z-]+):.*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo 'Knobs (make distill SEEDS="0 1 2" ENGINE=wasm …):'
	@{ $(foreach k,$(KNOBS),echo "  $(k)|$$(sed -nE 's/^$(k) +\?=.*## (.*)/\1/p' Makefile | tail -n 1)|now: $($(k))"; )} | column -t -s '|'

include pipelines/setup.mk pipelines/arms.mk pipelines/checks.mk
$(strip $(check_corpus))
include pipelines/corpora/$(CORPUS).mk pipelines/corpora/$(CORPUS)-$(OBJECTIVE).mk
$(strip $(check_run))
include pipelines/stages.mk pipelines/experiment.mk pipelines/results.mk pipelines/bench/bench.mk

.PHONY: distill test test-system check format clean
distill: $(REPORT)/report.json ## teachers, their ensemble and the students, compared: a table here and a page
	@cat $(REPORT)/report.md
	@echo 'The page: $(REPORT)/report.html'

# Tests run on the TypeScript sources; what they spawn is the bundles.
unit_tests   := $(shell find stages shared pipelines -name '*_test.ts' -not -name '*_system_test.ts')
system_tests := $(shell find stages shared pipelines -name '*_system_test.ts')
test: dist/build.json .engine/status.json ## unit, property, golden and stage tests, under five minutes
	@test -n '$(unit_tests)'
	node --import tsx --test $(unit_tests)

test-system: dist/build.json .engine/status.json ## slow tests: killed runs, full disks, a Slurm cluster, a real browser, another reader of the files, the packed package
	@test -n '$(system_tests)'
	node --import tsx --test --test-concurrency=1 $(system_tests)

check: node_modules/.package-lock.json $(KERNELS) ## formatter, linter, types
	npx biome check --config-path=.biome.json .
	npx tsc --noEmit

format: node_modules/.package-lock.json ## lays out the code
	npx biome check --config-path=.biome.json --write .

clean: ## removes what distill made; packages and engine stay
	rm -rf exp dist
