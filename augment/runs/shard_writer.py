"""How a shard is written so that a kill at any moment loses nothing and leaves nothing half done.

A worker writes under an attempt-unique temporary name, flushes to disk, renames (or uploads), and publishes the shard's
manifest part last. A shard is done when its part parses, speaks of exactly the planned samples, and every file decodes to
the part's hash; never because a file exists.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.output.containers import gather
from roomtone.core.audio.encoding import decode, encode, pcm_sha256
from roomtone.core.dataset.containers import Container
from roomtone.core.dataset.manifest import write_part
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.dataset.reconcile import rejections
from roomtone.core.dataset.sample_bytes import sample_bytes
from roomtone.core.dataset.storage import DatasetStorage
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import flush_all
from roomtone.core.local_paths import LocalPaths
from roomtone.core.workers.fault_injection import point


def part_name(shard: int) -> str:
    """Return the manifest part's name of a shard."""
    return f"manifest/part-{shard:05d}.parquet"


def _rejected_name(shard: int) -> str:
    return f"rejected/part-{shard:05d}.jsonl"


class ShardWriter:
    """Writes one attempt at one shard for the run of `session`; use as a context manager and end with `commit`."""

    def __init__(
        self,
        storage: DatasetStorage,
        shard: int,
        container: Container,
        session: str = "",
        paths: LocalPaths | None = None,
    ) -> None:
        self._storage = storage
        self._paths = paths or LocalPaths()
        self._session = session
        self._shard = shard
        self._container = container
        self._stack = contextlib.ExitStack()
        self._folder = Path()
        self._written: list[Path] = []

    def __enter__(self) -> ShardWriter:
        self._folder = self._stack.enter_context(self._storage.attempt(f"{self._shard:05d}"))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def add(self, sample_id: str, pcm: np.ndarray, sample_rate_hz: int, encoded: bytes | None = None) -> str:
        """Write one sample under its temporary name and return its `audio_path`; `encoded` is its file, where there is one.

        Args:
            sample_id: the sample's id, which names its file.
            pcm: int16 samples [shape=(samples,)].
            sample_rate_hz: their rate in Hz.
            encoded: the bytes of the file where they are there already; None encodes.
        """
        point("before_write")
        data = encode(pcm, sample_rate_hz, self._container.suffix) if encoded is None else encoded
        path = self._folder / f"{sample_id}.{self._container.suffix}"
        path.write_bytes(data)
        self._written.append(path)
        point("after_write")
        return self._container.audio_path(self._shard, sample_id)

    def commit(self, rows: Sequence[Mapping[str, Any]], rejected: Sequence[Mapping[str, Any]]) -> None:
        """Flush and publish the recordings, then the list of what was set aside, then the manifest part.

        Args:
            rows: the manifest rows of the shard.
            rejected: its samples that were rejected, each with its reason.

        Raises:
            RoomtoneError: the run that asked for the shard is over.
        """
        part = write_part([dict(row) for row in rows], self._folder / "manifest.parquet")
        recordings = gather(self._container, self._folder, self._shard, rows, part)
        flush_all(list(recordings.values()))
        point("after_flush")
        self._check_session()
        self._storage.publish(recordings)
        point("after_rename")
        self._write_rejected(rejected)
        point("before_manifest")
        self._check_session()
        self._storage.publish({part_name(self._shard): part})
        point("after_manifest")

    def _check_session(self) -> None:
        """Publish nothing for a driver that is gone: another may be at work on the set by now."""
        if self._session and not self._storage.held_by(self._session):
            raise RoomtoneError(
                f"{self._storage}: the run that asked for shard {self._shard} is over; nothing is published"
            )

    def _write_rejected(self, rejected: Sequence[Mapping[str, Any]]) -> None:
        if not rejected:
            self._storage.remove(_rejected_name(self._shard))
            return
        named = (self._paths.named(entry) for entry in rejected)  # ids stay as the corpus has them, paths do not
        lines = (json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n" for entry in named)
        self._storage.write_text(_rejected_name(self._shard), "".join(lines))


def read_rejected(storage: DatasetStorage, shard: int) -> list[dict[str, Any]]:
    """Return what was set aside in one shard.

    Args:
        storage: where the set lies.
        shard: the shard's number.

    Raises:
        RoomtoneError: a line that was cut short.
    """
    name = _rejected_name(shard)
    return rejections(storage.read(name) or b"", f"{storage}/{name}")


def remove_list_without_part(storage: DatasetStorage, shard: int) -> None:
    """Remove the list of a shard whose worker was stopped between its list of rejected samples and its manifest part.

    Args:
        storage: where the set lies.
        shard: the shard's number.
    """
    if storage.read(part_name(shard)) is None:
        storage.remove(_rejected_name(shard))


def read_part(storage: DatasetStorage, shard: int) -> list[dict[str, Any]] | None:
    """Return the rows of a shard's manifest part, or None where there is none that parses.

    Args:
        storage: where the set lies.
        shard: the shard's number.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    data = storage.read(part_name(shard))
    if data is None:
        return None
    try:
        check_footer(io.BytesIO(data), part_name(shard))
        rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(data), partitioning=None).to_pylist()
    except (OSError, ValueError, ArrowException, RoomtoneError):
        return None
    return rows


def file_fault(dataset: str | os.PathLike[str], row: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a row's recording (missing, unreadable, other length, rate or hash), or None.

    Args:
        dataset: the dataset folder or its URL.
        row: a manifest row.
    """
    name = str(row["audio_path"])
    try:
        data = sample_bytes(dataset, name)
    except RoomtoneError as error:
        return str(error)
    try:
        pcm, rate = decode(data)
    except RoomtoneError as error:
        return f"{name}: {error}"
    if rate != row["sample_rate_hz"] or pcm.shape != (row["num_samples"],):
        said = f"{row['num_samples']} at {row['sample_rate_hz']} Hz"
        return f"{name}: {pcm.shape} samples at {rate} Hz, the row says {said}"
    if pcm_sha256(pcm) != row["pcm_sha256"]:
        return f"{name}: its samples do not have the row's pcm_sha256"
    return None
