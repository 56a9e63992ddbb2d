"""WebDataset tar shards: the files of a sample are adjacent and share its key, which holds neither dot nor slash.

Headers hold no time, owner or machine, so that equal samples give an equal file. Shards of strangers are read by their headers alone.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from roomtone.core.errors import RoomtoneError

#: Kinds of members that say something of the next one, its long name for instance, and the bytes that one may have.
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_MOST_HEADER = 1_000_000


class _Member(tarfile.TarInfo):
    """A member whose size is none below zero, which would be read for ever, and whose headers fill no memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.size < 0 or (self.type in _HEADERS and self.size > _MOST_HEADER):
            raise tarfile.ReadError(f"a header states {self.size:,} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


def regular_members(file: IO[bytes], place: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the regular files of a tar file, as `members` does."""
    return ((tar, member) for tar, member in members(file, place) if member.isreg())


def members(file: IO[bytes], place: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the members of a tar file with the file that they are in; nothing is extracted.

    Args:
        file: open for reading.
        place: its name, for messages.

    Raises:
        RoomtoneError: no tar file, headers that contradict themselves, or ones of more than a megabyte.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:", tarinfo=_Member) as tar:
            for member in tar:
                yield tar, member
    except (tarfile.TarError, ValueError, RecursionError) as error:
        raise RoomtoneError(f"{place}: not a readable tar file ({error})") from error


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
