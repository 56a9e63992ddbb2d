"""A Hugging Face dataset in Parquet with the recordings inside: a column of `{bytes, path}` beside the others.

Recordings are copied into a cache, under names that are hashes of their bytes, when they are first read; a render is
then made from a file like any other. `corpus.path` is the dataset's folder, or one file; `corpus.split` takes files named
after it.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from roomtone.augment.corpora.readers.audio_files import AudioFiles
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import require_columns
from roomtone.augment.corpora.readers.tables import columns_of, parquet_rows
from roomtone.augment.corpora.utterance import Utterance, accent_labels
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, nearest

_USES = ("audio", "text", "speaker", "accent", "accent_raw", "id", "language")
_REQUIRED = ("audio", "text", "speaker", "accent")
_ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class HfParquet(Reader):
    """Keys of `corpus=hf_parquet`.

    Attributes:
        split: files whose path holds it as a word: `test-00000-of-00001.parquet`, `test/0000.parquet`; null takes all.
        columns: what a column is for -> its name; null does without.
        cache: where recordings are copied to; null is the user's cache folder.
    """

    kind: ClassVar[str] = "hf_parquet"

    split: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    cache: str | None = None

    def renamed(self, use: str) -> str:
        """Return a column's usual name."""
        return use

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row; its recording is in the cache when it is yielded."""
        for path in self._files():
            names = self._names(path)
            folder = path.parent
            files = self.audio_files(folder)
            for row in parquet_rows(path, _ROWS_AT_ONCE):
                yield self._utterance(row, names, files)

    def _files(self) -> list[Path]:
        home = self.home
        files = [home] if home.is_file() else sorted(home.rglob("*.parquet"))
        if self.split is not None:
            found = [path for path in files if self.split in _words(path.relative_to(home) if home.is_dir() else path)]
            if not found:
                known = {word for path in files for word in _words(path.relative_to(home)) if not word.isdigit()}
                raise RoomtoneError(
                    f"corpus.split={self.split}: no Parquet file of that name; {nearest(self.split, known)}"
                )
            files = found
        if not files:
            raise RoomtoneError(f"{home}: no *.parquet is in it")
        return files

    def _names(self, path: Path) -> dict[str, str]:
        for use in self.columns:
            if use not in _USES:
                raise RoomtoneError(f"corpus.columns: unknown key {use!r}; {nearest(use, _USES)}")
        found = columns_of(path)
        names = {use: self.columns.get(use, self.renamed(use)) for use in _USES}
        names = {use: str(name) for use, name in names.items() if name is not None}
        require_columns(found, {use: name for use, name in names.items() if use in _REQUIRED}, path)
        return {use: name for use, name in names.items() if name in found}

    def _utterance(self, row: Mapping[str, Any], names: Mapping[str, str], files: AudioFiles) -> Utterance:
        value = {use: row.get(name) for use, name in names.items()}
        file, key, problem = self._recording(value["audio"], files)
        others = {k: v for k, v in row.items() if k not in names.values() and isinstance(v, str | int | float | bool)}
        accent = value.get("accent")
        return self.utterance(
            str(value.get("id") or key),
            AudioRef(file),
            text=value.get("text"),
            speaker=value.get("speaker"),
            accent=self.split_accent(accent),
            accent_raw=value.get("accent_raw") or accent,
            language=value.get("language"),
            attributes=others,
            problem=problem,
        )

    def split_accent(self, raw: object) -> list[str]:
        """Return the accents that a cell holds: a text, a list, or None."""
        return accent_labels(raw)

    def _recording(self, audio: Any, files: AudioFiles) -> tuple[str, str, str | None]:
        """Return the recording's path, a key of it, and what is wrong with it."""
        if not isinstance(audio, Mapping):
            return "", str(audio), "the column of audio holds no {bytes, path}"
        content, name = audio.get("bytes"), audio.get("path") or ""
        if content is None:
            file, problem = files.find(name)
            return file, name, problem
        digest = hashlib.sha256(content).hexdigest()
        # names are unique within one file of a dataset, not among its files
        key = f"{Path(name).stem}-{digest[:12]}" if name else digest
        return str(self._cached(content, digest, Path(name).suffix)), key, None

    def _cached(self, content: bytes, digest: str, suffix: str) -> Path:
        """Return the file in the cache; it appears whole, or not at all."""
        home = Path(self.cache).expanduser() if self.cache else user_cache()
        path = home.absolute() / digest[:2] / f"{digest}{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex}")
            temporary.write_bytes(content)
            os.replace(temporary, path)
        return path


def _words(path: Path) -> set[str]:
    """Return the words of a file's path, by which splits are known.

    >>> sorted(_words(Path("data/test-00000-of-00001.parquet")))
    ['00000', '00001', 'data', 'of', 'test']
    """
    return {word for part in path.with_suffix("").parts for word in part.replace("_", "-").split("-")} | set(
        path.parts[:-1]
    )


def user_cache() -> Path:
    """Return where recordings that were inside tables are kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "roomtone" / "audio"
