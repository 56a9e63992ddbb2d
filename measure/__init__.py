"""A place's own sounds, measured: from recordings to presets."""
