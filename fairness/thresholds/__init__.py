"""From which SNR (level, period, T60, loss) on does a recogniser fail, for each accent."""
