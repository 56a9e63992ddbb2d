"""Rooms: simulated and recorded impulse responses, measured and kept in banks."""
