"""Which files of a set would a loader open that its manifest does not name? Recordings, shards, the card's patterns and Croissant's hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from roomtone.core.bounded.yaml_text import parse_bounded_yaml
from roomtone.core.dataset.checking.reconcile import SetParts, sample_key
from roomtone.core.dataset.containers import CONTAINERS, loaded_files
from roomtone.core.dataset.hub_card import SPLIT
from roomtone.core.dataset.part_names import folder_number, part_number
from roomtone.core.errors import RoomtoneError

#: Foreign files that are named one by one.
_NAMED = 20
_CONFIGURATION = {"config_name", "description", "data_files", "default"}


def loaded_file_faults(parts: SetParts) -> Iterator[str]:
    """Yield the files that a loader would open and the manifest does not name, a line each.

    Args:
        parts: as `read_parts` returns them.
    """
    foreign = [*_foreign_shards(parts), *_foreign_recordings(parts)]
    yield from (f"{name!a}: is no file of this set, and loaders would open it" for name in foreign[:_NAMED])
    if len(foreign) > _NAMED:
        yield f"{len(foreign) - _NAMED} more files among the recordings are none of this set"
    for name in parts.storage.names():
        if name.endswith(".py"):
            yield f"{name!a}: is a program, which no set holds; `datasets` before 4.0 may run it"
    runs = parts.record.get("runs", ())
    if runs and all(run.get("finished") for run in runs):
        yield from _card_faults(parts)
        yield from _croissant_faults(parts)


def _container(parts: SetParts, shard: int) -> str | None:
    """Return the name of the container in which a shard was written; None where the record does not say it."""
    try:
        name = str((parts.run_of(shard) or {})["config"].get("output_format", "flac"))
    except (KeyError, TypeError, AttributeError):
        return None
    return name if name in CONTAINERS else None


def _foreign_shards(parts: SetParts) -> Iterator[str]:
    for name in parts.storage.names("shards"):
        number = part_number(name, "parquet", "tar")
        container = None if number is None or number not in parts.parts else _container(parts, number)
        if (
            number is None
            or number not in parts.parts
            or (container is not None and CONTAINERS[container].shard_name(number) != f"shards/{name}")
        ):
            yield f"shards/{name}"


def _foreign_recordings(parts: SetParts) -> Iterator[str]:
    for folder in parts.storage.names("audio"):
        number = folder_number(folder)
        if number is None or number not in parts.parts:
            yield f"audio/{folder}"
            continue
        if number not in parts.keys:
            continue  # its part cannot be read, and that is said
        container = _container(parts, number)
        suffixes = [CONTAINERS[container].suffix] if container else ["flac", "wav", "opus"]
        names = parts.storage.names(f"audio/{folder}")
        stems = np.array([sample_key(name.rpartition(".")[0]) for name in names], dtype=np.uint64)
        known = np.isin(stems, parts.keys[number])
        for name, ours in zip(names, known, strict=True):
            if not ours or name.rpartition(".")[2] not in suffixes:
                yield f"audio/{folder}/{name}"


def _card_faults(parts: SetParts) -> Iterator[str]:
    """Yield where the card has loaders open other files than the runs wrote."""
    storage = parts.storage
    if "README.md" not in storage.names():
        return
    try:
        names = [str(run["config"].get("output_format", "flac")) for run in parts.record["runs"]]
        expected = {name: [(SPLIT, files)] for name, files in loaded_files(names).items()}
    except (KeyError, TypeError, AttributeError):
        return  # not the record of a run, and that is said
    try:
        text = storage.read_text("README.md") or ""
        front = text.split("---\n", 2)[1] if text.startswith("---\n") and text.count("---\n") > 1 else ""
        found = _configurations(parse_bounded_yaml(front, where="README.md"))
    except (RoomtoneError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"README.md: does not say which files are data ({' '.join(str(error).split())[:300]})"
        return
    if found != expected:
        yield f"README.md: has loaders open {str(found)[:200]!a}, the runs wrote {str(expected)[:200]!a}"


def _configurations(card: Mapping[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the patterns by split and configuration.

    Raises:
        ValueError: a configuration reads files in another way.
    """
    found = {}
    for one in card["configs"]:
        if set(one) - _CONFIGURATION:
            raise ValueError(f"unknown keys {sorted(set(one) - _CONFIGURATION)}")
        found[one["config_name"]] = [(files["split"], files["path"]) for files in one["data_files"]]
    return found


def _croissant_faults(parts: SetParts) -> Iterator[str]:
    """Yield where Croissant metadata names other parts or hashes than are there."""
    if "croissant.json" not in parts.storage.names():
        return
    try:
        content = json.loads(parts.storage.read("croissant.json") or b"")
        listed = {
            str(one["contentUrl"]): one["sha256"] for one in content["distribution"] if one["@type"] == "cr:FileObject"
        }
        patterns = {str(one["includes"]) for one in content["distribution"] if one["@type"] != "cr:FileObject"}
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        yield f"croissant.json: not readable as Croissant metadata ({' '.join(str(error).split())[:100]})"
        return
    try:
        names = [str(run["config"].get("output_format", "flac")) for run in parts.record["runs"]]
        audio = str(sorted({CONTAINERS[name].files for name in names}))
    except (KeyError, TypeError, AttributeError):
        return
    if patterns != {"manifest/part-*.parquet", audio}:
        yield f"croissant.json: names the files {str(sorted(patterns))[:200]!a}, which the runs did not write"
    if set(listed) != set(parts.parts.values()):
        yield "croissant.json: names other parts than the manifest has"
        return
    for shard in sorted(parts.parts):
        with parts.open(shard) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != listed[parts.parts[shard]]:
                yield f"croissant.json: states another hash of {parts.parts[shard]}"
                return
