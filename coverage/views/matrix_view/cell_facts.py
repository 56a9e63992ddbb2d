"""What is known of all samples of a cell together, beside its counts: how measured numbers spread, and what was rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.profile.distributions import cell_distributions
from roomtone.coverage.profile.planned import planned_and_achieved
from roomtone.coverage.views.matrix_view.contract import Spread
from roomtone.coverage.views.matrix_view.layout import Layout, cell_numbers
from roomtone.coverage.views.matrix_view.pictures import PEAK_SIGNS

#: label, unit, digits, measured column, column of what was asked, factor
MEASURES = (
    ("SNR", "dB", 1, "measured_snr_db", "snr_db", 1),
    ("equipment SNR", "dB", 1, "measured_equipment_snr_db", "equipment_snr_db", 1),
    ("T30", "s", 2, "measured_t30_s", "t60_s", 1),
    ("C50", "dB", 1, "measured_c50_db", None, 1),
    ("DRR", "dB", 1, "measured_drr_db", None, 1),
    ("level", "dBov", 1, "active_level_dbov", None, 1),
    ("noise floor", "dBov", 1, "measured_noise_floor_dbov", None, 1),
    ("bandwidth", "kHz", 1, "measured_bandwidth_hz", None, 0.001),
    ("clipped", "%", 2, "clipped_share", None, 100),
    ("codec", "", 0, "measured_codec", None, 1),
    ("lost packets", "%", 1, "measured_lost_share", None, 100),
)
#: Bars of a histogram.
BARS = 16
_QUANTILES = ("q05", "q25", "q50", "q75", "q95")
#: Nine in ten of fewer samples say nothing: their least and greatest value stand in for the outer quantiles.
FEW = 20
_WHOLE = ("min", "q25", "q50", "q75", "max")


def spreads(
    source: OpenSource, axes: Sequence[Axis], layout: Layout, further: Sequence[str] = ()
) -> tuple[list[Spread], dict[int, list[Any]]]:
    """Return the numbers whose spread cells show, and for each cell their spreads: `[count, five quantiles, bars]` or None.

    Of fewer than `FEW` samples the outer quantiles are the least and the greatest value.

    Args:
        source: an open source.
        axes: of the matrix, in its order.
        layout: of its grid.
        further: columns of numbers beside those that a manifest measures.
    """
    heads: list[Spread] = []
    cells: dict[int, list[Any]] = {}
    for label, unit, digits, column, factor in _columns(source, further):
        try:
            frame = cell_distributions(source, axes, column, bins=BARS)
        except RoomtoneError:  # a column without any number
            continue
        low, high = float(frame["min"].min()), float(frame["max"].max())
        # rounded as the quantiles are, so that no quantile is written as beyond an end
        heads.append(Spread(label, unit, digits, round(low * factor, digits + 1), round(high * factor, digits + 1)))
        keys = frame[[axis.column for axis in axes]].to_numpy()
        place = cell_numbers(layout)
        for key, row in zip(keys, frame.to_dict("records")):
            own = cells.setdefault(place({f"axis_{i}": value for i, value in enumerate(key)}), [])
            own += [None] * (len(heads) - 1 - len(own))
            names = _WHOLE if row["count"] < FEW else _QUANTILES
            quantiles = [round(row[name] * factor, digits + 1) for name in names]
            own.append([int(row["count"]), *quantiles, _bars(row["histogram"])])
    return heads, cells


def _columns(source: OpenSource, further: Sequence[str]) -> list[tuple[str, str, int, str, float]]:
    """Return label, unit, digits, column, factor of the numbers that a source has; what was asked stands for what nobody measured."""
    found = []
    for label, unit, digits, measured, asked, factor in MEASURES:
        if measured in source.columns and unit:
            found.append((label, unit, digits, measured, factor))
        elif asked in source.columns:
            found.append((f"{label} as stated", unit, digits, str(asked), factor))
    known = {column for *_, column, _ in found}
    return found + [(name, "", 2, name, 1.0) for name in further if name not in known]


def _bars(counts: Sequence[int]) -> str:
    """Return a histogram as text, a sign a bar, the highest 63; a bar that holds anything shows."""
    top = max(counts)
    return "".join(PEAK_SIGNS[max(1, round(63 * count / top)) if count else 0] for count in counts)


def rejections(source: OpenSource, axes: Sequence[Axis], layout: Layout, dataset: str) -> dict[int, list[Any]]:
    """Return `[rejected, planned, most frequent reason]` of each cell of which samples were rejected.

    Args:
        source: an open source.
        axes: of the matrix, in its order.
        layout: of its grid.
        dataset: the set's folder.

    Raises:
        RoomtoneError: a file of rejected samples that is no JSON.
    """
    place = cell_numbers(layout)
    found: dict[int, list[Any]] = {}
    table = planned_and_achieved(source, axes, dataset)
    for row in table[table["rejected"] > 0].to_dict("records"):
        try:
            cell = place({f"axis_{i}": row[axis.column] for i, axis in enumerate(axes)})
        except KeyError:  # its speech is of no accent that the matrix has
            continue
        found[cell] = [int(row["rejected"]), int(row["planned"]), str(row["reason"])]
    return found


def hole_notes(holes: Any, axes: Sequence[str], layout: Layout) -> dict[str, Any] | None:
    """Return owners and notes of holes: `texts`, [owner, note] each, and `of`, cell -> which of them; None where nobody left any.

    Args:
        holes: one row a hole, with `owner` and `note` where `holes.yaml` was read.
        axes: names of the matrix's axes, in its order.
        layout: of its grid.
    """
    if "owner" not in holes:
        return None
    place = cell_numbers(layout)
    texts: dict[tuple[str | None, str | None], int] = {}
    of: dict[str, int] = {}
    for row in holes[holes["owner"].notna() | holes["note"].notna()].to_dict("records"):
        told = (_said(row, "owner"), _said(row, "note"))
        cell = place({f"axis_{i}": row[axis] for i, axis in enumerate(axes)})
        of[str(cell)] = texts.setdefault(told, len(texts))
    return {"texts": [list(text) for text in texts], "of": of} if texts else None


def _said(row: Mapping[Any, Any], key: str) -> str | None:
    return row[key] if isinstance(row[key], str) else None
