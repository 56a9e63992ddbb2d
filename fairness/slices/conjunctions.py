"""Slices and their test: conjunctions of values of a few columns, and the excess of each against what its own kind shows by chance."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from roomtone.fairness.slices.cells import Cells
from roomtone.fairness.slices.excess import fit_levels
from roomtone.fairness.slices.predicates import Literal, Predicate
from roomtone.fairness.slices.slice_tests import SliceKind, SliceScores, score_slices

if TYPE_CHECKING:
    import pandas as pd

_MOST_LEVELS = 50


def conjunctions(frame: pd.DataFrame, names: Sequence[str], depth: int) -> list[Predicate]:
    """Return every conjunction of values of different columns, simple ones first, each set of rows once."""
    literals: dict[str, list[Literal]] = {}
    for name in names:
        values = sorted({v for v in frame[name] if v is not None and isinstance(v, str | int | float | bool)}, key=str)
        if 2 <= len(values) <= _MOST_LEVELS:
            literals[name] = [Literal(name, "is", value) for value in values]
    held = {literal: literal.holds(frame) for several in literals.values() for literal in several}
    seen: set[bytes] = set()
    found = []
    for size in range(1, depth + 1):
        for chosen in itertools.combinations(literals, size):
            for together in itertools.product(*(literals[name] for name in chosen)):
                inside = np.logical_and.reduce([held[literal] for literal in together])
                key = inside.tobytes()
                if inside.any() and not inside.all() and key not in seen:
                    seen.add(key)
                    found.append(Predicate(together))
    return found


def excess_of(cells: Cells, predicates: Sequence[Predicate], matrix: np.ndarray) -> SliceScores:
    """Return the test of each slice; those of the same columns are one kind.

    Args:
        cells: the counts.
        predicates: of the slices.
        matrix: which cells each holds, bool [shape=(cells, slices)].
    """
    members: dict[tuple[str, ...], list[int]] = {}
    for number, predicate in enumerate(predicates):
        members.setdefault(tuple(literal.column for literal in predicate.literals), []).append(number)
    kinds = [SliceKind(np.array(own), cells.environment(columns)) for columns, own in members.items()]
    return score_slices(fit_levels(cells.table), matrix, sentences=cells.sentences, kinds=kinds)


def excess_of_one(cells: Cells, predicate: Predicate, inside: np.ndarray) -> tuple[float, float]:
    """Return the log odds ratio and the one-sided p of one slice, its kind being the other values of the same columns."""
    columns = [literal.column for literal in predicate.literals]
    family = []
    if all(literal.test == "is" for literal in predicate.literals):
        every = conjunctions(cells.frame, columns, len(columns))
        family = [other for other in every if len(other.literals) == len(columns) and other != predicate]
    matrix = np.column_stack([inside, *(other.holds(cells.frame) for other in family)])
    found = excess_of(cells, [predicate, *family], matrix)
    return float(found.log_ratio[0]), float(found.p[0])
