"""Prints how often `roomtone compare` is wrong about two versions of a recogniser, by simulation: 200 pairs a world.

    OMP_NUM_THREADS=1 python bench/fairness_versions.py [PAIRS]

Four groups of ten speakers read ten texts of eight words in three conditions; group a0 has a gap of 12 points. Speakers differ in their level
and in what the later version changes for them, and seven words in ten that are hard for one version are as hard for the other. Where the later
version helps everybody by the same points (on the scale of differences) or by the same factor (on that of ratios), a gap that is said to have
changed is a false report: no more than 5 % of the pairs, over accents, levels and cells together. Where it halves the gap of a0, the interval
should hold -6 points in 93 to 97 %.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.changes import compare_scores
from roomtone.fairness.versions.verdicts import NARROWED, TURNED, WIDENED

GROUPS, SPEAKERS, TEXTS, WORDS, CONDITIONS = 4, 10, 10, 8, ("clean", "gsm", "ward")
GAP = 0.12
#: Name -> scale of the verdicts, points that everybody gains, factor that everybody gains, gap that is left to a0.
WORLDS: dict[str, tuple[str, float, float, float]] = {
    "nothing changes": ("difference", 0.0, 1.0, GAP),
    "everybody gains 5 points": ("difference", 0.05, 1.0, GAP),
    "everybody gains a third": ("ratio", 0.0, 2 / 3, GAP),
    "the gap of a0 is halved": ("difference", 0.0, 1.0, GAP / 2),
}


def pair(rng: np.random.Generator, points: float, factor: float, left: float) -> list[pd.DataFrame]:
    """Return the scores of two versions on the same samples."""
    shape = (GROUPS, SPEAKERS, len(CONDITIONS), TEXTS)
    group, speaker, condition, text = (axis.ravel() for axis in np.indices(shape))
    level = 0.15 * np.exp(rng.normal(0, 0.35, (GROUPS, SPEAKERS)))[group, speaker] + 0.08 * condition
    drift = rng.normal(0, 0.01, (GROUPS, SPEAKERS))[group, speaker] if factor == 1 else 0.0
    own = np.exp(rng.normal(0, 0.05, (GROUPS, SPEAKERS)))[group, speaker] if factor != 1 else 1.0
    before = level + GAP * (group == 0)
    after = (before - (GAP - left) * (group == 0) - points) * factor * own + drift
    hard = rng.random((len(group), WORDS))
    again = np.where(rng.random(hard.shape) < 0.7, hard, rng.random(hard.shape))
    labels = {
        "sample_id": np.arange(len(group)).astype(str), "accent": np.char.add("a", group.astype(str)), "condition": np.array(CONDITIONS)[condition],
        "speaker": np.char.add("s", (group * SPEAKERS + speaker).astype(str)), "text": np.char.add("t", text.astype(str)), "words": WORDS,
    }  # fmt: skip
    return [
        pd.DataFrame(labels | {"errors": (h < c[:, None]).sum(axis=1)}) for h, c in ((hard, before), (again, after))
    ]


def main() -> int:
    """Print one row a world."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    begun = time.time()
    print(
        "| world | verdicts on | pairs with a gap said to have changed, % | a0: interval holds the truth, % | a0: mean change, points | true | a0 narrowed, % |"
    )
    print("|---|---|---|---|---|---|---|")
    for number, (name, (scale, points, factor, left)) in enumerate(WORLDS.items()):
        settings = CompareSettings(scale=scale, permutations=499, resamples=0)
        found = [
            _pair_found(np.random.default_rng([7, number, k]), settings, (points, factor, left)) for k in range(pairs)
        ]
        changed, held, size, narrowed = (
            100 * np.mean([f[key] for f in found]) for key in ("changed", "held", "size", "narrowed")
        )
        truth = 100 * (left - GAP) if scale == "difference" else 0.0
        size = size if scale == "difference" else float("nan")
        print(
            f"| {name} | {scale} | {changed:.1f} | {held:.1f} | {size:+.1f} | {truth:+.1f} | {narrowed:.1f} |",
            flush=True,
        )
    print(f"\n{pairs} pairs a world, {time.time() - begun:.0f} s on one core.")
    return 0


def _pair_found(
    rng: np.random.Generator, settings: CompareSettings, change: tuple[float, float, float]
) -> dict[str, Any]:
    """Return what is said of one pair."""
    found = compare_scores(*pair(rng, *change), settings)
    row = found.accents.set_index("accent").loc["a0"]
    truth = change[2] - GAP if settings.scale == "difference" else 0.0
    said = {verdict for table in (found.accents, found.levels, found.cells) for verdict in table["verdict"]}
    return {
        "changed": bool(said & {NARROWED, TURNED, WIDENED}), "held": row["gap_change_low"] <= truth <= row["gap_change_high"],
        "size": row["gap_change"], "narrowed": row["verdict"] == NARROWED,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
