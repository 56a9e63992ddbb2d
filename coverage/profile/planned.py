"""What was planned of each cell beside what came of it: rendered, or rejected with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis, identifier
from roomtone.coverage.counting.cells import axis_columns, has_several_accents
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd


def planned_and_achieved(source: OpenSource, axes: Sequence[Axis], dataset: str) -> pd.DataFrame:
    """Return one row a cell of a set: what was planned, what of it was rendered and rejected, and the most frequent reason.

    A rejected sample has no labels but its condition; those of its speech are taken from the other samples of its utterance.

    Args:
        source: the set, open.
        axes: the axes of the matrix: speech columns, `condition` and factors.
        dataset: the set's folder, which holds `rejected/`.

    Returns:
        the axes, `planned`, `rendered`, `rejected`, `reason` (of most of the rejected).

    Raises:
        RoomtoneError: a file of rejected samples that is no JSON.
    """
    import pandas as pd

    names = [f"axis_{i}" for i in range(len(axes))]
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    counts = (
        f"SELECT {', '.join(names)}, count(*) AS rendered FROM (SELECT {listed} FROM {source.relation}) GROUP BY ALL"
    )
    rendered = source.connection.execute(counts).df().set_index(names)["rendered"]
    rejected = _rejected(Path(dataset))
    lost = _labelled(source, axes, rejected, names) if rejected else pd.DataFrame(columns=[*names, "reason"])
    of_cell = lost.groupby(names)
    gone = of_cell.size().rename("rejected")
    reasons = of_cell["reason"].agg(lambda reason: reason.value_counts().index[0]) if len(lost) else gone
    frame = pd.concat([rendered, gone, reasons.rename("reason")], axis=1).reset_index()
    for column in ("rendered", "rejected"):
        frame[column] = frame[column].fillna(0).astype(int)
    frame.insert(len(names), "planned", frame["rendered"] + frame["rejected"])
    frame["reason"] = frame["reason"].where(frame["rejected"] > 0)
    renamed: pd.DataFrame = frame.rename(columns={name: axis.column for name, axis in zip(names, axes)})
    return renamed.sort_values([axis.column for axis in axes], ignore_index=True)


def _rejected(dataset: Path) -> list[dict[str, object]]:
    found = []
    for path in sorted((dataset / "rejected").glob("part-*.jsonl")):
        try:
            with open_regular(path) as file:
                found += [json.loads(line) for line in file.read().splitlines() if line.strip()]
        except (OSError, ValueError, RecursionError) as error:
            raise RoomtoneError(f"{path}: not readable as JSON lines ({error})") from error
    return found


def _labelled(
    source: OpenSource, axes: Sequence[Axis], rejected: list[dict[str, object]], names: list[str]
) -> pd.DataFrame:
    """Return rejected samples with their values on every axis."""
    import pandas as pd

    lost = pd.DataFrame(rejected).reindex(columns=["utterance_id", "condition", "reason"]).astype(str)
    parts = []
    for axis in axes:
        by = "condition" if axis.rendered else "utterance_id"
        if axis.column == "condition":
            lost["axis"] = lost["condition"].map(lambda value: [value])
        else:
            # several samples of one utterance, or of one condition, agree in what belongs to it
            known = source.connection.execute(
                f"SELECT CAST({identifier(by)} AS VARCHAR) AS k, any_value({axis.parts_sql()}) AS v FROM {source.relation} GROUP BY ALL"
            ).df()
            table = dict(zip(known["k"], known["v"]))
            lost["axis"] = lost[by].map(lambda key, table=table, axis=axis: list(table.get(key, [axis.missing])))
        parts.append(lost["axis"])
    frame = lost[["reason"]].copy()
    for name, values in zip(names, parts):
        frame[name] = values
    for name in names:
        frame = frame.explode(name)
    return frame
