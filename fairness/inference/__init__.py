"""What can be concluded about groups of speakers: counts, estimands, the permutation test, intervals, detectable sizes. Arrays, no words."""
