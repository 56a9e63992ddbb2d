"""Spectrograms, harmonic groups, folded epochs and cycles of a recording."""
