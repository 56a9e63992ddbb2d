"""Recordings in and out, and what is measured on one signal: level, delay, rate, length."""
