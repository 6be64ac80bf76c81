include pipelines/corpora/own.mk
