"""What one pulse of a machine sounds like: onset, length, pitch, partials, sweep."""
