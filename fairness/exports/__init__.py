"""A set in an evaluator's own format, with accent, condition, speaker and attributes in the place that format has for them.

Each file is one format: `write(job) -> list of the files written`. Labels and texts go out as they are in the manifest; where
a format cannot hold a character, the file says what it does with it.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.exports.job import ExportJob, prepare_job
from roomtone.fairness.results import local_set
from roomtone.fairness.scoring.normalize import AUTO

__all__ = ["FORMATS", "ExportJob", "export"]

#: Format -> what it is.
FORMATS: dict[str, str] = {
    "csv": "one table for people, spreadsheet formulas neutralised",
    "fairlearn": "a frame for MetricFrame: accent as sensitive, condition as control feature (needs an evaluation)",
    "hf": "Hugging Face Parquet with the audio inside",
    "kaldi": "Kaldi and ESPnet data folder, audio as WAV",
    "lhotse": "Lhotse recordings, supervisions and cuts",
    "nemo": "NeMo manifest, one JSON a line",
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
    if format not in FORMATS:
        raise RoomtoneError(f"format: unknown {format!r}; {nearest(str(format), FORMATS)}")
    target = Path(to)
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not overwrite):
        raise RoomtoneError(f"to: {str(to)!r} holds something already; give a new folder, or overwrite=true")
    job = prepare_job(local_set(dataset), target, normalizer)
    module = importlib.import_module(f"{__name__}.{format}")
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = module.write(job)
    return written
