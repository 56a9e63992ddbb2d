"""Ops that a signal passes on its way to the file: filters, devices, gain control, codecs, loss."""
