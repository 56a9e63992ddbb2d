"""Corpus in, stress-test set out: levels, rooms, noises, equipment and handsets whose labels are measured.

>>> from roomtone.augment import Condition            # doctest: +SKIP
>>> heard = Condition("ward+babble@5dB")(samples, 16000, key="first")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.audio.bundled import register_bundle

if TYPE_CHECKING:
    from roomtone.augment.condition import Condition
    from roomtone.augment.rendering.rerender import rerender, stems
    from roomtone.core.audio.speech_level import SpeechLevel, active_speech_level

#: The bundled corpus; a recipe names its recordings as `package:demo/NAME.flac`.
DEMO_FOLDER = Path(__file__).parent / "corpora" / "demo_data"
register_bundle("demo", DEMO_FOLDER)

#: Public name -> module; found on first use, so that importing the package costs nothing.
_HOMES = {
    "Condition": "roomtone.augment.condition",
    "SpeechLevel": "roomtone.core.audio.speech_level",
    "active_speech_level": "roomtone.core.audio.speech_level",
    "rerender": "roomtone.augment.rendering.rerender",
    "stems": "roomtone.augment.rendering.rerender",
}
__all__ = ["Condition", "SpeechLevel", "active_speech_level", "rerender", "stems"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
