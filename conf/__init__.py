"""YAML presets, one group per noun; no code."""
