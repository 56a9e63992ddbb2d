"""Prints how often `roomtone compare` is wrong about two versions of a recogniser, by simulation: 200 pairs a world.

    OMP_NUM_THREADS=1 python bench/fairness_versions.py [PAIRS [WORLDS WHOSE NAME HOLDS THIS [SEED]]]

Groups of ten speakers (or as the world says) read ten texts of eight words in three conditions; group a0 has a gap of 12 points. Speakers differ in
their level and in what the later version changes for them, and seven words in ten that are hard for one version are as hard for the other. Where the
later version helps everybody by the same points (on the scale of differences) or by the same factor (on that of ratios), a gap that is said to have
changed is a false report: no more than 5 % of the pairs, over accents, levels and cells together. Where it halves the gap of a0, the interval
should hold the change in 93 to 97 %.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.changes import compare_scores
from roomtone.fairness.versions.verdicts import NARROWED, TURNED, WIDENED

TEXTS, WORDS, CONDITIONS = 10, 8, ("clean", "gsm", "ward")
GAP = 0.12


@dataclass(frozen=True)
class World:
    """What a later version changes: points and factor that everybody gains, and the gap that is left to a0."""

    scale: str = "difference"
    points: float = 0.0
    factor: float = 1.0
    left: float = GAP
    speakers: tuple[int, ...] = (10,) * 4

    @property
    def truth(self) -> float:
        """Return the true change of the gap of a0, a share or a log ratio."""
        return self.left - GAP if self.scale == "difference" else 0.0


UNEQUAL, TWELVE = (5, 10, 15, 30), (6,) * 12
WORLDS = {
    "nothing changes": World(),
    "everybody gains 5 points": World(points=0.05),
    "everybody gains a third": World("ratio", factor=2 / 3),
    "the gap of a0 is halved": World(left=GAP / 2),
    "nothing changes, on ratios": World("ratio"),
    "everybody gains a third, 5 to 30 speakers": World("ratio", factor=2 / 3, speakers=UNEQUAL),
    "everybody gains a third, 12 accents of 6": World("ratio", factor=2 / 3, speakers=TWELVE),
    "everybody gains 5 points, 5 to 30 speakers": World(points=0.05, speakers=UNEQUAL),
    "everybody gains 5 points, 12 accents of 6": World(points=0.05, speakers=TWELVE),
    "the gap of a0 is halved, 5 to 30 speakers": World(left=GAP / 2, speakers=UNEQUAL),
    "the gap of a0 is halved, 12 accents of 6": World(left=GAP / 2, speakers=TWELVE),
}


def pair(rng: np.random.Generator, world: World) -> list[pd.DataFrame]:
    """Return the scores of two versions on the same samples."""
    people = sum(world.speakers)
    own_group = np.repeat(np.arange(len(world.speakers)), world.speakers)
    speaker, condition, text = (axis.ravel() for axis in np.indices((people, len(CONDITIONS), TEXTS)))
    group = own_group[speaker]
    level = 0.15 * np.exp(rng.normal(0, 0.35, people))[speaker] + 0.08 * condition
    drift = rng.normal(0, 0.01, people)[speaker] if world.factor == 1 else 0.0
    own = np.exp(rng.normal(0, 0.05, people))[speaker] if world.factor != 1 else 1.0
    before = level + GAP * (group == 0)
    after = (before - (GAP - world.left) * (group == 0) - world.points) * world.factor * own + drift
    hard = rng.random((len(group), WORDS))
    again = np.where(rng.random(hard.shape) < 0.7, hard, rng.random(hard.shape))
    labels = {
        "sample_id": np.arange(len(group)).astype(str), "accent": np.char.add("a", group.astype(str)), "condition": np.array(CONDITIONS)[condition],
        "speaker": np.char.add("s", speaker.astype(str)), "text": np.char.add("t", text.astype(str)), "words": WORDS,
    }  # fmt: skip
    return [
        pd.DataFrame(labels | {"errors": (h < c[:, None]).sum(axis=1)}) for h, c in ((hard, before), (again, after))
    ]


def main() -> int:
    """Print one row a world."""
    pairs, wanted, seed = (*sys.argv[1:], *("200", "", "7")[len(sys.argv) - 1 :])
    begun = time.time()
    print(
        "| world | verdicts on | pairs with a gap said to have changed, % | a0: interval holds the truth, % | a0: mean change, points | true | a0 narrowed, % |"
    )
    print("|---|---|---|---|---|---|---|")
    for number, (name, world) in enumerate(WORLDS.items()):
        if wanted not in name:
            continue
        found = [_pair_found(np.random.default_rng([int(seed), number, k]), world) for k in range(int(pairs))]
        changed, held, size, narrowed = (
            100 * np.mean([f[key] for f in found]) for key in ("changed", "held", "size", "narrowed")
        )
        shown = f"{size:+.1f} | {100 * world.truth:+.1f}" if world.scale == "difference" else " | "
        print(f"| {name} | {world.scale} | {changed:.1f} | {held:.1f} | {shown} | {narrowed:.1f} |", flush=True)
    print(f"\n{pairs} pairs a world, {time.time() - begun:.0f} s on one core.")
    return 0


def _pair_found(rng: np.random.Generator, world: World) -> dict[str, Any]:
    """Return what is said of one pair."""
    found = compare_scores(*pair(rng, world), CompareSettings(scale=world.scale, permutations=499, resamples=0))
    row = found.accents.set_index("accent").loc["a0"]
    said = {verdict for table in (found.accents, found.levels, found.cells) for verdict in table["verdict"]}
    return {
        "changed": bool(said & {NARROWED, TURNED, WIDENED}), "held": row["gap_change_low"] <= world.truth <= row["gap_change_high"],
        "size": row["gap_change"], "narrowed": row["verdict"] == NARROWED,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
