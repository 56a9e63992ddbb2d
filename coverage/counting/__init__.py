"""Axes, cells, goals and figures of a matrix, counted from any table."""
