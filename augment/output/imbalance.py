"""What a set holds more of for some accents than for others, in sentences, from its counts: for the card and for the Croissant metadata.

Nothing is inferred: groups are accents as stated, and attributes that the corpus states of its speakers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Columns that the sentences are made from, beside the attributes.
COLUMNS = ("utterance_id", "speaker", "accent", "text", "condition", "duration_s", "speech_origin")
#: Values that an attribute may have to be counted: above it is a free text or a number.
_MAX_VALUES = 6
#: Names that one sentence lists at most.
_NAMED = 6


def imbalances(rows: pd.DataFrame) -> list[str]:
    """Return what is unevenly spread over the accents of a set, one sentence each.

    Args:
        rows: of the manifest, with `COLUMNS` and any `attr_*`; an utterance with several accents counts under each.
    """
    stated = rows.dropna(subset="accent")
    if stated.empty:
        return ["No sample states an accent."]
    by_accent = stated.assign(accent=stated["accent"].str.split("|")).explode("accent")
    lines = [
        _spread("speakers", by_accent.groupby("accent")["speaker"].nunique(), "accent"),
        _spread("utterances", by_accent.groupby("accent")["utterance_id"].nunique(), "accent"),
        _spread("minutes", (by_accent.groupby("accent")["duration_s"].sum() / 60).round(1), "accent"),
        _spread("renders", rows.groupby("condition").size(), "condition"),
    ]
    if len(stated) < len(rows):
        lines.append(f"{len(rows) - len(stated):,} of {len(rows):,} renders state no accent.")
    lines += _texts(by_accent)
    attributes = [
        name for name in map(str, rows.columns) if name.startswith("attr_") and 2 <= rows[name].nunique() <= _MAX_VALUES
    ]
    for name in [*attributes, *(["speech_origin"] if rows["speech_origin"].nunique() > 1 else [])]:
        lines += _attribute(by_accent, name)
    return lines


def _spread(what: str, counts: Any, group: str) -> str:
    """Return the least and the most of something that a group has."""
    least, most = counts.min(), counts.max()
    if least == most:
        return f"{what.capitalize()} per {group}: {least:,} in each of {len(counts):,}."
    fewest = counts.index[counts == least]
    return (
        f"{what.capitalize()} per {group}: from {least:,} ({_names(fewest)}) to {most:,} ({_names(counts.index[counts == most])}), "
        f"{len(counts):,} {group}s."
    )


def _texts(by_accent: pd.DataFrame) -> list[str]:
    """Return how many texts all accents share: where they read different ones, a gap may be one of texts."""
    accents = by_accent["accent"].nunique()
    spoken = by_accent.dropna(subset="text").groupby("text")["accent"].nunique()
    if accents < 2 or spoken.empty:
        return []
    common = int((spoken == accents).sum())
    if common == len(spoken):
        return ["Every accent reads every text."]
    return [
        f"{common:,} of {len(spoken):,} texts are read in every accent; differences of text and of accent are mixed."
    ]


def _attribute(by_accent: pd.DataFrame, name: str) -> list[str]:
    """Return how speakers are spread over an attribute's values, and accents that have one value only."""
    speakers = by_accent.dropna(subset="speaker").drop_duplicates(["accent", "speaker"])
    if speakers.empty:
        return []
    totals = speakers.drop_duplicates("speaker")[name].fillna("not stated").astype(str).value_counts().sort_index()
    lines = [f"Speakers by {name}: {_listed([f'{value} {count:,}' for value, count in totals.items()])}."]
    kinds = speakers.dropna(subset=name).groupby("accent")[name].nunique()
    alone = kinds.index[kinds == 1]
    if len(alone):
        lines.append(f"{name} has one value only in {_names(alone)}: there it cannot be told from the accent.")
    return lines


def _names(found: Any) -> str:
    names = [str(name) for name in found]
    return _listed(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _listed(names: list[str]) -> str:
    """Return names in a line; those that hold a comma (`England English, northern`) are parted by semicolons."""
    return ("; " if any(", " in name for name in names) else ", ").join(names)
