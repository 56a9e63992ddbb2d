"""What changed between two matrices, with changed goals kept apart from changed counts.

A goal that is lowered closes holes on paper only. So a hole counts as closed, or as new, by comparing both sets' counts
against one and the same goal; goals that were edited are a list of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import printable
from roomtone.coverage.counting.goals import UNITS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class MatrixDiff:
    """Frames of cells, each with the axes' columns.

    Attributes:
        added, removed: cells that only one of the two has.
        goals: cells whose goal was edited: `unit, before, after`.
        counts: cells whose counts changed: one column a unit, after minus before.
        closed: holes that more samples closed, under today's goals.
        new_holes: cells that met their goal before and do not now, under the goal of then or of today, and added ones
            that are holes.
        tway: strength -> (share before, share after), where both are known.
    """

    added: pd.DataFrame
    removed: pd.DataFrame
    goals: pd.DataFrame
    counts: pd.DataFrame
    closed: pd.DataFrame
    new_holes: pd.DataFrame
    tway: dict[str, tuple[float, float]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the difference as text, one line a kind, counts by unit."""
        lines = [
            f"cells added {len(self.added)}, removed {len(self.removed)}",
            f"counts changed in {len(self.counts)} cells: "
            + ", ".join(f"{self.counts[u].sum():+g} {u}" for u in UNITS),
            f"holes closed by samples {len(self.closed)}, new holes {len(self.new_holes)}",
            f"goals edited in {self.goals.drop(columns=['unit', 'before', 'after']).drop_duplicates().shape[0]} cells",
        ]
        return lines + [f"{t}-way {_percent(a)} -> {_percent(b)}" for t, (a, b) in self.tway.items()]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def diff_matrices(
    before: pd.DataFrame,
    after: pd.DataFrame,
    axes: Sequence[str],
    *,
    tway_before: Mapping[str, float] | None = None,
    tway_after: Mapping[str, float] | None = None,
) -> MatrixDiff:
    """Return what changed from one frame of `CoverageMatrix.to_frame` to another over the same axes.

    Args:
        before, after: frames of `CoverageMatrix.to_frame`.
        axes: the axes' columns.
        tway_before, tway_after: strength -> total t-way coverage, a share.

    Raises:
        RoomtoneError: the frames have other axes.
    """
    import pandas as pd

    keys = list(axes)
    for name, frame in (("baseline", before), ("matrix", after)):
        own = list(frame.columns[: list(frame.columns).index("renders")])
        if own != keys:
            raise RoomtoneError(f"{name}: its axes are {', '.join(own)}, not {', '.join(keys)}; compare like with like")
    # a CSV shows control characters as escapes, so both sides do
    shown = [
        frame.assign(**{key: frame[key].map(lambda value: printable(str(value))) for key in keys})
        for frame in (before, after)
    ]
    both = shown[0].merge(shown[1], on=keys, how="outer", suffixes=("_then", "_now"), indicator=True)
    then = {u: both[f"{u}_then"].fillna(0).to_numpy(float) for u in UNITS}
    now = {u: both[f"{u}_now"].fillna(0).to_numpy(float) for u in UNITS}
    goal_then = {u: both[f"goal_{u}_then"].fillna(0).to_numpy(float) for u in UNITS}
    goal_now = {u: both[f"goal_{u}_now"].fillna(0).to_numpy(float) for u in UNITS}
    common = (both["_merge"] == "both").to_numpy()
    added = (both["_merge"] == "right_only").to_numpy()
    lost = (_met(then, goal_then) & ~_met(now, goal_then)) | (_met(then, goal_now) & ~_met(now, goal_now))
    gained = ~_met(then, goal_now) & _met(now, goal_now)
    aimed = np.any([goal_now[u] > 0 for u in UNITS], axis=0)
    deltas = both[keys].assign(**{u: now[u] - then[u] for u in UNITS})
    edits = [
        both.loc[common & (goal_then[u] != goal_now[u]), keys].assign(
            unit=u,
            before=goal_then[u][common & (goal_then[u] != goal_now[u])],
            after=goal_now[u][common & (goal_then[u] != goal_now[u])],
        )
        for u in UNITS
    ]
    then_tway, now_tway = tway_before or {}, tway_after or {}
    shares = {t: (then_tway[t], now_tway[t]) for t in then_tway if t in now_tway}
    return MatrixDiff(
        added=both.loc[added, keys].reset_index(drop=True),
        removed=both.loc[(both["_merge"] == "left_only").to_numpy(), keys].reset_index(drop=True),
        goals=pd.concat(edits, ignore_index=True),
        counts=deltas[np.any([now[u] != then[u] for u in UNITS], axis=0)].reset_index(drop=True),
        closed=both.loc[gained, keys].reset_index(drop=True),
        new_holes=both.loc[(common & lost) | (added & aimed & ~_met(now, goal_now)), keys].reset_index(drop=True),
        tway=shares,
    )


def _met(counts: Mapping[str, np.ndarray], goals: Mapping[str, np.ndarray]) -> np.ndarray:
    # a CSV keeps minutes to the digits it prints; a millionth is far below one sample's duration
    met: np.ndarray = np.all([counts[u] >= goals[u] - (1e-6 if u == "minutes" else 0) for u in UNITS], axis=0)
    return met
