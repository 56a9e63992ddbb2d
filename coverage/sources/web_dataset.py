"""WebDataset shards: tar files in which the files of a sample share a key; the labels are those of its `.json`.

Only headers and JSON members are read, nothing is extracted. `audio_path` is `SHARD.tar#KEY.flac`. https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import json
from pathlib import Path

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.dataset.tar_shards import regular_members
from roomtone.core.errors import RoomtoneError
from roomtone.coverage.sources.rows import Row

_AUDIO = (".flac", ".wav", ".mp3", ".ogg", ".opus")
#: A member beyond this size is no set of labels.
_MOST_JSON = 4_000_000


def read_web_dataset(place: Path) -> list[Row]:
    """Return one row a sample of a shard, or of every shard in a folder.

    Args:
        place: a tar file, or a folder that holds some.

    Raises:
        RoomtoneError: a shard that is no tar file, or labels that are no JSON object.
    """
    root = place if place.is_dir() else place.parent
    shards = sorted([*place.glob("*.tar"), *place.glob("*/*.tar")]) if place.is_dir() else [place]
    return [
        row for shard in shards if not shard.is_dir() for row in _shard_rows(shard, shard.relative_to(root).as_posix())
    ]


def _shard_rows(shard: Path, name: str) -> list[Row]:
    samples: dict[str, Row] = {}
    try:
        with open_regular(shard) as file:
            for tar, member in regular_members(file, str(shard)):
                folder, slash, name_in_it = member.name.rpartition("/")
                stem, _, extension = name_in_it.partition(".")
                if not stem:
                    continue
                key = f"{folder}{slash}{stem}"
                row = samples.setdefault(key, {"sample_id": key})
                if f".{extension}".endswith(_AUDIO):
                    row["audio_path"] = f"{name}#{member.name}"
                elif extension in ("json", "txt") and member.size <= _MOST_JSON:
                    content = tar.extractfile(member)
                    assert content is not None
                    _add(row, extension, content.read(), f"{shard.name}#{member.name}")
    except OSError as error:
        raise RoomtoneError(f"{shard}: not a readable tar file ({error})") from error
    return list(samples.values())


def _add(row: Row, extension: str, content: bytes, where: str) -> None:
    """Add what a sample's JSON or text says; the key stays the id unless the JSON names one."""
    if extension == "txt":
        row.setdefault("text", content.decode("utf-8", "replace").strip())
        return
    try:
        labels = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RoomtoneError(f"{where}: not JSON ({error})") from error
    if not isinstance(labels, dict):
        raise RoomtoneError(f"{where}: expected a JSON object of labels")
    row.update(
        {key: value for key, value in labels.items() if not isinstance(value, dict | list) and key != "audio_path"}
    )
