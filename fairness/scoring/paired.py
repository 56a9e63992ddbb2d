"""MAPSSWE of each condition with the baseline over a whole set: the same sentences in two renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.fairness.scoring.alignment import align
from roomtone.fairness.scoring.mapsswe import mapsswe, segment_errors
from roomtone.fairness.scoring.normalize import normalizer as find_normalizer
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

#: Samples above which the test is left out: it aligns every sentence a second time.
_MOST_PAIRED = 200_000


def paired_tests(scores: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return MAPSSWE of each condition against the baseline, for each group and for all: the same sentences, two renders."""
    import pandas as pd

    columns = [settings.group, settings.condition, "segments", "mean", "sd", "z", "p", "method"]
    if "utterance_id" not in scores or len(scores) > _MOST_PAIRED:
        return pd.DataFrame(columns=columns)
    words_of = find_normalizer(settings.normalizer).words
    usable = scores[scores["hypothesis"].notna() & scores["text"].notna()]
    clean = (
        usable[usable[settings.condition] == settings.baseline]
        .drop_duplicates("utterance_id")
        .set_index("utterance_id")
    )
    aligned = {
        name: align(words_of(text), words_of(heard))
        for name, text, heard in zip(clean.index, clean["text"], clean["hypothesis"])
    }
    segments: dict[tuple[str, str], list[tuple[int, int]]] = {}
    rest = usable[(usable[settings.condition] != settings.baseline) & usable["utterance_id"].isin(aligned)]
    for group, condition, name, text, heard in zip(
        rest[settings.group], rest[settings.condition], rest["utterance_id"], rest["text"], rest["hypothesis"]
    ):
        found = segment_errors(align(words_of(text), words_of(heard)), aligned[name])
        for label in (str(group), "all"):
            segments.setdefault((label, str(condition)), []).extend(found)
    rows = [{settings.group: g, settings.condition: c} | vars(mapsswe(s)) for (g, c), s in sorted(segments.items())]
    return pd.DataFrame(rows, columns=columns)
