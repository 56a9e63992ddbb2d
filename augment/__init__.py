"""Corpus in, stress-test set out."""
