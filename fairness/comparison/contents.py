"""What the two sides of a comparison hold that its sentence must say: units, invented text, and texts that one group alone reads."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from roomtone.fairness.inference.study import Study

#: Column of the rows that says what a sample's words are counted in; may be missing.
UNIT = "unit"


class Contents:
    """Tells what is on each side of a comparison.

    Args:
        study: worked out.
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def units_differ(self, group: int) -> bool:
        """Return whether one side holds samples in a unit (words, characters) that the other side has none of.

        Args:
            group: number of the group that is compared.
        """
        return bool(self._units_differ[group])

    @cached_property
    def _units_differ(self) -> list[bool]:
        study = self._study
        rows, people = study.layout.rows, study.layout.person
        found = []
        units = rows[UNIT].to_numpy() if UNIT in rows else np.full(len(rows), None)
        names = sorted({unit for unit in units if isinstance(unit, str)})
        codes = np.array([names.index(unit) if isinstance(unit, str) else -1 for unit in units], dtype=np.int64)
        held = np.zeros((study.layout.people, len(names)), dtype=bool)
        held[people[codes >= 0], codes[codes >= 0]] = True
        for group in range(len(study.data.groups)):
            inside = study.everybody.is_in(group)
            rest = study.everybody.is_in(study.other) if study.other >= 0 else ~inside
            own, other = held[inside].any(axis=0), held[rest].any(axis=0)
            found.append(bool(own.any() and other.any() and (own != other).any()))
        return found

    def are_invented(self, group: int, columns: tuple[int, ...]) -> bool:
        """Return whether any sample of a comparison holds text that nobody spoke, whose inserted words are left out of it.

        Args:
            group: number of the group that is compared.
            columns: of the estimand; numbers from that of conditions on are compared with the baseline, which counts too.
        """
        count = len(self._study.data.conditions)
        conditions = sorted({c % count for c in columns} | ({0} if max(columns) >= count else set()))
        other = self._study.other
        sides = self._invented[group], self._invented[other] if other >= 0 else self._invented.sum(axis=0)
        return bool(max(side[conditions].sum() for side in sides) > 0)

    def others_with_own_texts(self, group: int) -> tuple[str, ...]:
        """Return the names of the groups on the other side that read texts which no other group reads.

        Args:
            group: number of the group that is compared.
        """
        study = self._study
        others = [study.other] if study.other >= 0 else [g for g in range(len(study.data.groups)) if g != group]
        return tuple(study.data.groups[g] for g in others if self._confounded[g])

    @cached_property
    def _confounded(self) -> list[bool]:
        return [bool(own) for own in self._study.texts.confounded]

    @cached_property
    def _invented(self) -> np.ndarray:
        """Return the samples with invented text of each group and condition [shape=(groups, conditions)]."""
        return self._study.layout.count("hallucinated", "samples").sums(0)
