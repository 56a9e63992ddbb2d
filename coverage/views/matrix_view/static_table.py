"""The matrix as plain HTML tables: what shows where scripts do not run, and what is printed.

Conditions run downwards with their factors, accents across, at most so many a table that it fits a sheet of A4. Everything is said
in text: a count below its goal is written count/goal, so that no colour is needed to read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from roomtone.coverage.views.matrix_view.contract import Layer, MatrixData, Table, values
from roomtone.coverage.views.matrix_view.embed import escaped

#: Accents in one table.
MAX_ACROSS = 12
_KEY = ": ▲ worse off, ▽ better off, ≈ no gap, ? not enough data, ■ saturated"
_VERDICTS = {"worse": "▲", "better": "▽", "no_gap": "≈", "not_enough_data": "?", "saturated": "■"}


def static_tables(data: MatrixData, layer_ids: Sequence[str] = ()) -> str:
    """Return the tables of some layers, by default of the one that the component shows first.

    Args:
        data: what the component shows.
        layer_ids: the layers that become tables, in the data's order; none is the first one.
    """
    wanted = layer_ids or [data.first or data.layers[0].id]
    layers = [layer for layer in data.layers if layer.id in wanted]
    style = Path(__file__).with_name("static_table.css").read_text(encoding="utf-8")
    tables = "".join(_table(data, layer, rows) for layer in layers for rows in _chunks(len(data.row_names)))
    return f'<div class="roomtone-static"><style>\n{style}</style>{tables}</div>'


def _chunks(count: int) -> Iterator[range]:
    """Yield the rows of one table after another, evenly many in each."""
    size = math.ceil(count / max(1, math.ceil(count / MAX_ACROSS)))
    for start in range(0, count, max(1, size)):
        yield range(start, min(count, start + size))


def _table(data: MatrixData, layer: Layer, rows: range) -> str:
    heads = [factor.name for factor in data.factors] if len(data.factors) > 1 else [data.column_axis]
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in heads)
    head += "".join(f'<th scope="col" class="name" dir="auto">{breakable(data.row_names[r])}</th>' for r in rows)
    body = _margin_line(data, layer, rows, len(heads))
    body += "".join(
        _line(_labels(data, c, len(heads)), _cells(data, layer, rows, c), len(heads))
        for c in range(len(data.column_names))
    )
    unit = {"percent": ", %", "points": ", points"}.get(layer.format, "")
    caption = escaped(
        f"{layer.label}{unit}, by {data.column_axis} and {data.row_axis}{_KEY if layer.format == 'verdict' else ''}"
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _margin_line(data: MatrixData, layer: Layer, rows: range, width: int) -> str:
    """Return the line of the margin over all columns, empty where nobody knows it."""
    table = layer.fields["value"]
    if table.rows is None:
        return ""
    found = values(table.rows)
    return _line([f"all {data.column_axis}s"], [(_written(layer, found[r]), False) for r in rows], width)


def _cells(data: MatrixData, layer: Layer, rows: range, column: int) -> list[tuple[str, bool]]:
    """Return text and shortness of the cells of one column."""
    width = len(data.column_names)
    goals = layer.fields.get("goal")
    found = []
    for r in rows:
        value, goal = _at(layer.fields["value"], r * width + column), _at(goals, r * width + column) or 0
        short = bool(goal) and (value or 0) < goal
        text = _written(layer, value)
        found.append((f"{text}/{_written(layer, goal)}" if short and layer.format != "percent" else text, short))
    return found


def _at(table: Table | None, index: int) -> Any:
    return None if table is None else values(table.cells.ravel()[index : index + 1])[0]


def _written(layer: Layer, value: Any) -> str:
    if value is None:
        return "–"
    if layer.format == "verdict":
        return _VERDICTS.get(value, str(value))
    if layer.format in ("percent", "points"):
        # a goal that is not met never reads 100
        rounded = math.floor(100 * value + 0.5)
        return f"{min(rounded, 99) if layer.colour == 'goal' and value < 1 else rounded}"
    return f"{value:.1f}" if layer.format == "minutes" and value < 10 else f"{round(value):,}"


def _labels(data: MatrixData, column: int, width: int) -> list[str]:
    """Return the levels of a column, one a factor; the baseline has its name over all of them."""
    if width > 1 and column != data.baseline:
        return [factor.levels[factor.at[column]] for factor in data.factors]
    return [data.column_names[column]]


def _line(labels: Sequence[str], cells: Sequence[tuple[str, bool]], width: int) -> str:
    span = f' colspan="{width}"' if len(labels) < width else ""
    heads = "".join(f'<th scope="row" dir="auto"{span}>{breakable(label)}</th>' for label in labels)
    return f"<tr>{heads}{''.join(_td(*cell) for cell in cells)}</tr>"


def _td(text: str, short: bool) -> str:
    return f'<td class="short">{escaped(text)}</td>' if short else f"<td>{escaped(text)}</td>"


def breakable(name: str) -> str:
    """Return a name as HTML in which a line may break before `_` and `@` and after `+`."""
    return escaped(name).replace("_", "<wbr>_").replace("+", "+<wbr>").replace("@", "<wbr>@")
