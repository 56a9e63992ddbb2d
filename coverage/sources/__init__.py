"""Sets that somebody else made, read as the manifest's columns: tables, NeMo, Kaldi, Lhotse, Hugging Face, WebDataset."""
