"""Rows that a reader of a foreign set makes: the manifest's columns where the set states them, None where it does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from roomtone.core.vocabulary import CLEAN, FACTORS, NONE

Row = dict[str, Any]

#: Folders of the MUSAN corpus; several recordings of speech at once are babble.
_MUSAN = ("noise", "music", "speech")
#: How copies are marked in ids: (pattern, factor, label); the label's \1 is the pattern's first group.
_MARKS = (
    (re.compile(r"^(?:noise|musan)$"), "noise", "noise"),
    (re.compile(r"^(music|babble|speech)$"), "noise", r"\1"),
    (re.compile(r"^(?:reverb|rvb|rev)\d*$"), "room", "reverberant"),
    (re.compile(r"^(sp\d+(?:\.\d+)?|pv\d+|vp\d+(?:\.\d+)?)$"), "speed", r"\1"),
)


def condition_of(labels: Mapping[str, str | None]) -> str:
    """Return the name of a condition: its labels that are not `none`, joined by `+`; `clean` where all are.

    Args:
        labels: label by factor; further keys than the factors (such as a change of speed) come last.

    >>> condition_of({"noise": "babble", "room": "office"}), condition_of({"noise": None})
    ('office+babble', 'clean')
    """
    names = [*FACTORS, *sorted(set(labels) - set(FACTORS))]
    parts = [label for name in names if (label := labels.get(name)) not in (None, NONE)]
    return "+".join(str(part) for part in parts) or CLEAN


def noise_label(paths: Sequence[str]) -> str:
    """Return what a noise is called, from where its recordings lie: a MUSAN folder's name, or the folder's own.

    Args:
        paths: recordings that were added at once.

    >>> noise_label(["musan/noise/free-sound/noise-free-sound-0001.wav"]), noise_label(["musan/speech/us-gov/s1.wav"] * 4)
    ('noise', 'babble')
    """
    kinds = {kind for path in paths for kind in _MUSAN if kind in PurePosixPath(path).parts}
    if kinds == {"speech"}:
        return "babble" if len(paths) > 1 else "speech"
    if kinds:
        return "+".join(sorted(kinds))
    return PurePosixPath(paths[0]).parent.name or PurePosixPath(paths[0]).stem


def room_label(path: str) -> str:
    """Return what a room is called, from where its response lies: `smallroom` of the simulated ones, or the file's name.

    >>> room_label("RIRS_NOISES/simulated_rirs/smallroom/Room001/Room001-00001.wav"), room_label("rirs/office_3.wav")
    ('smallroom', 'office_3')
    """
    parts = PurePosixPath(path).parts
    sizes = [part for part in parts if part.endswith("room") and part != "room"]
    return sizes[0] if sizes else PurePosixPath(path).stem


def marks_of(copy: str, original: str) -> dict[str, str]:
    """Return the labels that the id of a copy adds to the id of its original.

    Args:
        copy: e.g. `spk1-utt1-noise` or `sp0.9-spk1-utt1`.
        original: e.g. `spk1-utt1`.

    >>> marks_of("spk1-utt1-babble", "spk1-utt1"), marks_of("rvb1_spk1-utt1", "spk1-utt1"), marks_of("a-x7", "a")
    ({'noise': 'babble'}, {'room': 'reverberant'}, {'other': 'x7'})
    """
    found: dict[str, str] = {}
    for word in filter(None, re.split(r"[-_]+", copy.replace(original, "-", 1))):
        for pattern, factor, label in _MARKS:
            if match := pattern.match(word):
                found[factor] = match.expand(label)
                break
        else:
            found["other"] = f"{found['other']}-{word}" if "other" in found else word
    return found


def total_snr_db(snrs_db: Iterable[float]) -> float | None:
    """Return the SNR of a signal with several noises, each at its own; None where there is none.

    >>> round(total_snr_db([10.0, 10.0]), 2)
    6.99
    """
    import math

    power = sum(10.0 ** (-snr_db / 10.0) for snr_db in snrs_db)
    return None if power <= 0 else round(-10.0 * math.log10(power), 6)


def relative(path: str, folder: Path) -> str:
    """Return an audio path as the manifest holds it: relative to the set where it lies inside it, else as it is.

    Args:
        path: as the set states it.
        folder: the set's folder.
    """
    try:
        return Path(path).relative_to(folder).as_posix()
    except ValueError:
        return path
