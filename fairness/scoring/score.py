"""From manifest and hypotheses to counts: substitutions, deletions, insertions, hits and reference words of each sample.

Counts first; a rate is a ratio of sums and is taken where it is shown. A sample without a hypothesis is a row with a
reason and null counts: a failure is not an empty hypothesis. An empty reference is defined: its words are 0, each word of the
hypothesis is an insertion, and its own rates are null.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.scoring.alignment import count_errors
from roomtone.fairness.scoring.normalize import normalizer as find_normalizer

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("substitutions", "deletions", "insertions", "hits", "words")
_SHOWN = 3


def score(
    manifest: pd.DataFrame,
    hypotheses: pd.DataFrame | Mapping[str, str | None],
    normalizer: str = "basic",
    *,
    allow_missing: bool = False,
) -> pd.DataFrame:
    """Return the counts of each sample, in the order of the manifest.

    Args:
        manifest: rows with `sample_id` and `text`.
        hypotheses: columns `sample_id` and `hypothesis`, a null one with its `reason`; or sample id -> hypothesis.
        normalizer: the name in `normalize.NORMALIZERS`, applied to both sides.
        allow_missing: samples without a hypothesis become failures with a reason, hypotheses of unknown samples are left out,
            and two different ones of one sample are a failure; otherwise each of these is an error.

    Returns:
        `sample_id, substitutions, deletions, insertions, hits, words` (whole numbers, null for a failure), then
        `hypothesis_words, repeated_words, insertion_rate, repetition_rate, reason, normalizer`. The insertion rate is a
        share of the reference's words, the repetition rate of the hypothesis's. `words` is known for failures too.

    Raises:
        RoomtoneError: ids that are missing, unknown or duplicate, with their count and the first few.
    """
    texts = _column(manifest, "text", "the manifest")
    ids = _column(manifest, "sample_id", "the manifest").astype(str)
    if ids.duplicated().any():
        raise RoomtoneError(
            f"the manifest has {int(ids.duplicated().sum())} duplicate sample ids, e.g. {_few(ids[ids.duplicated()])}"
        )
    answers = _answers(ids, hypotheses, allow_missing=allow_missing)
    words_of = find_normalizer(normalizer)
    references = [words_of.words(text) if isinstance(text, str) else [] for text in texts]
    heard = [words_of.words(text) if isinstance(text, str) else [] for text in answers["hypothesis"]]
    return _table(ids, answers, references, heard, words_of.label)


def _table(
    ids: pd.Series, answers: pd.DataFrame, references: list[list[str]], heard: list[list[str]], label: str
) -> pd.DataFrame:
    """Return the columns of `score`; counts of a sample without a hypothesis are null."""
    import pandas as pd

    counts = count_errors(references, heard)
    frame = pd.DataFrame({"sample_id": ids.to_numpy()})
    failed = answers["hypothesis"].isna().to_numpy()
    for name, values in zip(COUNTS[:4], (counts[:, 1], counts[:, 2], counts[:, 3], counts[:, 0])):
        frame[name] = pd.array(values, dtype="Int64")
        frame.loc[failed, name] = pd.NA
    frame["words"] = pd.array([len(words) for words in references], dtype="Int64")
    for name, values in (("hypothesis_words", [len(words) for words in heard]), ("repeated_words", counts[:, 4])):
        frame[name] = pd.array(values, dtype="Int64")
        frame.loc[failed, name] = pd.NA
    frame["insertion_rate"] = _rate(frame["insertions"], frame["words"])
    frame["repetition_rate"] = _rate(frame["repeated_words"], frame["hypothesis_words"])
    frame["reason"] = pd.Series(answers["reason"].tolist(), dtype=object)
    frame["normalizer"] = label
    return frame


def _rate(counts: pd.Series, of: pd.Series) -> Any:
    """Return a share as float; NaN where it is undefined."""
    return counts.astype("Float64").astype(float) / of.astype("Float64").astype(float).where(of > 0)


def _answers(ids: pd.Series, hypotheses: Any, *, allow_missing: bool) -> pd.DataFrame:
    """Return `hypothesis` and `reason` for each id, in order."""
    import pandas as pd

    given = _as_frame(hypotheses)
    given["sample_id"] = given["sample_id"].astype(str)
    problems = _problems(ids, given)
    if problems and (not allow_missing or not given["sample_id"].isin(set(ids)).any()):
        hint = "" if allow_missing else "; allow_missing=true scores the rest and reports these as lost coverage"
        raise RoomtoneError(f"the hypotheses do not fit the set: {'; '.join(problems)}{hint}")
    doubled = given.drop_duplicates().loc[lambda f: f["sample_id"].duplicated(), "sample_id"]
    given = given.drop_duplicates("sample_id").set_index("sample_id")
    at = given.index.isin(doubled)
    given.loc[at, "hypothesis"], given.loc[at, "reason"] = None, "two different hypotheses"
    out = given.reindex(ids.to_numpy())
    known = set(given.index)
    texts = [text if isinstance(text, str) else None for text in out["hypothesis"]]
    reasons = [
        None if text is not None else _reason(name in known, reason)
        for name, text, reason in zip(ids, texts, out["reason"])
    ]
    return pd.DataFrame({"hypothesis": texts, "reason": reasons}, dtype=object)


def _reason(asked: bool, given: Any) -> str:
    if not asked:
        return "no hypothesis"
    return given if isinstance(given, str) and given else "no reason given"


def _as_frame(hypotheses: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(hypotheses, Mapping):
        given = pd.DataFrame({"sample_id": list(hypotheses), "hypothesis": list(hypotheses.values())}, dtype=object)
    else:
        given = hypotheses.copy()
    _column(given, "sample_id", "the hypotheses")
    _column(given, "hypothesis", "the hypotheses")
    if "reason" not in given:
        given["reason"] = None
    given = given[["sample_id", "hypothesis", "reason"]].astype(object)
    wrong = given["hypothesis"].map(lambda text: not isinstance(text, str) and not pd.isna(text))
    if wrong.any():
        raise RoomtoneError(f"a hypothesis is a text or null, got {given.loc[wrong, 'hypothesis'].iloc[0]!r}")
    return given


def _problems(ids: pd.Series, given: pd.DataFrame) -> list[str]:
    known, named = set(ids), given["sample_id"]
    missing = ids[~ids.isin(set(named))]
    unknown = named[~named.isin(known)].drop_duplicates()
    twice = named[named.duplicated()].drop_duplicates()
    if len(ids) and len(missing) == len(ids):
        return [
            f"none of its {len(ids)} samples has one, e.g. {_few(ids)}; the ids of the hypotheses are {_few(named)}"
        ]
    kinds = (("samples have no hypothesis", missing), ("ids are unknown", unknown), ("ids are duplicates", twice))
    return [f"{len(found)} {what}, e.g. {_few(found)}" for what, found in kinds if len(found)]


def _few(ids: Any) -> str:
    return ", ".join(map(repr, list(ids)[:_SHOWN])) + (", …" if len(ids) > _SHOWN else "")


def _column(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    if name not in frame:
        raise RoomtoneError(f"{where}: there is no column {name!r}; {nearest(name, map(str, frame.columns))}")
    return frame[name]


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


def read_hypotheses(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return `sample_id`, `hypothesis` and, where there is one, `reason` of a CSV, TSV, JSON Lines or Parquet file.

    In CSV and TSV an empty hypothesis is an empty answer; only JSON Lines and Parquet can hold a null one.

    Raises:
        RoomtoneError: no such file, a kind that is not read, or columns that are missing.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise RoomtoneError(f"{file}: there is no such file of hypotheses")
    kind = file.suffix.lower()
    try:
        if kind in (".csv", ".tsv"):
            frame = pd.read_csv(file, sep="," if kind == ".csv" else "\t", dtype=str, keep_default_na=False)
        elif kind in (".jsonl", ".ndjson"):
            lines = file.read_text(encoding="utf-8").splitlines()
            frame = pd.DataFrame([json.loads(line) for line in lines if line.strip()], dtype=object)
        elif kind == ".parquet":
            frame = pd.read_parquet(file)
        else:
            raise RoomtoneError(f"{file}: hypotheses come as .csv, .tsv, .jsonl or .parquet, got {kind!r}")
    except (ValueError, OSError) as error:
        raise RoomtoneError(f"{file}: not readable as {kind[1:]} ({str(error).splitlines()[0]})") from error
    _column(frame, "sample_id", str(file))
    _column(frame, "hypothesis", str(file))
    if "reason" in frame and kind in (".csv", ".tsv"):
        frame.loc[frame["reason"] != "", "hypothesis"] = None
    return frame[[c for c in ("sample_id", "hypothesis", "reason") if c in frame]]
