"""The dataset folder: how a shard is written so that a kill at any moment loses nothing and leaves nothing half done.

A worker writes under an attempt-unique temporary name, flushes to disk, renames, and writes the shard's manifest part
last. A shard is done when its part parses, speaks of exactly the planned samples, and every file decodes to the part's
hash; never because a file exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.audio_io import pcm_sha256, write_pcm16
from roomtone.augment.faults import point
from roomtone.coverage.errors import RoomtoneError
from roomtone.coverage.manifest import write_part

#: Audio formats of `output=…` and the ending of their files.
FORMATS = ("flac", "wav")


def part_name(shard: int) -> str:
    """Return the manifest part's name of a shard."""
    return f"part-{shard:05d}.parquet"


def fsync_path(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a small text file by temporary name, flush and rename."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with open(temporary, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


class ShardWriter:
    """Writes one attempt at one shard into the dataset folder; use as a context manager and end with `commit`."""

    def __init__(self, dataset: Path, shard: int, audio_format: str) -> None:
        self._dataset = dataset
        self._shard = shard
        self._format = audio_format
        self._attempt = dataset / "tmp" / f"{shard:05d}-{uuid.uuid4().hex}"
        self._names: list[str] = []

    def __enter__(self) -> ShardWriter:
        self._attempt.mkdir(parents=True)
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self._attempt, ignore_errors=True)

    def add(self, sample_id: str, pcm: np.ndarray, sample_rate_hz: int) -> str:
        """Write one sample under its temporary name and return its path relative to the set."""
        point("before_write")
        name = f"{sample_id}.{self._format}"
        write_pcm16(self._attempt / name, pcm, sample_rate_hz, self._format)
        self._names.append(name)
        point("after_write")
        return f"audio/{self._shard:05d}/{name}"

    def commit(self, rows: Sequence[Mapping[str, Any]], rejected: Sequence[Mapping[str, Any]]) -> None:
        """Flush and rename the audio, then the list of what was set aside, then the manifest part."""
        for name in self._names:
            fsync_path(self._attempt / name)
        point("after_flush")
        home = self._dataset / "audio" / f"{self._shard:05d}"
        home.mkdir(parents=True, exist_ok=True)
        for name in self._names:
            os.replace(self._attempt / name, home / name)
        fsync_path(home)
        point("after_rename")
        _write_rejected(self._dataset, self._shard, rejected)
        point("before_manifest")
        (self._dataset / "manifest").mkdir(exist_ok=True)
        write_part([dict(row) for row in rows], self._dataset / "manifest" / part_name(self._shard))
        point("after_manifest")


def _write_rejected(dataset: Path, shard: int, rejected: Sequence[Mapping[str, Any]]) -> None:
    path = dataset / "rejected" / f"part-{shard:05d}.jsonl"
    if not rejected:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    write_text(path, "".join(json.dumps(dict(entry), ensure_ascii=False, sort_keys=True) + "\n" for entry in rejected))


def read_rejected(dataset: Path, shard: int | None = None) -> list[dict[str, Any]]:
    """Return what was set aside, of one shard or of all."""
    pattern = "part-*.jsonl" if shard is None else f"part-{shard:05d}.jsonl"
    entries: list[dict[str, Any]] = []
    for path in sorted((dataset / "rejected").glob(pattern)):
        entries += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return entries


def read_part(dataset: Path, shard: int) -> list[dict[str, Any]] | None:
    """Return the rows of a shard's manifest part, or None where there is none that parses."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    path = dataset / "manifest" / part_name(shard)
    try:
        rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
    except (OSError, ArrowException):
        return None
    return rows


def file_fault(dataset: Path, row: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a row's file (missing, unreadable, other length, rate or hash), or None."""
    import soundfile

    path = dataset / str(row["audio_path"])
    if not path.is_file():
        return f"{row['audio_path']}: the file is missing"
    try:
        pcm, rate = soundfile.read(path, dtype="int16")
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        return f"{row['audio_path']}: does not decode: {error}"
    if rate != row["sample_rate_hz"] or pcm.shape != (row["num_samples"],):
        said = f"{row['num_samples']} at {row['sample_rate_hz']} Hz"
        return f"{row['audio_path']}: {pcm.shape} samples at {rate} Hz, the row says {said}"
    if pcm_sha256(pcm) != row["pcm_sha256"]:
        return f"{row['audio_path']}: its samples do not have the row's pcm_sha256"
    return None


def remove_temporaries(dataset: Path) -> None:
    """Remove what killed attempts left behind."""
    shutil.rmtree(dataset / "tmp", ignore_errors=True)
    for folder in (dataset, dataset / "manifest", dataset / "rejected"):
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def run_lock(dataset: Path) -> Iterator[None]:
    """Hold the set for one run at a time; the lock goes with the process that holds it.

    Raises:
        RoomtoneError: another run writes into this set.
    """
    import fcntl

    dataset.mkdir(parents=True, exist_ok=True)
    with open(dataset / ".lock", "w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RoomtoneError(f"{dataset}: another run is writing into this set") from error
        yield
