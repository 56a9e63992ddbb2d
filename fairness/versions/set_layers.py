"""What `roomtone compare` found last, as layers of the set's own matrix page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.coverage.views.matrix_view import EvaluationView, Layer
from roomtone.coverage.views.matrix_view.layout import Layout
from roomtone.fairness.report.matrix import result_table
from roomtone.fairness.versions.page import ChangeTables


def with_changes(view: EvaluationView | None, dataset: str | Path, axes: Sequence[str]) -> EvaluationView | None:
    """Return a view of a set with the layers of its last comparison of two evaluations behind it; as it is where there is none.

    Args:
        view: of the set's evaluation; None where it has none.
        dataset: the set's folder.
        axes: the columns that the matrix crosses; changes of other ones, or on the scale of ratios, are not shown.
    """
    tables = _last_changes(Path(dataset), axes)
    if tables is None:
        return view
    before = view or EvaluationView(lambda layout: ())

    def layers(layout: Layout) -> Sequence[Layer]:
        return [*before.layers(layout), *tables.layers(layout.row_names, layout.column_names)]

    return replace(before, layers=layers)


def _last_changes(dataset: Path, axes: Sequence[str]) -> ChangeTables | None:
    """Return the newest comparison of a set that fits the axes."""
    for file in sorted(dataset.glob("evaluation*/*/changes.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            stated: Any = read_json(file)
            settings, names = stated["settings"], [str(stated[side]["name"]) for side in ("b", "a")]
            if tuple(axes) != (settings["group"], settings["condition"]) or settings["scale"] != "difference":
                continue
            cells, accents = (result_table(file.with_name(f"{name}.csv"), tuple(axes)) for name in ("cells", "accents"))
            if not {*axes, "change", "gap_change"} <= set(cells) & set(accents):
                continue
        except (OSError, ValueError, KeyError, TypeError):
            continue
        since = f", {names[0]} against {names[1]}"
        return ChangeTables(cells, accents, settings["group"], settings["condition"], since)
    return None
