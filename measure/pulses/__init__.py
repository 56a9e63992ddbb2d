"""The pulses of one cycle of a machine: onset, length, pitch, partials, sweep."""
