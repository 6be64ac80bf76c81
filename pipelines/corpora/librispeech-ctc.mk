include pipelines/corpora/own-ctc.mk
