"""The command that gives the same report again."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Any

from roomtone.fairness.settings import CompareSettings

#: Settings whose name on the command line is another one.
_NAMES = {"reference": "reference_accent"}
#: Settings that the command line does not know.
_FIXED = ("condition", "utterance", "sentence")


def repeat_command(
    dataset_name: str, recogniser: Mapping[str, Any], settings: Mapping[str, Any], **further: Any
) -> str:
    """Return the command that evaluates the set again: the seed, and whatever differs from the defaults. Paths are names to fill in.

    Args:
        dataset_name: name of the set's folder.
        recogniser: its public identity.
        settings: of the comparison.
        further: other keys of the command; a null one is left out.
    """
    name = recogniser.get("recogniser")
    words = ["roomtone", "evaluate", f"dataset={dataset_name}", f"asr={name}"]
    words += ["path=FILE"] if name == "hypotheses" else []
    words += [f"asr.model={recogniser['model']}"] if isinstance(recogniser.get("model"), str) else []
    for item in dataclasses.fields(CompareSettings):
        value = settings.get(item.name, item.default)
        if item.name not in _FIXED and (item.name == "seed" or value != item.default):
            words.append(f"{_NAMES.get(item.name, item.name)}={_value(value)}")
    words += [f"{key}={_value(value)}" for key, value in further.items() if value is not None]
    return shlex.join(words)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
