"""Which words: the words lost, and what they were taken for, by group and condition, with counts and speakers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roomtone.fairness.scoring.alignment import Alignment
from roomtone.fairness.scoring.counting import align_tokens
from roomtone.fairness.scoring.normalize import tokenizer_for
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

#: Samples of which the words are looked at; of a larger set every n-th, in the order of its ids.
MOST_SAMPLES = 100_000
ALL = "all"
COLUMNS = ("lost", "heard_as", "count", "speakers", "spoken", "share")


def usable_rows(scores: pd.DataFrame, most: int = MOST_SAMPLES) -> pd.DataFrame:
    """Return the samples that can be aligned, every n-th of a large set.

    Args:
        scores: counts with `text`, `hypothesis` and labels.
        most: samples at most.
    """
    rows = scores[scores["hits"].notna() & scores["text"].notna() & scores["hypothesis"].notna()]
    step = -(-len(rows) // most) if len(rows) else 1
    return rows.sort_values("sample_id").iloc[::step]


def alignments(rows: pd.DataFrame, normalizer: str) -> Iterator[Alignment]:
    """Yield the alignment of each sample, of several readings the nearest.

    Args:
        rows: with `text`, `hypothesis` and perhaps `language`.
        normalizer: a name in `NORMALIZERS`, or `auto`.
    """
    languages = rows["language"] if "language" in rows else [None] * len(rows)
    known: dict[tuple[str, str, str | None], Alignment] = {}
    for text, hypothesis, language in zip(rows["text"], rows["hypothesis"], languages):
        key = text, hypothesis, language if isinstance(language, str) else None
        if key not in known:
            tokenizer = tokenizer_for(normalizer, key[2])
            known[key] = align_tokens(tokenizer.tokens(text), tokenizer.tokens(hypothesis))
        yield known[key]


def lost_words(scores: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the words lost and what they were taken for.

    Args:
        scores: counts with `text`, `hypothesis` and labels.
        settings: of the evaluation.

    Returns:
        One row a group, condition (or `all`), word and what was heard for it (null where nothing was): `count`, `speakers` from whom it was
        lost so, `spoken` (how often the group says the word there), and their `share`; most frequent first.
    """
    import pandas as pd

    rows = usable_rows(scores)
    group, condition, speaker = settings.group, settings.condition, settings.speaker
    spoken: list[tuple[str, str, str, str | None, str]] = []
    for labels, found in zip(
        zip(rows[group].map(str), rows[condition].map(str), rows[speaker].map(str)),
        alignments(rows, settings.normalizer),
    ):
        spoken += [
            (*labels[:2], word, heard, labels[2])
            for word, heard in zip(found.reference, found.hypothesis)
            if word is not None
        ]
    names = [group, condition, "lost", "heard_as", "speaker"]
    table = pd.DataFrame(spoken, columns=names)
    if table.empty:
        return pd.DataFrame(columns=[group, condition, *COLUMNS])
    table = pd.concat([table, table.assign(**{condition: ALL})], ignore_index=True)
    keys = [group, condition, "lost"]
    total = table.groupby(keys).size().rename("spoken").reset_index()
    wrong = table[table["heard_as"].isna() | (table["heard_as"] != table["lost"])]
    counted = wrong.groupby([*keys, "heard_as"], dropna=False)["speaker"].agg(["size", "nunique"]).reset_index()
    counted = counted.rename(columns={"size": "count", "nunique": "speakers"}).merge(total, on=keys)
    counted["share"] = counted["count"] / counted["spoken"]
    counted["heard_as"] = counted["heard_as"].astype(object).where(counted["heard_as"].notna(), None)
    order = counted.sort_values(["count", "lost"], ascending=[False, True], kind="stable")
    return order[[group, condition, *COLUMNS]].reset_index(drop=True)
