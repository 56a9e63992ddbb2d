"""WER by group and condition, gaps with intervals, verdicts."""
