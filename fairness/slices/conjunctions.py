"""Slices and their test: conjunctions of values of a few columns, and the excess of each against what its own kind shows by chance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.slices.cells import Cells
from roomtone.fairness.slices.excess import FittedCounts, fit_levels
from roomtone.fairness.slices.predicates import Literal, Predicate
from roomtone.fairness.slices.slice_tests import SliceKind, SliceScores, score_slices

if TYPE_CHECKING:
    import pandas as pd

#: Values of a column up to which it is combined with others; up to the second number it makes slices by itself, above it none.
MOST_COMBINED, MOST_ALONE = 50, 500
#: Cells times slices that a search may look at.
MOST_NUMBERS = 300_000_000


def conjunctions(frame: pd.DataFrame, names: Sequence[str], depth: int) -> list[Predicate]:
    """Return every conjunction of values of different columns, simple ones first, each set of rows once.

    Args:
        frame: of cells, null as None.
        names: of the columns.
        depth: columns of a conjunction at most; those with more than 50 values stay alone.

    Raises:
        RoomtoneError: there are more than the search can look at.
    """
    literals = {
        name: [Literal(name, "is", value) for value in values] for name, values in values_of(frame, names).items()
    }
    chosen = list(_combinations(literals, depth))
    size = sum(math.prod(len(literals[name]) for name in together) for together in chosen) * len(frame)
    if size > MOST_NUMBERS:
        raise RoomtoneError(
            f"subgroups: {len(frame):,} cells in {size // max(1, len(frame)):,} slices are more than the search looks at; name fewer columns"
            " (subgroups.columns) or a smaller depth"
        )
    held = {literal: literal.holds(frame) for several in literals.values() for literal in several}
    seen: set[bytes] = set()
    found = []
    for columns in chosen:
        for together in itertools.product(*(literals[name] for name in columns)):
            inside = np.logical_and.reduce([held[literal] for literal in together])
            key = np.packbits(inside).tobytes()
            if inside.any() and not inside.all() and key not in seen:
                seen.add(key)
                found.append(Predicate(together))
    return found


def _combinations(literals: Mapping[str, Sequence[Literal]], depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the columns of each kind of slice."""
    several = [name for name, own in literals.items() if len(own) <= MOST_COMBINED]
    yield from ((name,) for name in literals)
    for size in range(2, depth + 1):
        yield from itertools.combinations(several, size)


def values_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of the columns that make slices: those with 2 to 500 of them.

    Args:
        frame: of cells, null as None.
        names: of the columns.
    """
    found = {}
    for name in names:
        values = sorted({v for v in frame[name] if v is not None and isinstance(v, str | int | float | bool)}, key=str)
        if 2 <= len(values) <= MOST_ALONE:
            found[name] = values
    return found


def not_searched(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the columns that have too many values to make slices.

    Args:
        frame: of cells, null as None.
        names: of the columns.
    """
    return [name for name in names if frame[name].nunique() > MOST_ALONE]


def excess_of(cells: Cells, fit: FittedCounts, predicates: Sequence[Predicate], matrix: np.ndarray) -> SliceScores:
    """Return the test of each slice; those of the same columns are one kind.

    Args:
        cells: the counts.
        fit: the model over all cells.
        predicates: of the slices.
        matrix: which cells each holds, bool [shape=(cells, slices)].
    """
    members: dict[tuple[str, ...], list[int]] = {}
    for number, predicate in enumerate(predicates):
        members.setdefault(tuple(literal.column for literal in predicate.literals), []).append(number)
    kinds = [SliceKind(np.array(own), cells.environment(columns)) for columns, own in members.items()]
    return score_slices(fit, matrix, sentences=cells.sentences, kinds=kinds)


def excess_of_one(cells: Cells, predicate: Predicate, inside: np.ndarray) -> tuple[float, float]:
    """Return the log odds ratio and the one-sided p of one slice, its kind being the other values of the same columns.

    Args:
        cells: of the set.
        predicate: of the slice.
        inside: which cells the slice holds [shape=(cells,), bool].
    """
    columns = [literal.column for literal in predicate.literals]
    family = []
    if all(literal.test == "is" for literal in predicate.literals):
        every = conjunctions(cells.frame, columns, len(columns))
        family = [other for other in every if len(other.literals) == len(columns) and other != predicate]
    matrix = np.column_stack([inside, *(other.holds(cells.frame) for other in family)])
    found = excess_of(cells, fit_levels(cells.table), [predicate, *family], matrix)
    return float(found.log_ratio[0]), float(found.p[0])
