"""A frame for fairlearn's MetricFrame: one row a scored sample, `accent` as sensitive and `condition` as control feature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.exports.job import ExportJob, write_lines

if TYPE_CHECKING:
    import pandas as pd

_FIRST = ("sample_id", "speaker", "accent", "condition", "reference", "hypothesis", "errors", "words")

_README = """\
# A frame for fairlearn

`samples.parquet` has one row a scored sample. Word error rate is a ratio of sums, so errors and words go in as sample parameters:

    import pandas as pd
    from fairlearn.metrics import MetricFrame

    frame = pd.read_parquet("samples.parquet")
    wer = lambda y_true, y_pred, errors, words: errors.sum() / words.sum()
    by_cell = MetricFrame(
        metrics={"wer": wer}, y_true=frame["reference"], y_pred=frame["hypothesis"],
        sensitive_features=frame[["accent"]], control_features=frame[["condition"]],
        sample_params={"wer": {"errors": frame["errors"], "words": frame["words"]}},
    )
    print(by_cell.by_group, by_cell.difference())

fairlearn's bootstrap draws rows as if speakers did not repeat, which makes its intervals too narrow here; the intervals of `roomtone
evaluate` rest on speakers.
"""


def write(job: ExportJob) -> list[Path]:
    """Write `samples.parquet` and a README with the call.

    Args:
        job: what is exported.

    Raises:
        RoomtoneError: the set has not been evaluated.
    """
    import pyarrow.parquet as pq

    if not job.evaluated:
        raise RoomtoneError("format=fairlearn needs errors and words; run `roomtone evaluate` on the set first")
    frame = frame_of(job.rows)
    path = job.to / "samples.parquet"
    pq.write_table(replace(job, rows=frame).table([str(name) for name in frame.columns]), path)
    return [path, write_lines(job.to / "README.md", _README.rstrip().splitlines())]


def frame_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the scored rows with `reference`, `errors` and the labels; failures are left out."""
    kinds = ("substitutions", "deletions", "insertions")
    scored = rows[rows["substitutions"].notna()].copy()
    scored["errors"] = sum((scored[kind].astype("int64") for kind in kinds), start=_zeros(scored))
    scored["words"] = (scored["hits"] + scored["substitutions"] + scored["deletions"]).astype("int64")
    scored = scored.rename(columns={"text": "reference"})
    rest = [c for c in scored if c not in _FIRST and c != "recipe"]
    frame: pd.DataFrame = scored[[*_FIRST, *rest]].reset_index(drop=True)
    return frame


def _zeros(frame: Any) -> Any:
    import pandas as pd

    return pd.Series(0, index=frame.index, dtype="int64")
