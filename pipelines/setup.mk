# Packages, engine, bundles: each made when it is missing or older than what it is made from.
# npm ci runs no install scripts: the engine, the only package that needs one, goes to .engine/ of its own.
node_modules/.package-lock.json: package.json package-lock.json
	@echo 'npm: installing packages' >&2
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	@touch $@

.engine/status.json: pipelines/setup/install_engine.sh node_modules/.package-lock.json
	@ENGINE=$(ENGINE) bash $< >&2
# left out when ENGINE asked for another one, and wanted now
ifneq ($(filter auto native,$(ENGINE)),)
ifneq ($(findstring left out,$(file <.engine/status.json)),)
.engine/status.json: FORCE
endif
endif

# SIMD kernels: AssemblyScript compiled to bytes that sources import and bundles hold
KERNELS := shared/math/kernels/bytes.ts
$(KERNELS): $(wildcard shared/math/kernels/assembly/*.ts) pipelines/setup/build_kernels.mjs node_modules/.package-lock.json
	@node pipelines/setup/build_kernels.mjs

SOURCES := $(KERNELS) $(shell find stages shared pipelines/bench -name '*.ts' -not -name '*_test.ts' -not -path '*/kernels/assembly/*' -not -path $(KERNELS))
dist/build.json: $(SOURCES) $(wildcard shared/*/*.json) pipelines/setup/build.mjs pipelines/setup/string_width.mjs node_modules/.package-lock.json
	@node pipelines/setup/build.mjs
