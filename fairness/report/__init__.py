"""An evaluation as a page and as Markdown."""
