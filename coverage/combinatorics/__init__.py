"""Covering arrays, their constraints and t-way coverage: the arithmetic of combinations, which knows no samples."""
