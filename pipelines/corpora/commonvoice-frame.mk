include pipelines/corpora/own-frame.mk
