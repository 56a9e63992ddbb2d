"""Ops that sound: noise, babble, recordings, mixtures, periodic tones."""
