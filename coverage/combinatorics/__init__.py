"""Covering arrays, t-way coverage, constraints, and the designs that rest on them."""
