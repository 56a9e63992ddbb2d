"""A folder of a set, held open while something is put into it or taken out of it, so that nobody can put a link in its place meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: Where a system cannot work relative to an open folder, the path is looked at before it is used, and no more.
HOLDS_FOLDERS = {os.open, os.mkdir, os.rename, os.unlink, os.rmdir, os.stat} <= os.supports_dir_fd
#: What a link in the place of a folder, or a file there, ends with.
LED_ASTRAY = (errno.ELOOP, errno.ENOTDIR)


@contextlib.contextmanager
def held_folder(root: Path, folder: str, *, create: bool = False) -> Iterator[int]:
    """Yield a descriptor of a folder below `root` that is reached through no link.

    Args:
        root: of the set; it may be reached through links, as its user wrote it.
        folder: relative to the root, with forward slashes; "" is the root.
        create: make what is missing of it.

    Raises:
        OSError: it is missing, or one of its parts is a link or no folder.
    """
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in PurePosixPath(folder).parts:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=held)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)
