"""A set in an evaluator's own format, with accent, condition, speaker and attributes in the place that format has for them.

Each file is one format: `write(job) -> list of the files written`. Labels and texts go out as they are in the manifest; where
a format cannot hold a character, the file says what it does with it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

from roomtone.core import plugins
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.exports.job import ExportJob, prepare_job
from roomtone.fairness.results import local_set
from roomtone.fairness.scoring.normalize import AUTO

__all__ = ["FORMATS", "ExportJob", "every_format", "export"]

#: Format -> what it is.
FORMATS: dict[str, str] = {
    "csv": "one table for people, spreadsheet formulas neutralised",
    "fairlearn": "a frame for MetricFrame: accent as sensitive, condition as control feature (needs an evaluation)",
    "hf": "Hugging Face Parquet with the audio inside",
    "kaldi": "Kaldi and ESPnet data folder, audio as WAV; wav.scp has absolute paths, so export anew after moving it",
    "lhotse": "Lhotse recordings, supervisions and cuts; absolute paths to the set's audio, so export anew after moving the set",
    "nemo": "NeMo manifest, one JSON a line; paths to the set's audio relative to the manifest, so move both together",
    "stm": "NIST STM with accent and condition as sclite's label groups (and CTM, TRN after an evaluation)",
    "webdataset": "WebDataset tar shards",
}


def export(
    dataset: str | os.PathLike[str],
    format: str,
    to: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    normalizer: str = AUTO,
) -> list[Path]:
    """Write a set in another format and return the files, each below `to`.

    Args:
        dataset: the dataset folder; what `roomtone evaluate` left in it goes out too where the format has a place for it.
        format: a name in `FORMATS`.
        to: a folder that is new or empty.
        overwrite: write into a folder that holds something.
        normalizer: of the words in formats whose own tools score them (stm).

    Raises:
        RoomtoneError: unknown format, a folder that is not empty, or an evaluation that the format needs and the set has not.
    """
    write = _writer(format)
    target = Path(to)
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not overwrite):
        raise RoomtoneError(f"to: {str(to)!r} holds something already; give a new folder, or overwrite=true")
    job = prepare_job(local_set(dataset), target, normalizer)
    target.mkdir(parents=True, exist_ok=True)
    return write(job)


def every_format() -> dict[str, str]:
    """Return what each format is, by name: ours, and those that installed packages add, of which the first line of the docstring says it."""
    return FORMATS | {name: _described(name) for name in plugins.added_names(plugins.EXPORTS, FORMATS)}


def _described(format: str) -> str:
    try:
        return ((_added_writer(format).__doc__ or "").strip().splitlines() or [""])[0]
    except RoomtoneError as error:  # a list of all names a package that is broken
        return str(error)


def _writer(format: str) -> Callable[[ExportJob], list[Path]]:
    """Return the function that writes a format."""
    if format in FORMATS:
        own: Callable[[ExportJob], list[Path]] = importlib.import_module(f"{__name__}.{format}").write
        return own
    added = plugins.added_names(plugins.EXPORTS, FORMATS)
    if format not in added:
        raise RoomtoneError(f"format: unknown {format!r}; {nearest(str(format), [*FORMATS, *added])}")
    return _added_writer(format)


def _added_writer(format: str) -> Callable[[ExportJob], list[Path]]:
    write: Callable[[ExportJob], list[Path]] = plugins.load_added(plugins.EXPORTS, format)
    return write
