"""One HTML page of a matrix: click a cell, see and hear its samples. Self-contained, no network, everything escaped.

The data lie in one JSON block; names and transcripts reach the page as text nodes only. Audio is played from the set by relative
path, so the page works wherever the set lies, as long as it stays inside it.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from roomtone.core.dataset.manifest import is_remote
from roomtone.core.files import write_whole
from roomtone.coverage.counting.cells import sample_rows
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.counting.source import audio_root, open_source
from roomtone.coverage.report.terminal import figure_lines
from roomtone.coverage.views.players import is_member

if TYPE_CHECKING:
    from roomtone.coverage.matrix import CoverageMatrix

#: Samples that a page lists; each cell gets an equal share, and says how many more there are.
MAX_SAMPLES = 20_000
MAX_PER_CELL = 25


def write_page(matrix: CoverageMatrix, path: str | os.PathLike[str], *, extra: list[str] | None = None) -> Path:
    """Write the page of a matrix; `extra` are further lines of text, e.g. t-way figures and gates. Return the path."""
    from jinja2 import Environment, StrictUndefined

    target = Path(path)
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(template).render(
        title=f"Coverage of {matrix.where}",
        lines=[*figure_lines(matrix.figures), *(extra or [])],
        holes=matrix.patterns()[:200],
        data=script_json(_data(matrix, target.parent)),
    )
    return write_whole(target, text.encode())


def script_json(data: Any) -> Any:
    """Return JSON that can stand inside a script element: no text in it can close the element or start a comment."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # every sign that HTML knows is gone by now


def _data(matrix: CoverageMatrix, folder: Path) -> dict[str, Any]:
    frame = matrix.to_frame()
    goals = [unit for unit in UNITS if (frame[f"goal_{unit}"] > 0).any()]
    return {
        "axes": list(matrix.axes),
        "levels": list(matrix.levels.values()),
        "units": list(UNITS),
        "goals": goals,
        "counts": {unit: _numbers(frame[unit]) for unit in UNITS},
        "goal": {unit: _numbers(frame[f"goal_{unit}"]) for unit in goals},
        "share": _numbers(frame["covered_share"]),
        "status": frame["status"].tolist(),
        "samples": _samples(matrix, folder),
    }


def _numbers(column: Any) -> list[float | int | None]:
    return [None if math.isnan(v) else round(v, 3) for v in column.tolist()]


def _samples(matrix: CoverageMatrix, folder: Path) -> dict[str, list[list[Any]]]:
    """Return cell number -> samples as [id, speaker, text, seconds, audio path or null]."""
    filled = max(int((matrix.grid.frame["renders"] > 0).sum()), 1)
    per_cell = max(1, min(MAX_PER_CELL, MAX_SAMPLES // filled))
    columns = ["sample_id", "speaker", "text", "duration_s", "audio_path"]
    with open_source(matrix.source) as opened:
        rows = sample_rows(opened, matrix._axes, columns, per_cell)
    places = [{value: i for i, value in enumerate(values)} for values in matrix.grid.levels]
    found: dict[str, list[list[Any]]] = {}
    for row in rows.to_dict("records"):
        cell = 0
        for i, place in enumerate(places):
            cell = cell * len(place) + place[row[f"axis_{i}"]]
        seconds = (
            None
            if row["duration_s"] is None or row["duration_s"] != row["duration_s"]
            else round(float(row["duration_s"]), 2)
        )
        shown = [_text(row["sample_id"]), _text(row["speaker"]), _text(row["text"]), seconds, _link(row, folder)]
        found.setdefault(str(cell), []).append(shown)
    return found


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _link(row: dict[Any, Any], folder: Path) -> str | None:
    """Return the percent-encoded relative path from the page to a sample's audio, or None where there is none to play."""
    part, audio = str(row["part"] or ""), row["audio_path"]
    if not part or is_remote(part) or not isinstance(audio, str) or not audio:
        return None
    if is_member(audio):  # inside a tar or Parquet shard, where no browser can reach it
        return None
    path = os.path.normpath(os.path.join(os.path.abspath(audio_root(part)), audio))
    if not path.startswith(os.path.abspath(audio_root(part)) + os.sep):
        return None
    # "./" first: no file name can be taken for a scheme such as javascript:
    return "./" + quote(os.path.relpath(path, os.path.abspath(folder)).replace(os.sep, "/"))
