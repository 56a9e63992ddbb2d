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
        rows = self._study.layout.rows
        if UNIT not in rows:
            return False
        own, rest = (set(rows.loc[side, UNIT].dropna()) for side in self._rows_of(group))
        return bool(own and rest and own != rest)

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
        return tuple(study.data.groups[g] for g in others if study.texts.confounded[g])

    @cached_property
    def _invented(self) -> np.ndarray:
        """Return the samples with invented text of each group and condition [shape=(groups, conditions)]."""
        return self._study.layout.count("hallucinated", "samples").sums(0)

    def _rows_of(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        study = self._study
        inside = study.everybody.is_in(group)
        rest = study.everybody.is_in(study.other) if study.other >= 0 else ~inside
        return inside[study.layout.person], rest[study.layout.person]
