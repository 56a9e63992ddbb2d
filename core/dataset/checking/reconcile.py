"""Is anything of a set lost? The parts of its manifest against what `dataset.json` says was made.

A set is whole when every shard of every run has its part, each part holds the rows of its own shard and no other, nothing else lies
among the parts, no sample is there twice, and rows and rejections add up to what was planned. No audio is opened here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.core.dataset.part_bounds import column_values
from roomtone.core.dataset.part_names import part_file, part_number
from roomtone.core.dataset.run_record import read_record
from roomtone.core.dataset.storage import DatasetStorage
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import open_binary

#: Bytes of a list of rejections.
MAX_REJECTED_BYTES = 256_000_000
#: What each entry of a list of rejections holds.
_REJECTION = {
    "utterance_id": str,
    "path": str,
    "condition": str,
    "replicate": int,
    "reason": str,
    "stage": str,
    "missed": list,
}


@dataclass(frozen=True)
class SetParts:
    """The parts of a set.

    Attributes:
        storage: where the set lies.
        record: its `dataset.json`, empty where that cannot be read.
        parts: number of the shard -> name of its part, relative to the set.
        keys: of every readable part, hashes of its sample ids, 8 bytes each [shape=(rows,)].
        faults: what was found wrong so far, a line each.
    """

    storage: DatasetStorage
    record: Mapping[str, Any]
    parts: Mapping[int, str]
    keys: Mapping[int, np.ndarray]
    faults: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return how many rows the readable parts hold."""
        return sum(keys.size for keys in self.keys.values())

    def run_of(self, shard: int) -> Mapping[str, Any] | None:
        """Return the record of the run that a shard belongs to, None where no run has it."""
        for run in self.record.get("runs", ()):
            if run["first_shard"] <= shard < run["first_shard"] + run["shards"]:
                found: Mapping[str, Any] = run
                return found
        return None

    def open(self, shard: int) -> Any:
        """Return a part, open for reading bytes."""
        return open_binary(f"{self.storage.url.rstrip('/')}/{self.parts[shard]}")


def sample_key(sample_id: str) -> int:
    """Return 64 bits that stand for a sample id."""
    return int.from_bytes(
        hashlib.blake2b(str(sample_id).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def read_parts(storage: DatasetStorage) -> SetParts:
    """Return the parts of a set with what is wrong with them as a whole.

    Args:
        storage: where the set lies.

    Raises:
        RoomtoneError: there is no set at all.
    """
    names = storage.names("manifest")
    found, faults = {}, []
    for name in names:
        number = part_number(name, "parquet")
        if number is not None:
            found[number] = f"manifest/{name}"
        else:
            faults.append(f"{f'manifest/{name}'!a}: is no part of this manifest")
    try:
        record = _checked(read_record(storage))
    except RoomtoneError as error:
        record = {}
        faults.append(str(error))
    if not record and not found and not faults:
        raise RoomtoneError(f"{storage}: there is no set here; is it a folder that `roomtone generate` wrote?")
    if not record and not faults:
        faults.append("dataset.json: missing, so nothing says what the set should hold")
    parts = SetParts(storage, record, found, {}, ())
    keys = {}
    for shard in sorted(found):
        try:
            with parts.open(shard) as file:
                ids = column_values(file, "sample_id", found[shard])
            keys[shard] = np.array([sample_key(one) for one in ids], dtype=np.uint64)
        except (RoomtoneError, OSError) as error:
            faults.append(str(error))
    return SetParts(storage, record, found, keys, tuple(faults))


def _checked(record: Any) -> Mapping[str, Any]:
    """Return a record whose runs have the numbers that are counted by, empty where there is none.

    Raises:
        RoomtoneError: it has another form.
    """
    if record is None:
        return {}
    try:
        for run in record["runs"]:
            if not all(type(run[key]) is int and run[key] >= 0 for key in ("first_shard", "shards")):
                raise ValueError("runs hold no whole numbers of shards")
            for key, count in (run.get("counts") or {}).items():
                if type(count) is not int:
                    raise ValueError(f"the count {key!r} is no whole number")
        known: Mapping[str, Any] = record
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RoomtoneError(f"dataset.json: not the record of a set ({error})") from error
    return known


def set_faults(parts: SetParts) -> Iterator[str]:
    """Yield what is lost, foreign, or there twice, a line each."""
    yield from parts.faults
    runs = parts.record.get("runs", ())
    if parts.record:
        counted = (shard for run in runs for shard in range(run["first_shard"], run["first_shard"] + run["shards"]))
        for shard in itertools.islice((shard for shard in counted if shard not in parts.parts), 100):
            yield f"shard {shard} is lost: manifest/{part_file(shard, 'parquet')} is missing"
        for shard in [shard for shard in sorted(parts.parts) if parts.run_of(shard) is None][:100]:
            yield f"{parts.parts[shard]}: no run of dataset.json has such a shard"
    if parts.keys:
        every = np.concatenate([parts.keys[shard] for shard in sorted(parts.keys)])
        repeated = every.size - np.unique(every).size
        if repeated:
            yield f"{repeated} rows have the sample id of another row"
    rejected, faults = _rejected(parts.storage)
    yield from faults
    if runs:
        yield from _count_faults(parts, rejected)


def _count_faults(parts: SetParts, rejected: Mapping[int, int]) -> Iterator[str]:
    """Yield runs whose rows and rejections are not as many as the record says."""
    for number, run in enumerate(parts.record["runs"], start=1):
        counts = run.get("counts")
        if not run.get("finished") or not counts:
            yield f"run {number} was not finished: the command that began it goes on where it left off"
            continue
        shards = range(run["first_shard"], run["first_shard"] + run["shards"])
        rows = sum(keys.size for shard, keys in parts.keys.items() if shard in shards)
        reasons = sum(count for shard, count in rejected.items() if shard in shards)
        for what, found in (("rendered", rows), ("rejected", reasons)):
            if found != counts.get(what):
                yield f"run {number}: dataset.json counts {counts.get(what)} {what}, there are {found}"
        if counts.get("planned") != counts.get("rendered", 0) + counts.get("rejected", 0):
            yield f"run {number}: dataset.json plans {counts.get('planned')}, more or fewer than rendered and rejected"


def _rejected(storage: DatasetStorage) -> tuple[dict[int, int], list[str]]:
    """Return the number of rejections by shard, and the lists that cannot be read."""
    counts: dict[int, int] = {}
    faults = []
    for name in storage.names("rejected"):
        number = part_number(name, "jsonl")
        if number is None:
            faults.append(f"{f'rejected/{name}'!a}: is no list of rejections")
            continue
        try:
            counts[number] = len(
                rejections(storage.read(f"rejected/{name}", most_bytes=MAX_REJECTED_BYTES) or b"", f"rejected/{name}")
            )
        except (RoomtoneError, OSError) as error:
            faults.append(str(error))
    return counts, faults


def rejections(data: bytes, where: str) -> list[dict[str, Any]]:
    """Return what a list of rejections holds.

    Args:
        data: JSON Lines.
        where: the list's name, for messages.

    Raises:
        RoomtoneError: a line that was cut short or is no rejection; names it.
    """
    if len(data) > MAX_REJECTED_BYTES:
        raise RoomtoneError(f"{where}: {len(data):,} bytes are no list of rejections")
    entries = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or not all(isinstance(entry.get(k), kind) for k, kind in _REJECTION.items()):
                raise ValueError("not a rejection")
        except (ValueError, RecursionError) as error:
            raise RoomtoneError(f"{where}, line {number}: cut short or damaged ({_short(error)})") from error
        entries.append(entry)
    return entries


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:100]


def misplaced(shard: int, audio_path: object) -> bool:
    """Return whether a row of this shard's part names a file of another shard.

    Args:
        shard: the number of the shard whose part of the manifest holds the row.
        audio_path: the row's own, below the set's folder; what is no path of a shard is misplaced.
    """
    place = str(audio_path)
    return not place.startswith((f"audio/{shard:05d}/", f"shards/part-{shard:05d}."))
