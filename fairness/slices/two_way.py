"""Weighted least squares on speaker and condition terms, from sums by speaker and by condition alone.

With the speakers eliminated from the normal equations (a Schur complement), what is left has a row a condition: the design, a row a sample,
is never formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class TwoWay:
    """The normal equations: `curve` is the weight of each speaker in each condition [shape=(speakers, conditions)]."""

    curve: np.ndarray

    def solve(self, by_speaker: np.ndarray, by_condition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the terms of speakers and of conditions; of those that cannot be told apart, the smallest ones of conditions.

        Args:
            by_speaker, by_condition: weighted sums of what is explained [shape=(speakers,) or (speakers, n); conditions likewise].
        """
        over = self._own if by_speaker.ndim == 1 else self._own[:, None]
        of_condition = self._inverse @ (by_condition - self.curve.T @ (by_speaker / over))
        return (by_speaker - self.curve @ of_condition) / over, of_condition

    @cached_property
    def _own(self) -> np.ndarray:
        floored: np.ndarray = np.maximum(self.curve.sum(axis=1), 1e-9)
        return floored

    @cached_property
    def _inverse(self) -> np.ndarray:
        left = np.diag(self.curve.sum(axis=0)) - self.curve.T @ (self.curve / self._own[:, None])
        inverse: np.ndarray = np.linalg.pinv(left, rcond=1e-10, hermitian=True)
        return inverse
