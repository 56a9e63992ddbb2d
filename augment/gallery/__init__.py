"""What a preset is, sounds like and looks like: its words, its key figures, a sound, a picture, and a page of all."""
