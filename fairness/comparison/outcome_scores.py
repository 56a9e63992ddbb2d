"""Any outcome that a sample can have (task success, entity found, a judge's score): a table of scores from 0 to 1, one a sample."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.hypotheses import few, read_samples

if TYPE_CHECKING:
    import pandas as pd

#: The column of the shortfall, one less the score: like an error rate, more of it is worse.
SHORTFALL = "outcome_lost"


def read_outcome(path: str | os.PathLike[str], ids: pd.Series) -> pd.Series:
    """Return one less the score of each sample, null where it has none, in the order of the ids.

    Args:
        path: of a table (.csv, .tsv, .jsonl, .parquet) with the columns `sample_id` and `score`, from 0 (failed) to 1 (succeeded).
        ids: of the samples.

    Raises:
        RoomtoneError: no such table or column, a score outside of 0 to 1, or ids that are unknown or duplicate.
    """
    import pandas as pd

    table = read_samples(path, "score", "outcomes")
    where = f"outcome: {os.fspath(path)}"
    names, scores = table["sample_id"].astype(str), table["score"].replace("", None)
    numbers = pd.to_numeric(scores, errors="coerce")
    wrong = scores[scores.notna() & ~numbers.between(0, 1)]
    if len(wrong):
        raise RoomtoneError(f"{where}: a score is a number from 0 to 1 or empty, got {wrong.iloc[0]!r} (in per cent?)")
    for kind, found in (("unknown", names[~names.isin(set(ids))]), ("there twice", names[names.duplicated()])):
        if len(found):
            raise RoomtoneError(f"{where}: {len(found)} ids are {kind}, e.g. {few(found)}; the set's are {few(ids)}")
    return 1 - pd.Series(numbers.to_numpy(float), index=names).reindex(ids.astype(str)).set_axis(ids.index)
