"""The trend over several reports: their matrices, oldest first, and today's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from roomtone.coverage.counting.goals import UNITS

if TYPE_CHECKING:
    import pandas as pd


def trend(reports: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row a report: how many cells met their goals then, and what the set held.

    Each matrix is measured against its own goals, which are in it; `cells` and `goals` say where these changed.

    Args:
        reports: (name, frame of `CoverageMatrix.to_frame` or of `read_matrix_csv`), the oldest first.

    Returns:
        `report`, `cells` (with a goal), `covered`, `share`, `progress`, `goals` (sum of all goals), and the sum of each unit.
    """
    import pandas as pd

    rows = []
    for name, frame in reports:
        share = frame["covered_share"].to_numpy(float)
        aimed = np.isfinite(share)
        weight = frame["weight"].to_numpy(float)[aimed] if "weight" in frame else np.ones(int(aimed.sum()))
        total = float(weight.sum())
        rows.append(
            {
                "report": name,
                "cells": int(aimed.sum()),
                "covered": int((share[aimed] >= 1).sum()),
                "share": float((weight * (share[aimed] >= 1)).sum()) / total if total > 0 else None,
                "progress": float((weight * share[aimed]).sum()) / total if total > 0 else None,
                "goals": float(sum(frame[f"goal_{u}"].sum() for u in UNITS if f"goal_{u}" in frame)),
                **{unit: float(frame[unit].sum()) for unit in UNITS if unit in frame},
            }
        )
    return pd.DataFrame(rows)


def trend_lines(frame: pd.DataFrame) -> list[str]:
    """Return the trend as text, a line a report.

    Args:
        frame: what `trend` returned.
    """
    lines = []
    for row in frame.to_dict("records"):
        share = "no goals" if row["share"] is None or row["share"] != row["share"] else f"{100 * row['share']:.1f} %"
        lines.append(
            f"{row['report']}: {row['covered']:,} of {row['cells']:,} cells meet their goals ({share}), "
            f"{row['renders']:,.0f} renders, {row['minutes']:,.1f} min"
        )
    return lines


def trend_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the trend as a small table to be read: one row a report.

    Args:
        frame: what `trend` returned.
    """
    share = frame["share"].map(lambda value: "no goals" if value is None or value != value else f"{100 * value:.1f} %")
    found = frame[["report"]].copy()
    found["cells that meet their goals"] = [f"{row.covered:,} of {row.cells:,}" for row in frame.itertuples()]
    found["share"] = share
    for unit in ("renders", "utterances"):
        if unit in frame:
            found[unit] = frame[unit].map("{:,.0f}".format)
    return found
