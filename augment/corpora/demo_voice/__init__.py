"""Makes the bundled demo corpus with the neural voice Kokoro-82M: `python -m roomtone.augment.corpora.demo_voice DIR CACHE`."""
