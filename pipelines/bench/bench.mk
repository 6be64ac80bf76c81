# How fast the stages are beside their peers, which are installed into a folder of their own.
BENCH ?= exp/bench
BENCH_UPDATES ?= 1000## optimiser steps of each model in the whole experiment
ONLY ?=## comparisons whose names have this
.PHONY: bench
bench: dist/build.json $(BENCH)/python/installed .engine/status.json ## speed as ratios to other tools; ONLY=text for some
	@node dist/bench/bench.js $(BENCH)/python/bin/python $(BENCH) $(BENCH_UPDATES) "$(ONLY)"
$(BENCH)/python/installed: pipelines/bench/requirements.txt
	@echo 'bench: installing its peers (PyTorch among them: a few GB)' >&2
	@python3 -m venv $(BENCH)/python && $(BENCH)/python/bin/pip install --quiet -r $< >&2 && touch $@
