"""Corpus in, stress-test set out: levels, rooms, noises, equipment and handsets whose labels are measured.

>>> import numpy as np
>>> from roomtone.augment import Condition, active_speech_level
>>> speech = np.random.default_rng(0).normal(0.0, 0.1, 16000).astype(np.float32)
>>> heard = Condition("white@10dB")(speech, 16000, key="first")
>>> heard.shape, round(active_speech_level(heard, 16000).level_dbov)
((16000,), -26)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.audio.bundled import register_bundle
from roomtone.core.facade import lazy_names

if TYPE_CHECKING:
    from roomtone.augment.condition import Condition
    from roomtone.augment.corpora import open_corpus
    from roomtone.augment.generation import generate
    from roomtone.augment.ops.draw_context import DrawContext
    from roomtone.augment.ops.table import Processor, Source, parse_op
    from roomtone.augment.rendering.rerender import rerender, stems
    from roomtone.augment.rooms.acoustics import measure_response
    from roomtone.augment.rooms.bank import DIRECT_SAMPLE, build_bank
    from roomtone.augment.runs.summary import Summary
    from roomtone.augment.scenarios.plan import Plan
    from roomtone.augment.scenarios.planner import make_plan
    from roomtone.augment.scenarios.presets import load_preset, parse_preset, preset_names
    from roomtone.augment.settings import GenerateSettings
    from roomtone.augment.verification import verify
    from roomtone.core.audio.reading import read_audio
    from roomtone.core.audio.segment import AudioRef
    from roomtone.core.audio.speech_level import SpeechLevel, active_speech_level

#: The bundled corpus; a recipe names its recordings as `package:demo/NAME.flac`.
DEMO_FOLDER = Path(__file__).parent / "corpora" / "demo_data"
register_bundle("demo", DEMO_FOLDER)

__all__ = [
    "DEMO_FOLDER",
    "DIRECT_SAMPLE",
    "AudioRef",
    "Condition",
    "DrawContext",
    "GenerateSettings",
    "Plan",
    "Processor",
    "Source",
    "SpeechLevel",
    "Summary",
    "active_speech_level",
    "build_bank",
    "generate",
    "load_preset",
    "make_plan",
    "measure_response",
    "open_corpus",
    "parse_op",
    "parse_preset",
    "preset_names",
    "read_audio",
    "rerender",
    "stems",
    "verify",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AudioRef": "roomtone.core.audio.segment",
        "DIRECT_SAMPLE": "roomtone.augment.rooms.bank",
        "Condition": "roomtone.augment.condition",
        "DrawContext": "roomtone.augment.ops.table",
        "GenerateSettings": "roomtone.augment.settings",
        "Plan": "roomtone.augment.scenarios.plan",
        "Processor": "roomtone.augment.ops.table",
        "Source": "roomtone.augment.ops.table",
        "SpeechLevel": "roomtone.core.audio.speech_level",
        "Summary": "roomtone.augment.runs.summary",
        "active_speech_level": "roomtone.core.audio.speech_level",
        "build_bank": "roomtone.augment.rooms.bank",
        "generate": "roomtone.augment.generation",
        "load_preset": "roomtone.augment.scenarios.presets",
        "make_plan": "roomtone.augment.scenarios.planner",
        "open_corpus": "roomtone.augment.corpora",
        "measure_response": "roomtone.augment.rooms.acoustics",
        "parse_op": "roomtone.augment.ops.table",
        "parse_preset": "roomtone.augment.scenarios.presets",
        "preset_names": "roomtone.augment.scenarios.presets",
        "read_audio": "roomtone.core.audio.reading",
        "rerender": "roomtone.augment.rendering.rerender",
        "stems": "roomtone.augment.rendering.rerender",
        "verify": "roomtone.augment.verification",
    },
)
