"""Words aligned and counted: normalisation, alignment, scores, sclite's files."""
