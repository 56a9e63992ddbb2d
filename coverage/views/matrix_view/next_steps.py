"""What to do next: what a render closes, with its command, and what only a recording can.

Speech that was recorded once can be rendered into every condition, so an accent's need is the largest of its cells' needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from roomtone.coverage.views.matrix_view.contract import Step

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a step shows in the matrix at once.
_MAX_WORDS = 5
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
    return [step for _, step in sorted(steps, key=lambda pair: -pair[0])]


def shortened(steps: Sequence[Step], most: int) -> list[Step]:
    """Return so many steps at most; of a longer list the last says how many are left out and where they are.

    Args:
        steps: those that close most first.
        most: how many may be shown.
    """
    if len(steps) <= most:
        return list(steps)
    left = len(steps) - (most - 1)
    text = f"{left} more like these: `roomtone coverage` with full=true prints them, holes.csv has them cell by cell."
    return [*steps[: most - 1], Step("record", text)]


def _to_render(holes: pd.DataFrame, axes: Sequence[str], speech: Sequence[str], command: str) -> list[tuple[int, Step]]:
    """Return one step for all cells that rendering closes: one command does them all."""
    if holes.empty:
        return []
    across = [axis for axis in axes if axis not in speech]
    where = f" in {plural(len(holes.drop_duplicates(across)), ' × '.join(across))}" if across else ""
    text = f"{plural(len(holes), 'cell')}{where} can be closed with the speech at hand."
    if not command:
        text += " The set does not say how it was made, so no command can be given."
    return [(len(holes), Step("render", text, command, words=_few_words(holes, speech)))]


def _few_words(holes: pd.DataFrame, speech: Sequence[str]) -> str:
    """Return the words that leave the rows with these holes; none where that is no choice, or they are too many to read."""
    names = [filter_words(str(name)) for name in holes[speech[0]].unique()] if len(speech) == 1 else []
    return " ".join(names) if all(names) and len(names) <= _MAX_WORDS else ""


def _to_record(holes: pd.DataFrame, speech: Sequence[str]) -> list[tuple[int, Step]]:
    """Return one step for each value of the speech axes that lacks something, e.g. an accent."""
    needs = [f"record_{unit}" for unit in _NEEDS]
    if holes.empty or not speech:
        return [(len(holes), Step("record", f"{plural(len(holes), 'cell')} need more speech."))] if len(holes) else []
    steps = []
    for value, part in holes.groupby(list(speech), sort=False):
        most = part[needs].max().to_dict()
        name = _label(value)
        text = f"{name}: {_amounts(most)} would close {plural(len(part), 'cell')}.{_owners(part)}"
        steps.append((len(part), Step("record", text, words=filter_words(name) if len(speech) == 1 else "")))
    return steps


def filter_words(name: str) -> str:
    """Return what leaves the row of this name when it is typed into the filter; a name with a quotation mark cannot be typed.

    >>> filter_words("scottish"), filter_words("England English, northern")
    ('scottish', '"England English, northern"')
    """
    if '"' in name:
        return ""
    return f'"{name}"' if any(sign.isspace() for sign in name) else name


def _owners(part: pd.DataFrame) -> str:
    """Return who looks after these holes, as a sentence with a space before it."""
    names = sorted(set(part["owner"].dropna())) if "owner" in part else []
    return f" Owner: {', '.join(names)}." if names else ""


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
    """Return `1 cell`, `2 cells`.

    Args:
        count: how many.
        noun: whose plural ends in s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _label(value: Any) -> str:
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)
