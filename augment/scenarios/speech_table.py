"""A corpus as a table, as coverage counts it: one row an utterance, labels held once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.words import word_count

if TYPE_CHECKING:
    import pandas as pd


def speech_table(utterances: Iterable[Utterance], seconds: Mapping[str, float | None]) -> pd.DataFrame:
    """Return one row an utterance that can be read, its attributes as `attr_*`.

    Columns: `utterance_id, speaker, accent, corpus, language` and `attr_*` as categories, because a label is held once and not in
    every row of a million; `words` (null where there is no transcript), and `duration_s`.

    Args:
        utterances: those of a corpus.
        seconds: length of each by id, None where it cannot be read.
    """
    import pandas as pd

    usable = [u for u in utterances if seconds[u.utterance_id] is not None and not u.problem]
    labels: dict[str, list[str | None]] = {
        name: [getattr(u, name) for u in usable] for name in ("utterance_id", "speaker", "accent", "corpus", "language")
    }
    for name in dict.fromkeys(name for u in usable for name in u.attributes):
        labels[f"attr_{name}"] = [u.attributes.get(name) for u in usable]
    columns: dict[str, Any] = {name: pd.Categorical(values) for name, values in labels.items()}
    columns["words"] = pd.array([None if u.text is None else word_count(u.text) for u in usable], dtype="Int64")
    columns["duration_s"] = pd.array([seconds[u.utterance_id] for u in usable], dtype="float64")
    return pd.DataFrame(columns)
