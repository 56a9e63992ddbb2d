"""MAPSSWE of each condition with the baseline over a whole set: the same sentences in two renders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roomtone.fairness.scoring.alignment import Alignment
from roomtone.fairness.scoring.counting import align_tokens
from roomtone.fairness.scoring.mapsswe import mapsswe, segment_errors
from roomtone.fairness.scoring.normalize import plainest, tokenizer_for
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

#: Samples above which the test is left out: it aligns every sentence a second time.
_MOST_PAIRED = 200_000


def paired_tests(scores: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return MAPSSWE of each condition against the baseline, for each group and for all: the same sentences, two renders.

    Args:
        scores: counts with labels, `text` and `hypothesis`.
        settings: of the evaluation.
    """
    import pandas as pd

    columns = [settings.group, settings.condition, "segments", "mean", "sd", "z", "p", "method"]
    if "utterance_id" not in scores or len(scores) > _MOST_PAIRED:
        return pd.DataFrame(columns=columns)
    usable = scores[scores["hypothesis"].notna() & scores["text"].notna()]
    clean = (
        usable[usable[settings.condition] == settings.baseline]
        .drop_duplicates("utterance_id")
        .set_index("utterance_id")
    )
    aligned = dict(zip(clean.index, _aligned(clean, settings)))
    segments: dict[tuple[str, str], list[tuple[int, int]]] = {}
    speakers: dict[tuple[str, str], list[str]] = {}
    rest = usable[(usable[settings.condition] != settings.baseline) & usable["utterance_id"].isin(aligned)]
    known = bool(rest[settings.speaker].notna().all())
    for group, condition, speaker, name, alignment in zip(
        rest[settings.group], rest[settings.condition], rest[settings.speaker], rest["utterance_id"], _aligned(rest, settings)
    ):  # fmt: skip
        found = segment_errors(alignment, aligned[name])
        for label in (str(group), "all"):
            segments.setdefault((label, str(condition)), []).extend(found)
            speakers.setdefault((label, str(condition)), []).extend([f"{group}/{speaker}"] * len(found))
    rows = [
        {settings.group: g, settings.condition: c} | vars(mapsswe(s, speakers[g, c] if known else None))
        for (g, c), s in sorted(segments.items())
    ]
    return pd.DataFrame(rows, columns=columns)


def _aligned(rows: pd.DataFrame, settings: Settings) -> Iterator[Alignment]:
    """Yield the alignment of each row; the reference is read in its plainest way, since both renders must have the same words."""
    languages = rows["language"] if "language" in rows else [None] * len(rows)
    for text, heard, language in zip(rows["text"], rows["hypothesis"], languages):
        tokenizer = tokenizer_for(settings.normalizer, language if isinstance(language, str) else None)
        yield align_tokens(plainest(tokenizer.tokens(text)), tokenizer.tokens(heard))
