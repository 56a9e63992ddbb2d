"""Lhotse cuts (`cuts.jsonl`, `cuts.jsonl.gz`): supervisions with what their cut records of noise, SNR, rooms and codecs.

A `MixedCut` holds tracks: the first with a supervision is the speech, each other one a noise with the `snr` it was mixed at. A
recording's `transforms` say what was done to it: `ReverbWithImpulseResponse`, `Narrowband`, `Speed`. Copies carry their
original's id with a suffix (`_sp0.9`, `_rvb`, `_vp0.8`, `_tp1.1`), which is taken off again. https://lhotse.readthedocs.io
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ASSET_SEPARATOR
from roomtone.coverage.sources.layout import json_lines
from roomtone.coverage.sources.rows import Row, condition_of, noise_label, relative, room_label, total_snr_db

_SUFFIXES = re.compile(r"(?:_(?:sp|vp|tp)\d+(?:\.\d+)?|_rvb|_narrowband|_codec|_compressed)+$")
#: Characters of all suffixes of an id.
_LONGEST_SUFFIXES = 200


def read_lhotse(path: Path) -> list[Row]:
    """Return one row a supervision of a file of cuts; what spans no supervision has none.

    Args:
        path: the file.

    Raises:
        RoomtoneError: not JSON lines, or a line that is no cut.
    """
    rows: list[Row] = []
    for number, cut in enumerate(json_lines(path), 1):
        try:
            rows += _rows(cut, path.parent)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError) as error:
            raise RoomtoneError(f"{path}, line {number}: no cut of Lhotse ({type(error).__name__}: {error})") from error
    return rows


def _rows(cut: dict[str, Any], folder: Path) -> Iterator[Row]:
    tracks = cut.get("tracks") or [{"cut": cut}]
    own = [track["cut"] for track in tracks if track["cut"].get("supervisions")]
    noises = [track for track in tracks if not track["cut"].get("supervisions") and "recording" in track["cut"]]
    for speech in own:
        spoken = speech["supervisions"]
        recording = speech.get("recording") or {}
        labels, added = _augmentation(recording, noises, cut.get("transforms") or [])
        for supervision in spoken:
            custom = {**(cut.get("custom") or {}), **(supervision.get("custom") or {})}
            yield {
                "sample_id": cut["id"] if len(own) == len(spoken) == 1 else f"{cut['id']}#{supervision['id']}",
                "utterance_id": _without_suffixes(str(supervision["id"])),
                "speaker": supervision.get("speaker"),
                "text": supervision.get("text"),
                "language": supervision.get("language"),
                "accent": custom.pop("accent", None),
                "attr_gender": supervision.get("gender"),
                # a mix is as long as its speech, a supervision as long as it says
                "duration_s": supervision["duration"] if len(spoken) > 1 else speech.get("duration"),
                "audio_path": _audio_path(recording, folder),
                "condition": condition_of(labels),
                **{factor: labels.get(factor, "none") for factor in ("room", "noise", "handset")},
                **added,
                **{f"attr_{k}": v for k, v in custom.items() if isinstance(v, str | int | float | bool)},
            }


def _augmentation(
    recording: dict[str, Any], noises: list[dict[str, Any]], transforms: list[dict[str, Any]]
) -> tuple[dict[str, str], Row]:
    """Return the labels of a cut and its SNR and assets."""
    labels: dict[str, str] = {}
    row: Row = {}
    for transform in [*(recording.get("transforms") or []), *transforms]:
        given = transform.get("kwargs") or transform
        name = str(transform.get("name", ""))
        if name.startswith("Reverb"):
            response = given.get("rir") or {}
            labels["room"] = room_label(_source(response)) if response else "reverberant"
            row["room_asset"] = response.get("id")
        elif name.startswith(("Narrowband", "Codec", "Compress")):
            labels["handset"] = str(given.get("codec", name.lower()))
        elif name.startswith(("Speed", "Tempo")) and float(given.get("factor", 1.0)) != 1.0:
            labels["speed"] = f"{'sp' if name.startswith('Speed') else 'tp'}{given['factor']:g}"
    if noises:
        recordings = [track["cut"]["recording"] for track in noises]
        labels["noise"] = noise_label([_source(noise) or str(noise["id"]) for noise in recordings])
        row["noise_asset"] = ASSET_SEPARATOR.join(sorted({str(noise["id"]) for noise in recordings}))
        snrs = [float(track["snr"]) for track in noises if track.get("snr") is not None]
        row["snr_db"] = total_snr_db(snrs) if len(snrs) == len(noises) else None
    return labels, row


def _source(recording: dict[str, Any]) -> str:
    sources = recording.get("sources") or [{}]
    return str(sources[0].get("source", "") if sources[0].get("type", "file") in ("file", "url") else "")


def _audio_path(recording: dict[str, Any], folder: Path) -> str | None:
    source = _source(recording)
    return relative(source, folder) if source else None


def _without_suffixes(cut_id: str) -> str:
    """Return the id of what a copy is made from; only the last characters are looked at, because the search is quadratic."""
    return cut_id[:-_LONGEST_SUFFIXES] + _SUFFIXES.sub("", cut_id[-_LONGEST_SUFFIXES:])
