"""Roomtone: stress-test sets for speech recognition, accent x acoustic condition, in which the label is the truth.

Four packages are for use from Python; each lists its names in `__all__` and loads them on first use:

    roomtone.augment    corpus in, stress-test set out: Condition, generate, rerender, verify, active_speech_level
    roomtone.coverage   which accent x condition cells a set holds: CoverageMatrix, read_manifest, covering_array
    roomtone.fairness   how a recogniser fares in them: score, compare, evaluate
    roomtone.measure    recordings of a place in, presets out

>>> import roomtone
>>> heard = roomtone.augment.Condition("white@10dB")

The same from a terminal: `roomtone --help`.
"""

import importlib
from typing import Any

_FACADES = ("augment", "coverage", "fairness", "measure")

__all__ = ["__version__", "augment", "coverage", "fairness", "measure"]


def __getattr__(name: str) -> Any:
    if name in _FACADES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("roomtone")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
