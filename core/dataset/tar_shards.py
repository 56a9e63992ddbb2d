"""WebDataset tar shards: the files of a sample are adjacent and share its key, which holds neither dot nor slash.

Headers hold no time, owner or machine, so that equal samples give an equal file.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from roomtone.core.errors import RoomtoneError


@contextmanager
def open_shard(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a new shard for writing; an earlier file is replaced."""
    with open(path, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        yield tar


def add_sample(tar: tarfile.TarFile, key: str, members: Mapping[str, bytes]) -> None:
    """Add one sample to a shard.

    Args:
        tar: as `open_shard` gives it.
        key: what the names of the sample's files share.
        members: extension without a dot -> content, in the order of the shard.

    Raises:
        RoomtoneError: the key holds a dot or a slash, so that readers would cut it off there.
    """
    if "." in key or "/" in key:
        raise RoomtoneError(f"sample {key!r}: a WebDataset key holds no dot and no slash")
    for extension, content in members.items():
        info = tarfile.TarInfo(f"{key}.{extension}")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
