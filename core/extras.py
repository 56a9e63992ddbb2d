"""How an optional part of the package is installed, in the words of every message that asks for one."""


def how_to_install(extra: str) -> str:
    """Return what to type for an extra.

    Args:
        extra: one of those in `pyproject.toml`.

    >>> how_to_install("asr")
    "pip install '.[asr]' in Roomtone's folder"
    """
    return f"pip install '.[{extra}]' in Roomtone's folder"
