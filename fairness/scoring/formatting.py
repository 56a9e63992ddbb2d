"""What the normaliser decides: errors under stricter and milder ones, and whether groups are written differently.

A recogniser that writes "8" for one accent and "eight" for another is not worse for either, and a strict normaliser says it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roomtone.fairness.scoring.counting import count_tokens
from roomtone.fairness.scoring.edits import usable_rows
from roomtone.fairness.scoring.normalize import NORMALIZERS, tokenizer_for, tokens_of
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

#: Samples that are scored again under each normaliser.
MOST_SAMPLES = 20_000
#: Difference between groups, a share of their samples, from which it is said.
DIFFERENCE = 0.1
_STRICT, _MILD = "basic", "spoken_english"


@dataclass(frozen=True)
class Formatting:
    """What other normalisers would count.

    Attributes:
        errors: normaliser -> errors over the samples that were scored again.
        samples: their number.
        by_group: group -> share of samples whose errors depend on how figures and the like are written; empty where the language is not
            English.
        chosen: the normaliser of the evaluation.
        counts: group -> samples that depend on it, samples, and known speakers.
    """

    errors: dict[str, int]
    samples: int
    by_group: dict[str, float]
    chosen: str
    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def differs(self) -> tuple[str, str] | None:
        """Return the groups with the largest and the smallest share where they differ, else None."""
        if len(self.by_group) < 2:
            return None
        most, least = (
            max(self.by_group, key=lambda g: self.by_group[g]),
            min(self.by_group, key=lambda g: self.by_group[g]),
        )
        return (most, least) if self.by_group[most] - self.by_group[least] >= DIFFERENCE else None


def other_normalizers(scores: pd.DataFrame, settings: Settings) -> Formatting:
    """Return what other normalisers would count on these samples, or on every n-th of a large set.

    Args:
        scores: counts with `text`, `hypothesis` and labels.
        settings: of the evaluation.
    """
    rows = usable_rows(scores, MOST_SAMPLES)
    errors: dict[str, int] = {}
    each = {}
    for name in (*NORMALIZERS, settings.normalizer):
        each[name] = _errors(rows, name)
        errors[name] = int(each[name].sum())
    counts: dict[str, tuple[int, int, int]] = {}
    if len(rows) and rows["normalizer"].str.contains("english|basic|casefold").any():
        depends = each[_STRICT] > each[_MILD]
        for g, part in rows.groupby(settings.group):
            counts[str(g)] = int(depends[part.index].sum()), len(part), int(part[settings.speaker].dropna().nunique())
    by_group = {name: found / samples for name, (found, samples, _) in counts.items()}
    return Formatting(errors, len(rows), by_group, settings.normalizer, counts)


def _errors(rows: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    languages = rows["language"] if "language" in rows else [None] * len(rows)
    tokenizers = [tokenizer_for(name, language if isinstance(language, str) else None) for language in languages]
    sides = [tokens_of(rows[column], tokenizers) for column in ("text", "hypothesis")]
    return pd.Series(count_tokens(*sides)[:, 1:].sum(axis=1), index=rows.index)
