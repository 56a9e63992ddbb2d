"""Corpora: accent-labelled speech read as it lies on disk, as a stream of utterances.

`open_corpus(cfg)` finds the reader by its name in a closed table and checks its keys; the corpus it returns can be
iterated again and again.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.reader import Reader
from roomtone.augment.corpora.utterance import AudioRef, Utterance
from roomtone.coverage.errors import RoomtoneError, nearest

__all__ = ["READERS", "AudioRef", "Corpus", "Utterance", "open_corpus"]

#: reader -> its class in a module of that name
READERS = {
    "demo": "Demo",
    "folder": "Folder",
    "table": "Table",
}


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, opened: iterate it for its utterances, as often as you like."""

    reader: Reader

    @property
    def name(self) -> str:
        """Return what the manifest calls it."""
        return self.reader.corpus

    @property
    def root(self) -> Path:
        """Return where it lies."""
        return self.reader.home

    @property
    def licence(self) -> str | None:
        """Return its licence, as the preset or the user states it."""
        return self.reader.licence

    @property
    def attribution(self) -> str | None:
        """Return whom to credit."""
        return self.reader.attribution

    def __iter__(self) -> Iterator[Utterance]:
        """Yield the utterances.

        Raises:
            RoomtoneError: there are none, or two of one id.
        """
        seen: set[int] = set()
        for utterance in self.reader.utterances():
            key = hash(utterance.utterance_id)
            if key in seen:
                raise RoomtoneError(
                    f"{self.root}: two utterances are called {utterance.utterance_id!r}; each needs an id of its own"
                )
            seen.add(key)
            yield utterance
        if not seen:
            raise RoomtoneError(f"{self.root}: no utterances found (corpus={self.reader.kind})")


def open_corpus(cfg: Mapping[str, Any], *, search: Sequence[Path] = ()) -> Corpus:
    """Return the corpus that a configuration names.

    Args:
        cfg: `{reader: table, path: …, …}`, the group `corpus` of a configuration.
        search: folders of the user's own, in which accent maps are looked for before the packaged ones.

    Raises:
        RoomtoneError: unknown reader or key (with the nearest), a value of the wrong type, or nothing at the path.
    """
    from roomtone.augment.ops.table import check_fields

    values = dict(cfg)
    kind = values.pop("reader", None)
    if kind not in READERS:
        raise RoomtoneError(f"corpus: unknown reader {kind!r}; {nearest(str(kind), READERS)}")
    module = importlib.import_module(f"roomtone.augment.corpora.{kind}")
    cls: type[Reader] = getattr(module, READERS[kind])
    for key in ("path", "root"):
        if values.get(key) is not None:
            values[key] = str(values[key])
    reader = cls(**check_fields(cls, values, where=f"corpus={kind}"))
    reader.home  # noqa: B018 - refuses a path at which there is nothing
    return Corpus(reader)
