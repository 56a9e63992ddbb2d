"""Folders of recorded sounds: known layouts, a catalogue of what may be played, a reader of segments."""
