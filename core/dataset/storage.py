"""Where a dataset lies: a folder, or any fsspec URL. Both publish a finished local file under its final name, whole or not at all.

In a folder that is a rename on one file system. An object store has no rename and needs none: a PUT appears whole or not
at all. There, what is under way lies in this machine's temporary folder, in one of each process's own, and no lock is to be had:
two runs of one configuration write equal objects; two of different ones must be kept apart by whoever starts them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from roomtone.core.bounded.held_folders import is_inside, remove_regular, rename_into
from roomtone.core.bounded.regular_files import MAX_BYTES, FileTooLargeError, read_bytes
from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.core.files import user_id, write_whole
from roomtone.core.random_streams import content_key

#: Files of a local set that say which run holds it; a folder with nothing else in it is empty.
LOCK_NAME, SESSION_NAME = ".lock", ".session"
#: Seconds that a run waits for the lock: a worker that asks whether it is held holds it for a moment.
_PATIENCE_S = 1.0
#: Names of the folders that attempts make.
_ATTEMPT = re.compile(r"[a-z0-9]+-[0-9a-f]{32}")


class DatasetStorage:
    """A dataset's place; names are relative to it, with `/`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return self.url

    @property
    def staging(self) -> Path:
        """Return the local folder in which attempts write."""
        raise NotImplementedError

    def publish(self, files: dict[str, Path]) -> None:
        """Give finished local files, flushed, their final names; each appears whole or not at all."""
        raise NotImplementedError

    def read(self, name: str, *, most_bytes: int = MAX_BYTES) -> bytes | None:
        """Return a file's bytes, None where there is none; one of more bytes than `most_bytes` is refused unread."""
        raise NotImplementedError

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the files in a folder of the set (or of what is at its top), sorted."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        raise NotImplementedError

    def remove_empty_folders(self, folders: Iterable[str]) -> None:
        """Remove folders of the set that hold nothing any more; an object store has none."""

    def remove_temporaries(self) -> None:
        """Remove what killed attempts left behind."""
        raise NotImplementedError

    def write_text(self, name: str, text: str) -> None:
        """Write a small text file, whole or not at all.

        Args:
            name: relative to the set.
            text: the whole file.
        """
        with self.attempt("text") as folder:
            path = folder / PurePosixPath(name).name
            with open(path, "w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            self.publish({name: path})

    def read_text(self, name: str) -> str | None:
        """Return a text file, None where there is none."""
        data = self.read(name)
        return None if data is None else data.decode("utf-8")

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[Path]:
        """Give a local folder that no other attempt uses; it goes when the block ends."""
        home = self.staging
        folder = home / f"{what}-{uuid.uuid4().hex}"
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)  # what is under way is nobody else's to read
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                home.rmdir()  # when no other attempt is under way

    @contextlib.contextmanager
    def lock(self, session: str = "") -> Iterator[None]:
        """Hold the set for one run at a time, where that can be had; `session` says whose it is."""
        yield

    def held_by(self, session: str) -> bool:
        """Return whether the run of that session still holds the set; where there is no lock, it is taken to."""
        del session
        return True


class LocalStorage(DatasetStorage):
    """A folder of this machine, or of a file system that all workers share."""

    def __init__(self, url: str) -> None:
        super().__init__(str(Path(url).absolute()))
        self._root = Path(self.url)

    @property
    def staging(self) -> Path:
        """Return a folder inside the set, so that a rename is all it takes to publish."""
        folder = self._root / "tmp"
        if folder.is_symlink():
            raise RoomtoneError(f"{folder}: is a link, and nothing in a set is written through links; remove it")
        return folder

    def publish(self, files: dict[str, Path]) -> None:
        """Rename, then flush the folders in which the names now stand."""
        rename_into(self._root, files)

    def read(self, name: str, *, most_bytes: int = MAX_BYTES) -> bytes | None:
        """Return a file's bytes, None where there is none."""
        try:
            return read_bytes(self._root / name, most_bytes=most_bytes)
        except FileTooLargeError as error:
            raise RoomtoneError(f"{self}/{name}: {error.strerror}: refused unread") from error
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder of the set, sorted."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        remove_regular(self._root, name)

    def remove_empty_folders(self, folders: Iterable[str]) -> None:
        """Remove folders of the set that hold nothing any more."""
        for name in folders:
            if is_inside(self._root, self._root / name):
                with contextlib.suppress(OSError):
                    (self._root / name).rmdir()

    def remove_temporaries(self) -> None:
        """Remove what killed attempts left behind: the folders that attempts make, and no other."""
        if not is_inside(self._root, self.staging):
            return
        for name in self.names(self.staging.name):
            if _ATTEMPT.fullmatch(name):
                shutil.rmtree(self.staging / name, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.staging.rmdir()

    @contextlib.contextmanager
    def lock(self, session: str = "") -> Iterator[None]:
        """Hold the set for one run at a time; the lock goes with the process that holds it.

        Raises:
            RoomtoneError: another run writes into this set.
        """
        import filelock

        self._root.mkdir(parents=True, exist_ok=True)
        path = self._root / LOCK_NAME
        if path.is_symlink():  # opening it empties what it leads to
            raise RoomtoneError(f"{path}: is a link, and nothing in a set is written through links; remove it")
        if path.exists() and not path.is_file():  # opening a pipe waits
            raise RoomtoneError(f"{path}: is no regular file; remove it")
        lock = filelock.FileLock(self._root / LOCK_NAME, timeout=_PATIENCE_S)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise RoomtoneError(f"{self.url}: another run is writing into this set") from error
        try:
            write_whole(self._root / SESSION_NAME, session.encode())
            yield
        finally:
            (self._root / SESSION_NAME).unlink(missing_ok=True)
            lock.release()

    def held_by(self, session: str) -> bool:
        """Return whether the lock is held, and by that session: a worker whose driver was killed finds out before it publishes."""
        import filelock

        if not (self._root / LOCK_NAME).is_file():
            return False
        try:
            with filelock.FileLock(self._root / LOCK_NAME, timeout=0):
                return False
        except filelock.Timeout:
            return self.read_text(SESSION_NAME) == session
        except OSError:
            return False


class ObjectStorage(DatasetStorage):
    """An object store or any other file system that fsspec knows."""

    def __init__(self, url: str) -> None:
        super().__init__(url.rstrip("/"))
        self._fs: Any = None
        self._staging: Path | None = None
        self._path = ""

    @property
    def _files(self) -> Any:
        """Return the file system, opened on first use: a place is sent to workers by its URL."""
        if self._fs is None:
            import fsspec

            try:
                self._fs, self._path = fsspec.core.url_to_fs(self.url)
            except ImportError as error:
                raise RoomtoneError(f"output.dir={self.url}: {error} (for s3:// {how_to_install('s3')})") from error
            except (ValueError, OSError) as error:
                raise RoomtoneError(f"output.dir={self.url}: {str(error).splitlines()[0]}") from error
        return self._fs

    def _full(self, name: str) -> str:
        files = self._files
        del files
        return f"{self._path.rstrip('/')}/{name}" if name else self._path

    @property
    def staging(self) -> Path:
        """Return a folder of this machine that only this process uses: of an unpredictable name, made by us, closed to others."""
        if self._staging is None or not self._staging.is_dir():
            self._staging = Path(tempfile.mkdtemp(prefix=f"{self._prefix}{os.getpid()}-"))
        return self._staging

    @property
    def _prefix(self) -> str:
        return f"roomtone-{content_key(self.url)[:16]}-"

    def remove_temporaries(self) -> None:
        """Remove what killed processes of this user left behind; whoever still runs keeps his own."""
        home = Path(tempfile.gettempdir())
        for name in os.listdir(home):
            pid = name.removeprefix(self._prefix).partition("-")[0]
            if not name.startswith(self._prefix) or not pid.isdecimal():
                continue
            state = os.lstat(home / name)
            alive = int(pid) != os.getpid() and _runs(int(pid))
            if stat.S_ISDIR(state.st_mode) and state.st_uid == user_id() and not alive:
                shutil.rmtree(home / name, ignore_errors=True)

    def publish(self, files: dict[str, Path]) -> None:
        """Upload; an object appears whole or not at all."""
        for name, path in files.items():
            self._files.makedirs(self._full(str(PurePosixPath(name).parent).removeprefix(".")), exist_ok=True)
            self._files.put_file(str(path), self._full(name))
            path.unlink()

    def read(self, name: str, *, most_bytes: int = MAX_BYTES) -> bytes | None:
        """Return an object's bytes, None where there is none."""
        try:
            if (self._files.size(self._full(name)) or 0) > most_bytes:
                raise RoomtoneError(f"{self}/{name}: has more than {most_bytes:,} bytes: refused unread")
            return bytes(self._files.cat_file(self._full(name)))
        except FileNotFoundError:
            return None

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder of the set, sorted; listings are never taken from a cache."""
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._full(folder), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(PurePosixPath(str(name)).name for name in found)

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._full(name))


def _runs(pid: int) -> bool:
    if os.name == "nt":  # a signal 0 would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def open_storage(url: str | os.PathLike[str]) -> DatasetStorage:
    """Return the place of a dataset: a folder's path or an fsspec URL (`s3://bucket/set`, `memory://set`)."""
    name = os.fspath(url)
    if name.startswith("file://"):
        name = name.removeprefix("file://")
    return ObjectStorage(name) if "://" in name else LocalStorage(name)
