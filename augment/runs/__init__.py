"""A run: settings, schedule, workers, shards, rows, resume."""
