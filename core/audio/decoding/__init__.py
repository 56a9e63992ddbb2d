"""Decoders behind one interface: what a file declares, and its samples in blocks from any position."""
