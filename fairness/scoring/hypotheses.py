"""Hypotheses as they come in: a table, a mapping or a file, matched to the samples of a set; what does not fit is named."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.printable import storable_text

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3


def match_hypotheses(ids: pd.Series, hypotheses: Any, *, allow_missing: bool) -> pd.DataFrame:
    """Return `hypothesis` and `reason` for each sample, in the order of the ids.

    Args:
        ids: of the samples.
        hypotheses: columns `sample_id`, `hypothesis` and perhaps `reason`; or sample id -> hypothesis.
        allow_missing: report what does not fit as a reason instead of an error.

    Raises:
        RoomtoneError: ids that are missing, unknown or duplicate, with their count and the first few; a column that is missing.
    """
    import pandas as pd

    given = _as_frame(hypotheses)
    given["sample_id"] = given["sample_id"].astype(str).astype(object)
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
        given = hypotheses.copy() if hasattr(hypotheses, "columns") else hypotheses
    column(given, "sample_id", "the hypotheses")
    column(given, "hypothesis", "the hypotheses")
    if "reason" not in given:
        given["reason"] = None
    given = given[["sample_id", "hypothesis", "reason"]].astype(object)
    wrong = given["hypothesis"].map(
        lambda text: not isinstance(text, str) and not (pd.api.types.is_scalar(text) and pd.isna(text))
    )
    if wrong.any():
        raise RoomtoneError(f"a hypothesis is a text or null, got {given.loc[wrong, 'hypothesis'].iloc[0]!r}")
    return given


def _problems(ids: pd.Series, given: pd.DataFrame) -> list[str]:
    known, named = set(ids), given["sample_id"]
    missing = ids[~ids.isin(set(named))]
    unknown = named[~named.isin(known)].drop_duplicates()
    twice = named[named.duplicated()].drop_duplicates()
    if len(ids) and len(missing) == len(ids):
        return [f"none of its {len(ids)} samples has one, e.g. {few(ids)}; the ids of the hypotheses are {few(named)}"]
    kinds = (("samples have no hypothesis", missing), ("ids are unknown", unknown), ("ids are duplicates", twice))
    return [f"{len(found)} {what}, e.g. {few(found)}" for what, found in kinds if len(found)]


def few(ids: Any) -> str:
    """Return the first few of some ids, for a message.

    Args:
        ids: any sequence.
    """
    return ", ".join(map(repr, list(ids)[:_SHOWN])) + (", …" if len(ids) > _SHOWN else "")


def column(frame: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Return a column of a table that came in.

    Args:
        frame: the table.
        name: of the column.
        where: what the table is, for the message.

    Raises:
        RoomtoneError: it is no table, or has no such column.
    """
    if not hasattr(frame, "columns"):
        raise RoomtoneError(f"{where}: expected a DataFrame, got {frame!r}")
    if name not in frame:
        raise RoomtoneError(f"{where}: there is no column {name!r}; {nearest(name, map(str, frame.columns))}")
    return frame[name]


def read_hypotheses(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return `sample_id`, `hypothesis` and, where there is one, `reason` of a CSV, TSV, JSON Lines or Parquet file.

    In CSV and TSV an empty hypothesis is an empty answer; only JSON Lines and Parquet can hold a null one.

    Args:
        path: of a CSV, TSV, JSON Lines or Parquet file.

    Raises:
        RoomtoneError: no such file, a kind that is not read, or columns that are missing.
    """
    frame = read_samples(path, "hypothesis", "hypotheses")
    if "reason" in frame and Path(path).suffix.lower() in (".csv", ".tsv"):
        frame.loc[frame["reason"] != "", "hypothesis"] = None
    frame = frame[[c for c in ("sample_id", "hypothesis", "reason") if c in frame]]
    return frame.map(lambda value: storable_text(value) if isinstance(value, str) else value)


def read_samples(path: str | os.PathLike[str], name: str, what: str) -> pd.DataFrame:
    """Return a table with one row a sample: `sample_id`, the column `name`, and whatever else it holds. CSV and TSV hold texts.

    Args:
        path: of a CSV, TSV, JSON Lines or Parquet file.
        name: the column that it must have.
        what: its rows are called, in messages.

    Raises:
        RoomtoneError: no such file, a kind that is not read, or columns that are missing.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise RoomtoneError(f"{file}: there is no such file of {what}")
    kind = file.suffix.lower()
    try:
        if kind in (".csv", ".tsv"):
            with open_regular(file) as opened:
                frame = pd.read_csv(opened, sep="," if kind == ".csv" else "\t", dtype=str, keep_default_na=False)
        elif kind in (".jsonl", ".ndjson"):
            with open_bounded_text(file) as text:
                rows = [json.loads(line) for line in text if line.strip()]
            if not all(isinstance(row, dict) for row in rows):
                raise RoomtoneError(f"{file}: each line is a JSON object with sample_id and {name}")
            frame = pd.DataFrame(rows, dtype=object)
        elif kind == ".parquet":
            with open_regular(file) as opened:
                check_footer(opened, str(file))
                frame = pd.read_parquet(opened)
        else:
            raise RoomtoneError(f"{file}: {what} come as .csv, .tsv, .jsonl or .parquet, got {kind!r}")
    except RoomtoneError:
        raise
    except Exception as error:  # pandas believes the metadata of a Parquet file, which may be anything
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise RoomtoneError(f"{file}: not readable as {kind[1:]} ({said})") from error
    lacking = [one for one in ("sample_id", name) if one not in frame]
    if lacking:
        known = nearest(lacking[0], map(str, frame.columns))
        raise RoomtoneError(
            f"{file}: there is no column {' and none '.join(map(repr, lacking))}; {known}; rename columns to sample_id (as in the set's manifest) and {name}"
        )
    return frame
