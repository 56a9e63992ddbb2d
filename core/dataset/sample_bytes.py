"""The recorded bytes of a sample, wherever its set keeps them: a file, a member of a tar shard, a row of a Parquet shard.

`audio_path` is relative to the set. With a `#`, what stands before it is a shard and what follows names the recording
inside: `shards/part-00000.tar#ID.flac`, `shards/part-00000.parquet#ID.flac`. The set may lie in a folder or at an
fsspec URL. Bytes only: who wants samples decodes them, so that this package needs no audio library.
"""

from __future__ import annotations

import errno
import functools
import os
from pathlib import Path
from typing import Any

from roomtone.core.dataset.part_bounds import MAX_RECORDING, check_footer
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote, open_binary


def sample_bytes(dataset: str | os.PathLike[str], audio_path: str) -> bytes:
    """Return the encoded recording of one sample, as a file of its own would hold it.

    Args:
        dataset: the set's folder or URL.
        audio_path: the manifest's cell.

    Raises:
        RoomtoneError: the path leaves the set, or there is no such file or member.
    """
    outer, _, member = audio_path.partition("#")
    place = _inside(os.fspath(dataset), outer)
    try:
        if not member:
            return _bounded(place, 0, None)
        if outer.endswith(".tar"):
            return _from_tar(place, member)
        if outer.endswith(".parquet"):
            return _from_parquet(place, member)
    except FileNotFoundError as error:
        raise RoomtoneError(f"{audio_path}: the file is missing") from error
    except OSError as error:
        raise RoomtoneError(f"{audio_path}: cannot be read: {error}") from error
    raise RoomtoneError(f"{audio_path}: before '#' stands neither a .tar nor a .parquet shard")


def _inside(dataset: str, name: str) -> str:
    """Return the full path of a file of the set; a path that leaves it is refused."""
    parts = name.split("/")
    if os.path.isabs(name) or ".." in parts or "\0" in name or not name:
        raise RoomtoneError(f"audio_path {name!r}: leaves the dataset folder")
    if is_remote(dataset):
        return f"{dataset.rstrip('/')}/{name}"
    root, path = os.path.realpath(dataset), os.path.realpath(os.path.join(dataset, name))
    if not path.startswith(root.rstrip(os.sep) + os.sep):
        raise RoomtoneError(f"audio_path {name!r}: leaves the dataset folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise RoomtoneError(f"audio_path {name!r}: is not a regular file")
    return path


def _version(place: str) -> tuple[Any, ...]:
    """Return what changes when a shard is written anew, so that no index outlives its file."""
    if not is_remote(place):
        found = os.stat(place)
        return found.st_ino, found.st_size, found.st_mtime_ns
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(place)
    info = filesystem.info(path)
    return tuple(str(info.get(key)) for key in ("size", "ETag", "etag", "created", "LastModified"))


def _from_tar(place: str, member: str) -> bytes:
    index = _tar_index(place, _version(place))
    if member not in index:
        raise RoomtoneError(f"{Path(place).name}#{member}: the shard holds no such member")
    offset, size = index[member]
    return _bounded(place, offset, size)


def _bounded(place: str, offset: int, size: int | None) -> bytes:
    """Return a recording's bytes, which a file without content may state as gigabytes; `size` None is the whole file.

    Raises:
        OSError: more than a recording has.
    """
    with open_binary(place) as file:
        size = file.seek(0, os.SEEK_END) - offset if size is None else size
        if size > MAX_RECORDING:
            raise OSError(errno.EFBIG, f"{size:,} bytes, a recording has at most {MAX_RECORDING:,}")
        file.seek(offset)
        return bytes(file.read(size))


@functools.lru_cache(maxsize=64)
def _tar_index(place: str, version: tuple[Any, ...]) -> dict[str, tuple[int, int]]:
    """Return (offset, size) of each regular member; nothing is ever extracted."""
    from roomtone.core.dataset.tar_shards import regular_members

    with open_binary(place) as file:
        return {info.name: (info.offset_data, info.size) for _, info in regular_members(file, place)}


def _from_parquet(place: str, member: str) -> bytes:
    version = _version(place)
    name = member.rpartition(".")[0]
    groups = _parquet_index(place, version)
    if name not in groups:
        raise RoomtoneError(f"{Path(place).name}#{member}: the shard holds no such row")
    group, row = groups[name]
    found = _parquet_group(place, version, group)[row].as_py()
    if not isinstance(found, dict) or not isinstance(found.get("bytes"), bytes):
        raise RoomtoneError(f"{Path(place).name}#{member}: the shard holds no recording there")
    if len(found["bytes"]) > MAX_RECORDING:
        raise RoomtoneError(f"{Path(place).name}#{member}: a recording has at most {MAX_RECORDING:,} bytes")
    return bytes(found["bytes"])


@functools.lru_cache(maxsize=64)
def _parquet_index(place: str, version: tuple[Any, ...]) -> dict[str, tuple[int, int]]:
    """Return the row group of each sample, and its place there."""
    with open_binary(place) as file:
        parquet = _parquet(file, place)
        names = (
            parquet.read_row_group(i, columns=["sample_id"])["sample_id"].to_pylist()
            for i in range(parquet.num_row_groups)
        )
        return {name: (i, row) for i, group in enumerate(names) for row, name in enumerate(group)}


@functools.lru_cache(maxsize=2)
def _parquet_group(place: str, version: tuple[Any, ...], group: int) -> Any:
    """Return the recordings of a row group, one that is there many times held once."""
    with open_binary(place) as file:
        return _parquet(file, place).read_row_group(group, columns=["audio"])["audio"]


def _parquet(file: Any, place: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_footer(file, place, without=("audio",))
    try:
        return pq.ParquetFile(file, read_dictionary=["audio.bytes"])
    except pa.ArrowException as error:
        raise RoomtoneError(f"{place}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
