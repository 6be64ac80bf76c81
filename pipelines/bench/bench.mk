# How fast the stages are beside their peers, which are installed into a folder of their own.
BENCH ?= exp/bench
.PHONY: bench
bench: dist/build.json $(BENCH)/python/installed .engine/status.json ## speed as ratios to other tools; ONLY=text for some
	@node dist/bench/bench.js $(BENCH)/python/bin/python $(BENCH) "$(ONLY)"
$(BENCH)/python/installed: pipelines/bench/requirements.txt
	@echo 'bench: installing its peers (PyTorch among them: a few GB)' >&2
	@python3 -m venv $(BENCH)/python && $(BENCH)/python/bin/pip install --quiet -r $< >&2 && touch $@
