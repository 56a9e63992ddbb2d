"""From manifest and hypotheses to counts: substitutions, deletions, insertions, hits and reference words of each sample.

Counts first; a rate is a ratio of sums and is taken where it is shown. A sample without a hypothesis is a row with a
reason and null counts: a failure is not an empty hypothesis. A sample without a transcript has no reference and null counts too; a
transcript that is stated and empty is silence: its words are 0, each word of the hypothesis is an insertion, and its own rates are null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import repeated_words
from roomtone.fairness.scoring.counting import Tokens, count_tokens
from roomtone.fairness.scoring.hallucination import looped, too_long
from roomtone.fairness.scoring.hypotheses import column, few, match_hypotheses
from roomtone.fairness.scoring.normalize import AUTO, Tokenizer, plainest, tokenizer_for, tokens_of

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("substitutions", "deletions", "insertions", "hits", "words")
NO_TRANSCRIPT = "no transcript"


def score(
    manifest: pd.DataFrame,
    hypotheses: pd.DataFrame | Mapping[str, str | None],
    normalizer: str = AUTO,
    *,
    allow_missing: bool = False,
) -> pd.DataFrame:
    """Return the counts of each sample, in the order of the manifest.

    Args:
        manifest: rows with `sample_id` and `text`; `language` chooses normaliser and unit, `duration_s` tells texts that are too long.
        hypotheses: columns `sample_id` and `hypothesis`, a null one with its `reason`; or sample id -> hypothesis.
        normalizer: a name in `NORMALIZERS`, applied to both sides, or `auto`: `spoken_english` for English, else `basic`.
        allow_missing: samples without a hypothesis become failures with a reason, hypotheses of unknown samples are left out,
            and two different ones of one sample are a failure; otherwise each of these is an error.

    Returns:
        `sample_id, substitutions, deletions, insertions, hits, words` (whole numbers, null for a failure), then
        `hypothesis_words, repeated_words, insertion_rate, repetition_rate, looped, too_long, reason, normalizer, unit`. The insertion rate
        is a share of the reference's words, the repetition rate of the hypothesis's. `words` is known for failures too, but
        null without a transcript. `looped` and `too_long` are true or false, null where not known. Where the unit is `character`
        all counts are of characters.

    Raises:
        RoomtoneError: ids that are missing, unknown or duplicate, with their count and the first few; an unknown normaliser.
    """
    texts = column(manifest, "text", "the manifest")
    ids = column(manifest, "sample_id", "the manifest").astype(str).astype(object)
    if ids.duplicated().any():
        raise RoomtoneError(
            f"the manifest has {int(ids.duplicated().sum())} duplicate sample ids, e.g. {few(ids[ids.duplicated()])}"
        )
    answers = match_hypotheses(ids, hypotheses, allow_missing=allow_missing)
    languages = manifest["language"].tolist() if "language" in manifest else [None] * len(manifest)
    tokenizers = [tokenizer_for(normalizer, language if isinstance(language, str) else None) for language in languages]
    references = tokens_of(texts, tokenizers)
    heard = tokens_of(answers["hypothesis"], tokenizers)
    stated = np.array([isinstance(text, str) for text in texts], dtype=bool)
    answers.loc[~stated, "reason"] = NO_TRANSCRIPT
    duration = (
        manifest["duration_s"].to_numpy(float, na_value=np.nan)
        if "duration_s" in manifest
        else np.full(len(manifest), np.nan)
    )
    return _Scored(ids, answers, references, heard, tokenizers, duration, stated).table()


@dataclass(frozen=True)
class _Scored:
    """The two sides of every sample, and what is known of it."""

    ids: pd.Series
    answers: pd.DataFrame
    references: Sequence[Tokens]
    heard: Sequence[Tokens]
    tokenizers: Sequence[Tokenizer]
    duration_s: np.ndarray
    stated: np.ndarray

    def table(self) -> pd.DataFrame:
        """Return the columns of `score`; counts of a sample without a hypothesis or a transcript are null."""
        import pandas as pd

        counts = count_tokens(self.references, self.heard)
        reference, heard = ([plainest(tokens) for tokens in side] for side in (self.references, self.heard))
        failed = self.answers["reason"].notna().to_numpy()
        frame = pd.DataFrame({"sample_id": self.ids.to_numpy()})
        for name, at in zip(COUNTS[:4], (1, 2, 3, 0)):
            frame[name] = _whole(counts[:, at], failed)
        plain = np.array([len(words) for words in reference])
        frame["words"] = _whole(np.where(failed, plain, counts[:, :3].sum(axis=1)), ~self.stated)
        spoken = np.array([len(words) for words in heard])
        frame["hypothesis_words"] = _whole(spoken, failed)
        frame["repeated_words"] = _whole(repeated_words(reference, heard), failed)
        frame["insertion_rate"] = _rate(frame["insertions"], frame["words"])
        frame["repetition_rate"] = _rate(frame["repeated_words"], frame["hypothesis_words"])
        unit = np.array([tokenizer.unit for tokenizer in self.tokenizers])
        long = too_long(plain, spoken, self.duration_s, unit)
        frame["looped"] = _flag(looped(reference, heard), failed)
        frame["too_long"] = _flag(long, failed | np.isnan(long))
        frame["reason"] = pd.Series(self.answers["reason"].tolist(), dtype=object)
        frame["normalizer"] = [tokenizer.normalizer.label for tokenizer in self.tokenizers]
        frame["unit"] = unit
        return frame


def _whole(values: np.ndarray, missing: np.ndarray) -> Any:
    """Return whole numbers, null where they are missing."""
    import pandas as pd

    return pd.arrays.IntegerArray(np.asarray(values, dtype=np.int64), np.array(missing, dtype=bool))


def _flag(values: np.ndarray, missing: np.ndarray) -> Any:
    """Return true or false, null where it is missing."""
    import pandas as pd

    return pd.arrays.BooleanArray(
        np.nan_to_num(np.asarray(values, dtype=np.float64)) > 0, np.array(missing, dtype=bool)
    )


def _rate(counts: pd.Series, of: pd.Series) -> Any:
    """Return a share as float; NaN where it is undefined."""
    return counts.astype("Float64").astype(float) / of.astype("Float64").astype(float).where(of > 0)


def with_labels(scores: pd.DataFrame, manifest: pd.DataFrame, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the scores with the manifest's columns beside them; where both have a column, the scores' is kept.

    Args:
        scores: of `score`, one row a sample.
        manifest: the set's rows.
        labels: which of its columns; default all.
    """
    wanted = [c for c in (manifest.columns if labels is None else labels) if c == "sample_id" or c not in scores]
    return scores.merge(
        manifest[list(dict.fromkeys(["sample_id", *wanted]))], on="sample_id", how="left", validate="1:1"
    )
