"""A stress-test set on disk: its columns, parts, records and where they are stored."""
