"""The matrix for readers and for pipelines: page, terminal, gates, differences."""
