"""What an evaluation leaves in a dataset folder, below `evaluation/`: scores, hypotheses, tables, reports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import open_regular, read_json
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote, write_whole
from roomtone.coverage.views.csv_tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "evaluation"
_COUNTS = ("substitutions", "deletions", "insertions", "hits", "words")
#: No sample has more words.
_MOST_WORDS = 10_000_000


def local_set(dataset: str | os.PathLike[str]) -> Path:
    """Return the folder of a set.

    Args:
        dataset: folder of a set; no URL.

    Raises:
        RoomtoneError: it is a URL; results are written beside the set, and a report's player looks for audio there.
    """
    if not isinstance(dataset, str | os.PathLike):
        raise RoomtoneError(f"dataset: expected the folder of a set, got {dataset!r}")
    if is_remote(str(dataset)):
        raise RoomtoneError(
            f"dataset: {str(dataset)!r} is a URL; evaluate and export work on a folder, so copy the set first"
        )
    return Path(dataset)


def evaluation_dir(dataset: str | os.PathLike[str], to: str | None = None) -> Path:
    """Return the folder of a set's evaluation.

    Args:
        dataset: folder of a set.
        to: a folder of its own in the set, for one evaluation of several; its name begins with `evaluation-`.

    Raises:
        RoomtoneError: a folder elsewhere, or of another name.
    """
    if to is None:
        return Path(dataset) / FOLDER
    folder = Path(to)
    if folder.parent == Path("."):
        folder = Path(dataset) / folder
    if folder.resolve().parent != Path(dataset).resolve() or not folder.name.startswith(f"{FOLDER}-"):
        raise RoomtoneError(f"to: {to!r} is no folder of the set's evaluations; write to={dataset}/{FOLDER}-NAME")
    return Path(dataset) / folder.name


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV whose texts no spreadsheet runs, and return the path.

    Args:
        table: of any columns.
        path: where.
    """
    return write_csv(table, path)


def write_scores(folder: Path, scores: pd.DataFrame, hypotheses: pd.DataFrame) -> Path:
    """Write the counts with the hypotheses beside them to `scores/part-00000.parquet`, whole or not at all; return the path.

    Args:
        folder: of the evaluation.
        scores: of `score`.
        hypotheses: `sample_id` and `hypothesis`.
    """
    table = scores.merge(hypotheses[["sample_id", "hypothesis"]], on="sample_id", how="left")
    return write_whole(folder / "scores" / "part-00000.parquet", table.to_parquet(index=False))


def last_recogniser(folder: Path) -> dict[str, Any] | None:
    """Return what decided the hypotheses of a folder's last report, or None where there is none.

    Args:
        folder: of the evaluation.
    """
    try:
        found = read_json(folder / "evaluation.json")["recogniser"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) and (folder / "report.html").is_file() else None


def read_evaluation(dataset: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Return the counts and hypotheses of a set's last evaluation, or None where there is none.

    Args:
        dataset: folder of a set.
    """
    return read_scores(evaluation_dir(dataset))


def read_scores(folder: Path) -> pd.DataFrame | None:
    """Return the counts and hypotheses of an evaluation, or None where there are none.

    Args:
        folder: of the evaluation.
    """
    import pandas as pd

    parts = sorted((folder / "scores").glob("part-*.parquet"))
    return pd.concat([_part(part) for part in parts], ignore_index=True) if parts else None


def _part(path: Path) -> pd.DataFrame:
    """Return a table of scores, which a stranger may have written: counts are numbers or null, and each sample is there once.

    Raises:
        RoomtoneError: another table, or none.
    """
    import pandas as pd

    try:
        with open_regular(path) as file:
            check_footer(file, str(path))
            frame = pd.read_parquet(file)
    except Exception as error:  # pandas believes the metadata of a file, which may be anything
        raise RoomtoneError(f"{path}: not readable as scores ({' '.join(str(error).split())[:200]})") from error
    for name in ("sample_id", *_COUNTS):
        if name not in frame:
            raise RoomtoneError(f"{path}: not a table of scores, it has no column {name!r}; evaluate the set again")
    for name in _COUNTS:
        numbers = frame[name].dropna()
        if not pd.api.types.is_numeric_dtype(frame[name]) or not numbers.between(0, _MOST_WORDS).all():
            raise RoomtoneError(f"{path}: column {name!r} holds no counts; evaluate the set again")
    if not all(isinstance(one, str) for one in frame["sample_id"]) or frame["sample_id"].duplicated().any():
        raise RoomtoneError(f"{path}: a sample is there twice, or has no name; evaluate the set again")
    return frame
