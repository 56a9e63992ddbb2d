"""What `overwrite` removes: the files that a set's own record lists, and nothing else that lies in its folder.

A folder may hold notes, an evaluation, or a link that a stranger made. Removed are regular files under the names that Roomtone gives,
in the shards that `dataset.json` counts, never through a link; whatever else is there stays. The record goes last, so that a removal that
was cut short is still known as a set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from roomtone.core.dataset.part_names import folder_number, part_number
from roomtone.core.dataset.run_record import read_record
from roomtone.core.dataset.storage import DatasetStorage
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LOCAL_NAME

_TOP = re.compile(
    r"README\.md|croissant\.json|metadata\.parquet|config(?:-\d+)?\.yaml|SHA256SUMS(?:\.sig)?|" + re.escape(LOCAL_NAME)
)
_SAMPLE = re.compile(r"[0-9a-f]{32}\.(?:flac|wav|opus)")


def remove_set(storage: DatasetStorage) -> None:
    """Remove a set; does nothing where the folder is empty or absent.

    Args:
        storage: where it lies.

    Raises:
        RoomtoneError: what lies there is no set.
    """
    names = storage.names()
    if not names:
        return
    if "dataset.json" not in names:
        raise RoomtoneError(
            f"{storage}: not a stress-test set (no dataset.json), so output.overwrite will not remove it"
        )
    record = read_record(storage)
    try:
        shards = [range(run["first_shard"], run["first_shard"] + run["shards"]) for run in record["runs"]]
    except (KeyError, TypeError, ValueError) as error:
        raise RoomtoneError(f"{storage}/dataset.json: not the record of a set, so nothing is removed") from error
    with storage.lock():
        for name in _files(storage, names, shards):
            storage.remove(name)
        storage.remove("dataset.json")
        folders = [f"audio/{name}" for name in storage.names("audio") if _among(folder_number(name), shards)]
        storage.remove_empty_folders([*folders, "audio", "shards", "manifest", "rejected"])


def _among(number: int | None, shards: Sequence[range]) -> bool:
    return number is not None and any(number in some for some in shards)


def _files(storage: DatasetStorage, top: list[str], shards: Sequence[range]) -> Iterator[str]:
    yield from (name for name in top if _TOP.fullmatch(name))
    for folder in ("manifest", "rejected", "shards"):
        for name in storage.names(folder):
            if _among(part_number(name, "parquet", "jsonl", "tar"), shards):
                yield f"{folder}/{name}"
    for name in storage.names("audio"):
        if _among(folder_number(name), shards):
            yield from (f"audio/{name}/{one}" for one in storage.names(f"audio/{name}") if _SAMPLE.fullmatch(one))
