"""Which accent x condition cells a set holds, which are missing, and what to render or record next."""

if __name__ == "coverage":  # reached by accident, with the repository root on sys.path
    raise ImportError("this folder is roomtone.coverage, not coverage.py: run from elsewhere or with `python -P`")
