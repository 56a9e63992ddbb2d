"""Banks of realised rooms: built once, in parallel, kept by content, read through memory maps.

A bank is a folder named by what it is made from (the op, the rate, the seed, the library versions): `bank.json` with the numbers
of each realisation, and one array of three responses each. Every response has its direct sound at `DIRECT_SAMPLE`, and the
three of one realisation share one microphone. A realisation is a pure function of op, rate, seed and its index, so any number of
workers builds the same bits; its parameters alone build them again (`rebuild_entry`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.ops.table import Op, to_dict
from roomtone.augment.rooms import recorded, shoebox
from roomtone.augment.rooms.acoustics import room_figures
from roomtone.augment.rooms.entry import FORMAT, RoomEntry, entry_of
from roomtone.augment.rooms.op import RecordedRoom, ShoeBoxRoom
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE
from roomtone.core.audio.rates import check_rendered_rate
from roomtone.core.bounded.regular_files import check_regular, open_regular, read_json
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.waiting import wait_for_any

#: Raised when the realisations of an op, or what is measured on them, change: banks that lie in a cache are then built anew.
_CALIBRATION = 3
#: (function, arguments) that makes one realisation.
Task = tuple[Any, ...]

__all__ = ["DIRECT_SAMPLE", "RoomBank", "RoomEntry", "build_bank", "default_cache_dir", "rebuild_entry"]


class RoomBank:
    """A finished bank on disk."""

    def __init__(self, folder: Path, sample_rate_hz: int) -> None:
        self.folder = folder
        self.sample_rate_hz = sample_rate_hz
        content = read_json(folder / "bank.json")
        self._records = content["entries"]
        #: Why recorded responses were rejected, one sentence a file.
        self.rejected: tuple[str, ...] = tuple(content.get("rejected", ()))

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RoomEntry]:
        return (self.entry(index) for index in range(len(self)))

    def entry(self, index: int) -> RoomEntry:
        """Return realisation `index`; its arrays are read-only maps of the cache."""
        record = self._records[index]
        path = self.folder / record["file"]
        check_regular(path)
        arrays = np.load(path, mmap_mode="r", allow_pickle=False)
        return entry_of(record["parameters"], arrays, self.sample_rate_hz, record["measured"])


def build_bank(
    room: Op,
    sample_rate_hz: int,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> RoomBank:
    """Return the bank of a room, from the cache where it lies, built where it does not.

    Args:
        room: a `shoebox` or `recorded_room` op.
        sample_rate_hz: rate of the responses, 8000 to 96000.
        cache_dir: where banks are kept; default `$XDG_CACHE_HOME/roomtone/rooms`.
        executor: builds the realisations in parallel; None builds them here. The bits are the same.
        progress: called with (realisations done, realisations in all).
        seed: of all draws.

    Raises:
        RoomtoneError: the room cannot be built (what, asked and possible).
    """
    check_rendered_rate(sample_rate_hz, "room bank, sample rate")
    root = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    folder = root / _bank_key(room, sample_rate_hz, seed)
    if not _is_whole(folder):
        _build(room, sample_rate_hz, folder, executor, progress, seed)
    return RoomBank(folder, sample_rate_hz)


def rebuild_entry(parameters: Mapping[str, Any], sample_rate_hz: int) -> RoomEntry:
    """Return the realisation that these parameters stand for, the same bits as in its bank, without one.

    Args:
        parameters: of a `RoomEntry`.
        sample_rate_hz: rate of the responses in Hz.

    Raises:
        RoomtoneError: not the parameters of a room, or a recorded response has changed.
    """
    plain = dict(parameters)
    arrays = _responses(plain, sample_rate_hz)
    return entry_of(plain, arrays, sample_rate_hz, _measured(plain, arrays, sample_rate_hz))


def claimed_octaves_hz(parameters: Mapping[str, Any] | None) -> tuple[float, ...]:
    """Return the centres in Hz of the octaves whose T60 the `parameters` of a realisation claim: those of a room of materials."""
    return tuple(centre for centre, _ in (parameters or {}).get("t60_octaves_s", ()))


def default_cache_dir() -> Path:
    """Return the folder in which banks are kept unless another is named."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "roomtone" / "rooms"


def _bank_key(room: Op, sample_rate_hz: int, seed: int) -> str:
    from importlib.metadata import version

    versions = [version(name) for name in ("numpy", "scipy", "pyroomacoustics", "soxr")]
    content = _kind(room.op).content(room)
    return content_key("room bank", FORMAT, _CALIBRATION, to_dict(room), sample_rate_hz, seed, versions, content)


def _build(
    room: Op,
    sample_rate_hz: int,
    folder: Path,
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
    seed: int,
) -> None:
    """Build a bank beside its place and move it there whole; where another process has finished first, its bank stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        records = []
        tasks, rejected = _kind(room.op).tasks(room, sample_rate_hz, seed)
        built = _realisations(tasks, executor)
        for index, (total, parameters, arrays) in enumerate(built):
            name = f"{index:04d}.npy"
            np.save(work / name, arrays, allow_pickle=False)
            measured = _measured(parameters, arrays, sample_rate_hz)
            records.append(
                {"file": name, "sha256": _sha256(work / name), "measured": measured, "parameters": parameters}
            )
            if progress is not None:
                progress(index + 1, total)
        content = {"format": FORMAT, "op": to_dict(room), "entries": records, "rejected": rejected}
        content["sha256"] = _entries_sha256(records)
        text = json.dumps(content, indent=1, allow_nan=False)
        (work / "bank.json").write_text(text)
        _move(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move(work: Path, folder: Path) -> None:
    """Rename a finished bank to its place; a broken one that is there is removed first."""
    if folder.exists() and not _is_whole(folder):
        broken = Path(tempfile.mkdtemp(prefix=".broken-", dir=folder.parent))
        with contextlib.suppress(OSError):
            os.replace(folder, broken)
        shutil.rmtree(broken, ignore_errors=True)
    try:
        os.replace(work, folder)
    except OSError:
        if not _is_whole(folder):
            raise


def _is_whole(folder: Path) -> bool:
    """Return whether a bank lies here with every array as it was written."""
    try:
        content = read_json(folder / "bank.json")
        whole = content["format"] == FORMAT and content["sha256"] == _entries_sha256(content["entries"])
        return whole and all(_sha256(folder / r["file"]) == r["sha256"] for r in content["entries"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _entries_sha256(entries: list[dict[str, Any]]) -> str:
    """Return the hash of what a bank records of its realisations; against damage, as whoever writes there writes the hash too."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _realisations(tasks: list[Task], executor: Executor | None) -> Iterator[tuple[int, dict[str, Any], np.ndarray]]:
    """Yield (number of realisations, parameters, responses), in order."""
    if executor is None:
        for function, *arguments in tasks:
            yield len(tasks), *function(*arguments)
        return
    futures = [executor.submit(*task) for task in tasks]
    try:
        for future in futures:
            wait_for_any([future])
            yield len(tasks), *future.result()
    finally:
        for future in futures:
            future.cancel()


def _realise(room: ShoeBoxRoom, sample_rate_hz: int, seed: int, index: int) -> tuple[dict[str, Any], np.ndarray]:
    parameters = shoebox.draw_parameters(room, sample_rate_hz, seed, index)
    return parameters, shoebox.responses(parameters, sample_rate_hz)


def _recorded(parameters: dict[str, Any], sample_rate_hz: int) -> tuple[dict[str, Any], np.ndarray]:
    return parameters, recorded.responses(parameters, sample_rate_hz)


@dataclass(frozen=True)
class _RoomKind:
    """How a kind of room is realised.

    Attributes:
        content: returns what a room is made from beside its op, for the bank's key: the hashes of its files.
        tasks: returns a (function, arguments) for each realisation, by (op, rate, seed), and why recordings were rejected.
        responses: makes the responses again from the parameters of one realisation and the rate.
    """

    content: Callable[[Any], list[object]]
    tasks: Callable[[Any, int, int], tuple[list[Task], list[str]]]
    responses: Callable[[dict[str, Any], int], np.ndarray]


def _nothing(room: ShoeBoxRoom) -> list[object]:
    del room
    return []


def _shoebox_tasks(room: ShoeBoxRoom, sample_rate_hz: int, seed: int) -> tuple[list[Task], list[str]]:
    return [(_realise, room, sample_rate_hz, seed, index) for index in range(room.realisations)], []


def _recorded_tasks(room: RecordedRoom, sample_rate_hz: int, seed: int) -> tuple[list[Task], list[str]]:
    del seed  # nothing is drawn
    usable, rejected = recorded.draw_all(room, sample_rate_hz)
    return [(_recorded, parameters, sample_rate_hz) for parameters in usable], rejected


#: The kinds of rooms by the name of their op, which is also the `kind` of their parameters.
_KINDS = {
    ShoeBoxRoom.op: _RoomKind(_nothing, _shoebox_tasks, shoebox.responses),
    RecordedRoom.op: _RoomKind(recorded.folder_content, _recorded_tasks, recorded.responses),
}


def _kind(name: Any) -> _RoomKind:
    if name not in _KINDS:
        raise RoomtoneError(f"room: unknown kind {name!r}; known: {', '.join(_KINDS)}")
    return _KINDS[name]


def _responses(parameters: dict[str, Any], sample_rate_hz: int) -> np.ndarray:
    kind = _kind(parameters.get("kind"))
    try:
        return kind.responses(parameters, sample_rate_hz)
    except (KeyError, TypeError) as error:
        raise RoomtoneError(f"room parameters: {error!r} is missing or malformed") from error


def _measured(parameters: dict[str, Any], arrays: np.ndarray, sample_rate_hz: int) -> dict[str, Any]:
    """Return T30, C50 and DRR of the talker's response, and T30 in the octaves that its parameters claim.

    Raises:
        RoomtoneError: one of them cannot be told.
    """
    figures, octaves = room_figures(arrays[0], sample_rate_hz, DIRECT_SAMPLE, claimed_octaves_hz(parameters))
    for name, value in figures.items():
        if not math.isfinite(value):
            raise RoomtoneError(f"room: {name} cannot be told; the response does not fall far enough")
    return figures | {"t30_octaves_s": [[centre, None if math.isnan(t) else t] for centre, t in octaves.items()]}
