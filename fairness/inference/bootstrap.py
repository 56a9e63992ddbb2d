"""The percentile bootstrap over speakers, paired over conditions: a second opinion beside the intervals of the test.

Each group's speakers are drawn once, with all conditions of theirs; all others together are the sum of their groups' draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from roomtone.fairness.inference.counts import SpeakerCounts
from roomtone.fairness.inference.intervals import percentile_interval, resample_weights


@dataclass(frozen=True)
class Bootstrap:
    """Resampled sums of each group [shape=(groups, 6, resamples, conditions)]; `speakers` in each condition [shape=(groups, conditions)]."""

    sums: np.ndarray
    speakers: np.ndarray

    def bounds(self, group: int, condition: int, other: int) -> dict[str, float]:
        """Return the 95 % intervals of the gap and the difference of gaps in one condition; NaN with fewer than two speakers on a side.

        Args:
            group: number of the group.
            condition: number of the condition.
            other: number of the group that it is compared with; negative for all others together.
        """
        own = self.sums[group, :, :, condition]
        rest = self.sums[other, :, :, condition] if other >= 0 else self._total[:, :, condition] - own
        others = (
            self.speakers[other, condition]
            if other >= 0
            else self.speakers[:, condition].sum() - self.speakers[group, condition]
        )
        found = {f"{name}_bootstrap_{end}": math.nan for name in ("gap", "did") for end in ("low", "high")}
        if min(self.speakers[group, condition], others) < 2:
            return found
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = {"gap": own[0] / own[1] - rest[0] / rest[1]}
            if condition:
                drawn["did"] = own[2] / own[3] - own[4] / own[5] - rest[2] / rest[3] + rest[4] / rest[5]
        for name, values in drawn.items():
            low, high = percentile_interval(values)
            found |= {f"{name}_bootstrap_low": float(low), f"{name}_bootstrap_high": float(high)}
        return found

    @cached_property
    def _total(self) -> np.ndarray:
        found: np.ndarray = self.sums.sum(axis=0)
        return found

    def rate_bounds(self, group: int, condition: int) -> tuple[float, float]:
        """Return the 95 % interval of a group's rate in one condition; NaN with fewer than two speakers.

        Args:
            group, condition: numbers.
        """
        if self.speakers[group, condition] < 2:
            return math.nan, math.nan
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high = percentile_interval(self.sums[group, 0, :, condition] / self.sums[group, 1, :, condition])
        return float(low), float(high)


def draw(data: SpeakerCounts, resamples: int, seed: int) -> Bootstrap | None:
    """Return the resampled sums, or None where no resample is asked for.

    Args:
        data: counts by speaker.
        resamples: draws; where a group has fewer different ones, these are drawn from.
        seed: of the drawing.
    """
    if resamples < 1:
        return None
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    sums = np.empty((len(data.groups), 6, resamples, len(data.conditions)))
    for g in range(len(data.groups)):
        own = data.counts[:, data.is_in(g)]
        weights = resample_weights(max(1, own.shape[1]), resamples, rng).astype(float)
        if len(weights) < resamples:
            weights = weights[rng.integers(0, len(weights), resamples)]
        sums[g] = weights @ own if own.shape[1] else 0.0
    return Bootstrap(sums, data.speakers)
