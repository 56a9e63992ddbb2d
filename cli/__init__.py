"""The `roomtone` command; the only place that imports Hydra."""
