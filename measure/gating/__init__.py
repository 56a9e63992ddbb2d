"""When a tone is on and off, found with the room's reverberation in the model."""
