"""Corpora: accent-labelled speech in the layouts in which it is published, read as a stream of utterances.

`open_corpus(cfg)` finds the reader by its name in a closed table and checks its keys; the corpus it returns can be
iterated again and again. An accent map (`corpus.accents`) and a selection (`corpus.select`) are applied to what the reader yields.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.accents import AccentMap, load_map
from roomtone.augment.corpora.filtering import select_utterances
from roomtone.augment.corpora.id_set import IdSet
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.select import Selection
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core import plugins
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.plugins import added_names, load_added_class

__all__ = ["READERS", "AudioRef", "Corpus", "Utterance", "corpus_keys", "open_corpus"]

#: reader -> its class in the module of that name
READERS = {
    "afrispeech": "AfriSpeech",
    "audio_folder": "AudioFolder",
    "common_voice": "CommonVoice",
    "coraal": "Coraal",
    "demo": "Demo",
    "edacc": "EdAcc",
    "fair_speech": "FairSpeech",
    "folder": "Folder",
    "globe": "Globe",
    "hf_parquet": "HfParquet",
    "kaldi": "Kaldi",
    "l2_arctic": "L2Arctic",
    "lhotse": "Lhotse",
    "librispeech": "LibriSpeech",
    "nemo": "Nemo",
    "roomtone": "RoomtoneSet",
    "saa": "SpeechAccentArchive",
    "table": "Table",
    "vctk": "Vctk",
}


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, opened: iterate it for its utterances, as often as you like."""

    reader: Reader
    accent_map: AccentMap | None = None
    selection: Selection = field(default_factory=Selection)

    @property
    def name(self) -> str:
        """Return what the manifest calls it."""
        return self.reader.corpus

    @property
    def root(self) -> Path:
        """Return its folder or file."""
        return self.reader.home

    @property
    def licence(self) -> str | None:
        """Return its licence, as the preset or the user states it."""
        return self.reader.licence

    @property
    def attribution(self) -> str | None:
        """Return whom to credit."""
        return self.reader.attribution

    def skipped(self) -> Counter[str]:
        """Return how many files of the corpus's folder are not read, by their ending."""
        return self.reader.skipped()

    def __iter__(self) -> Iterator[Utterance]:
        """Yield the utterances that the selection takes, with canonical accents.

        Raises:
            RoomtoneError: there are none, or two of one id.
        """
        found = False
        for utterance in select_utterances(self.selection, self.all_utterances):
            found = True
            yield utterance
        if not found:
            raise RoomtoneError(f"{self.root}: corpus.select leaves no utterance")

    def all_utterances(self) -> Iterator[Utterance]:
        """Yield all utterances, with canonical accents, before any selection.

        Raises:
            RoomtoneError: there are none, or two of one id.
        """
        seen = IdSet()
        for utterance in self.reader.utterances():
            if not seen.add(utterance.utterance_id):
                raise RoomtoneError(
                    f"{self.root}: two utterances are called {utterance.utterance_id!r}; where two rows name one recording, remove one, "
                    "or give each an id of its own (in a table: a column id)"
                )
            yield utterance if self.accent_map is None else self.accent_map.apply(utterance)
        if not len(seen):
            raise RoomtoneError(f"{self.root}: no utterances found (corpus={self.reader.kind})")


def corpus_keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a command's corpus, as `open_corpus` takes them: `accents=NAME` wins over the preset's own map.

    Args:
        settings: a composed configuration as plain values, with the group `corpus` and, where one was chosen, `accents`.
    """
    keys = dict(settings["corpus"])
    if settings.get("accents") is not None:
        keys["accents"] = settings["accents"]
    return keys


def open_corpus(cfg: Mapping[str, Any], *, search: Sequence[Path] = ()) -> Corpus:
    """Return the corpus that a configuration names.

    Args:
        cfg: `{reader: table, path: …, accents: …, select: {…}, …}`, the group `corpus` of a configuration.
        search: folders of the user's own, in which accent maps are looked for before the packaged ones.

    Raises:
        RoomtoneError: unknown reader or key (with the nearest), a value of the wrong type, or nothing at the path.
    """
    from roomtone.core.settings import check_fields

    values = dict(cfg)
    kind = values.pop("reader", None)
    cls = _reader_class(kind)
    accents, select = values.pop("accents", None), values.pop("select", None) or {}
    for key in ("path", "root"):
        if values.get(key) is not None:
            values[key] = str(values[key])
    reader = cls(**check_fields(cls, values, where=f"corpus={kind}"))
    reader.home  # noqa: B018 - refuses a path at which there is nothing
    return Corpus(
        reader,
        None if accents is None else load_map(accents, search),
        Selection(**check_fields(Selection, select, where="corpus.select")),
    )


def _reader_class(kind: Any) -> type[Reader]:
    """Return the reader of a name: one of ours, or one that an installed package adds."""
    if kind in READERS:
        module = importlib.import_module(f"roomtone.augment.corpora.readers.{kind}")
        own: type[Reader] = getattr(module, READERS[kind])
        return own
    added = added_names(plugins.READERS, READERS)
    if kind not in added:
        raise RoomtoneError(f"corpus: unknown reader {kind!r}; {nearest(str(kind), [*READERS, *added])}")
    return load_added_class(plugins.READERS, kind, Reader)
