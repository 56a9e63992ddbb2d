"""Audio files that a corpus names: absolute paths inside one root folder, with the reason where one cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from roomtone.core.bounded.regular_files import file_kind
from roomtone.core.errors import did_you_mean
from roomtone.core.printable import storable_text

#: So many missing files are looked up for a nearest name; a corpus without its audio folder is not listed a million times.
_HINTS = 3
_HINT_FOLDER_FILES = 5_000


class AudioFiles:
    """Audio files by name: absolute paths, kept below one root, with the reason where one cannot be used.

    Names come from tables that strangers wrote. An absolute name says where it points and is accepted; `..` and
    symbolic links that lead out of the root, commands and addresses are refused. Folders are resolved once, so that two
    million rows cost two million `lstat`, no more.

    Args:
        folder: what relative names are relative to.
        root: the folder that `..` and symbolic links may not lead out of.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = os.path.realpath(root)
        self._folders: dict[str, str] = {}
        self._hints = 0

    def find(self, name: str | None) -> tuple[str, str | None]:
        """Return where a file is, and why it cannot be used.

        Args:
            name: as the corpus has it, relative to the folder or absolute; None where a row names no file.

        Returns:
            the absolute path (or the name, where there is none), and the reason or None.
        """
        if not name:
            return "", "the row names no audio file"
        if "://" in name or name.lstrip().startswith("pipe:") or name.rstrip().endswith("|"):
            return name, "names a command or an address; only files are read"
        if not name.isprintable() and any(letter < " " for letter in name):
            return repr(name), f"{name!r} has control characters in it"
        plain_name = storable_text(name)
        if plain_name != name:
            return plain_name, f"{plain_name!r}: its name is not UTF-8 text; rename the file"
        path = os.path.normpath(os.path.join(self._folder, name))
        parent, leaf = os.path.split(path)
        if parent not in self._folders:
            if len(self._folders) > 10_000:
                self._folders.clear()
            self._folders[parent] = os.path.realpath(parent)
        real = os.path.join(self._folders[parent], leaf)
        try:
            mode = os.lstat(real).st_mode
        except (OSError, ValueError):
            mode = 0
        if stat.S_ISLNK(mode):
            real = os.path.realpath(real)
        plain = (
            os.path.isabs(name) and os.path.normpath(name) == name and not name.startswith(f"{self._folder}{os.sep}")
        )
        if not plain and self._root != os.sep and not real.startswith(self._root + os.sep):
            elsewhere = "corpus.root=… names another folder that audio may come from"
            return path, f"{name}: lies outside of {self._root}; {elsewhere}"
        if not mode:
            return path, f"{path}: there is no such file{self._hint(path)}"
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            return path, f"{path}: is {file_kind(mode)}, not a regular file"
        return path, None

    def _hint(self, path: str) -> str:
        self._hints += 1
        parent, leaf = os.path.split(path)
        if self._hints > _HINTS or not os.path.isdir(parent):
            return ""
        names = os.listdir(parent)
        return did_you_mean(leaf, names) if len(names) <= _HINT_FOLDER_FILES else ""
