"""What to do next, at most ten things: what a render closes, with its command, and what only a recording can.

Speech that was recorded once can be rendered into every condition, so an accent's need is the largest of its cells' needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from roomtone.coverage.views.matrix_view.contract import MAX_STEPS, Step

if TYPE_CHECKING:
    import pandas as pd

#: What a recruiting list is written in, in the order in which it is read.
_NEEDS = ("speakers", "utterances", "minutes", "words")


def next_steps(holes: pd.DataFrame, axes: Sequence[str], speech: Sequence[str], render_command: str = "") -> list[Step]:
    """Return the steps, those that close most cells first.

    Args:
        holes: of `CoverageMatrix.holes`.
        axes: of the matrix.
        speech: those of them that belong to the speech (accent, a speaker's attribute) and cannot be rendered.
        render_command: renders what can be closed.
    """
    if holes.empty:
        return []
    steps = [*_to_render(holes[holes["closable"]], axes, speech, render_command)]
    steps += _to_record(holes[~holes["closable"]], speech)
    return [step for _, step in sorted(steps, key=lambda pair: -pair[0])][:MAX_STEPS]


def _to_render(holes: pd.DataFrame, axes: Sequence[str], speech: Sequence[str], command: str) -> list[tuple[int, Step]]:
    """Return one step for all cells that rendering closes: one command does them all."""
    if holes.empty:
        return []
    across = [axis for axis in axes if axis not in speech]
    where = f" in {plural(len(holes.drop_duplicates(across)), ' × '.join(across))}" if across else ""
    text = f"{plural(len(holes), 'cell')}{where} can be closed with the speech at hand."
    return [(len(holes), Step("render", text, command))]


def _to_record(holes: pd.DataFrame, speech: Sequence[str]) -> list[tuple[int, Step]]:
    """Return one step for each value of the speech axes that lacks something, e.g. an accent."""
    needs = [f"record_{unit}" for unit in _NEEDS]
    if holes.empty or not speech:
        return [(len(holes), Step("record", f"{plural(len(holes), 'cell')} need more speech."))] if len(holes) else []
    steps = []
    for value, part in holes.groupby(list(speech), sort=False):
        most = part[needs].max().to_dict()
        name = _label(value)
        text = f"{name}: {_amounts(most)} would close {plural(len(part), 'cell')}."
        steps.append((len(part), Step("record", text, words=name if len(speech) == 1 and " " not in name else "")))
    return steps


def _amounts(needs: Mapping[Any, Any]) -> str:
    """Return `2 more speakers with 6 more utterances`, of what is needed."""
    parts = []
    for unit in _NEEDS:
        amount = float(needs[f"record_{unit}"])
        if amount > 0:
            number = f"{amount:,.1f}" if unit == "minutes" else f"{round(amount):,}"
            parts.append(f"{number} more {unit[:-1] if number == '1' else unit}")
    return " and ".join(parts) or "more speech"


def plural(count: int, noun: str) -> str:
    """Return `1 cell`, `2 cells`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _label(value: Any) -> str:
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)
