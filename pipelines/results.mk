# The evidence: all arms, both sizes, five seeds, and both protocols. Its tables are kept in pipelines/RESULTS.md.
.PHONY: results
results: distill ## all arms, sizes and protocols, five seeds: hours
