"""Cells that miss a goal, and the patterns that name many of them at once."""
