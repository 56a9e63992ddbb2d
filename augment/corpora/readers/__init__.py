"""Readers: one file a corpus layout; each yields utterances as a stream."""
