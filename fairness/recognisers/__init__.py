"""The closed table of recognisers: what `asr=…` may ask for. Each file is one; a new one is a file and a line here.

A recogniser gets the path of one recording and returns its words as text. What it cannot do it says with `TranscriptionError`,
whose text becomes the row's reason. An empty text is a result: no words were recognised.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roomtone.core import plugins
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.recognisers.base import NOT_SENT, Recogniser, SampleAudio, TranscriptionError
from roomtone.fairness.settings import check_types

__all__ = [
    "NOT_SENT",
    "RECOGNISERS",
    "Recogniser",
    "SampleAudio",
    "TranscriptionError",
    "make_recogniser",
    "public_identity",
]

_PATH = re.compile(r"""(?<![\w:/.~])(?:~\w*|\.\.?)?/(?:[^\s"'/]*/)*?([^\s"'/]+)/*(?=[\s"']|$)""")
#: Name -> (module, class).
RECOGNISERS: dict[str, tuple[str, str]] = {
    "command": ("command", "Command"),
    "faster_whisper": ("faster_whisper", "FasterWhisper"),
    "http": ("http", "Http"),
    "pocketsphinx": ("pocketsphinx", "PocketSphinx"),
    "transformers": ("transformers", "Transformers"),
}


def make_recogniser(settings: Mapping[str, Any]) -> Recogniser:
    """Return the recogniser that `settings` names under `recogniser`, its other keys being that class's fields.

    Args:
        settings: `recogniser` names it; the other keys are its fields.

    Raises:
        RoomtoneError: unknown recogniser or key, or a key that is missing.
    """
    fields = dict(settings)
    name = fields.pop("recogniser", None)
    cls = _recogniser_class(name)
    known = {f.name: f for f in dataclasses.fields(cls)}
    for key in fields:
        if key not in known:
            raise RoomtoneError(f"asr={name}: unknown key {key!r}; {nearest(key, known)}")
    for key, field in known.items():
        if key not in fields and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RoomtoneError(f"asr={name}: the key {key!r} is missing")
    recogniser: Recogniser = cls(**fields)
    check_types(recogniser, "asr.")
    recogniser.check()
    return recogniser


def _recogniser_class(name: Any) -> type[Any]:
    """Return the recogniser of a name: one of ours, or one that an installed package adds."""
    if name in RECOGNISERS:
        module, class_name = RECOGNISERS[name]
        own: type[Any] = getattr(importlib.import_module(f"{__name__}.{module}"), class_name)
        return own
    added = plugins.added_names(plugins.RECOGNISERS, RECOGNISERS)
    if name not in added:
        raise RoomtoneError(f"asr: unknown recogniser {name!r}; {nearest(str(name), [*RECOGNISERS, *added])}")
    return plugins.load_added_class(plugins.RECOGNISERS, name, Recogniser)


def public_identity(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the hypotheses, fit to be shared: a path is its last part, and of a file of hypotheses nothing is known.

    Args:
        settings: `{recogniser: name, **its settings}`.

    Raises:
        RoomtoneError: as `make_recogniser`.
    """
    name = settings.get("recogniser")
    if name == "hypotheses":
        return {"recogniser": name}
    identity = make_recogniser(settings).identity()
    return {"recogniser": name} | {key: _last_part(value) for key, value in identity.items()}


def _last_part(value: Any) -> Any:
    """Return a setting in which a path is its last part, each of those among the words of a command too; URLs stay.

    >>> _last_part("sh /home/me/asr.sh --model=~/models/tiny/ {audio}"), _last_part("/home/my name/tiny"), _last_part("http://host/v1")
    ('sh asr.sh --model=tiny {audio}', 'tiny', 'http://host/v1')
    """
    if not isinstance(value, str) or "\n" in value:
        return value
    if value.startswith(("/", "~", ".")) and "{" not in value:
        return Path(value).name
    return _PATH.sub(r"\1", value)
