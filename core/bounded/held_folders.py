"""Folders below a root, held open while something is put into them or taken out, so that nobody can put a link in their place meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from roomtone.core.errors import RoomtoneError
from roomtone.core.files import fsync_path

#: Where a system cannot work relative to an open folder, the path is looked at before it is used, and no more.
HOLDS_FOLDERS = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd
#: What a link in the place of a folder, or a file there, ends with.
_LED_ASTRAY = (errno.ELOOP, errno.ENOTDIR)


def rename_into(root: Path, files: Mapping[str, Path]) -> None:
    """Rename files to names below a root, making folders that are missing, and flush the folders.

    Args:
        root: it may be reached through links, as its user wrote it.
        files: name relative to the root, with forward slashes -> where the file is now, on the same file system.

    Raises:
        RoomtoneError: a folder is reached through a link.
    """
    for home in dict.fromkeys(str(PurePosixPath(name).parent) for name in files):
        own = {
            PurePosixPath(name).name: path for name, path in files.items() if str(PurePosixPath(name).parent) == home
        }
        try:
            if HOLDS_FOLDERS:
                with _held(root, home, create=True) as folder:
                    for name, path in own.items():
                        os.rename(path, name, dst_dir_fd=folder)
                    os.fsync(folder)
                continue
        except OSError as error:
            if error.errno in _LED_ASTRAY:
                raise _led_out(root / home) from error
            raise
        if not is_inside(root, root / home):
            raise _led_out(root / home)
        (root / home).mkdir(parents=True, exist_ok=True)
        for name, path in own.items():
            os.replace(path, root / home / name)
        fsync_path(root / home)


def remove_regular(root: Path, name: str) -> None:
    """Remove a regular file if it is there and reached through no link.

    Args:
        root: it may be reached through links, as its user wrote it.
        name: relative to the root, with forward slashes.
    """
    place = PurePosixPath(name)
    if not HOLDS_FOLDERS:
        path = root / name
        if is_inside(root, path.parent) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)
        return
    try:
        with _held(root, str(place.parent)) as folder:
            if stat.S_ISREG(os.stat(place.name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(place.name, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, *_LED_ASTRAY):
            raise


def is_inside(root: Path, folder: Path) -> bool:
    """Return whether a folder lies below a root and is reached through no link.

    Args:
        root: it may be reached through links.
        folder: below it, by its path.
    """
    inside = os.path.relpath(folder, root)
    return os.path.realpath(folder) == os.path.normpath(os.path.join(os.path.realpath(root), inside))


@contextlib.contextmanager
def _held(root: Path, folder: str, *, create: bool = False) -> Iterator[int]:
    """Yield a descriptor of a folder below `root`; OSError where it is missing, or one of its parts is a link or no folder."""
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


def _led_out(home: Path) -> RoomtoneError:
    return RoomtoneError(f"{home}: is a link that leads out of the set; nothing is written through it")
