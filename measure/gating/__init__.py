"""When a tone was switched on and off, estimated with reverberation in the model."""
