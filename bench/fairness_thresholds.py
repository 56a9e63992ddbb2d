"""Prints whether the intervals of `roomtone.fairness.find_thresholds` cover what they promise, by simulation.

    OMP_NUM_THREADS=1 python bench/fairness_thresholds.py [STUDIES [WORLDS WHOSE NAME HOLDS THIS]]

Each word of a speaker is lost with a chance that is logistic in SNR, between a floor and a ceiling; speakers of a group differ in where
their curve lies (normal). A group's threshold is that of its mean curve, found by quadrature. Steps are 5 dB apart from -5 to 20 dB. Coverage
should be 93 to 97 %, bias below 0.3 dB, and where groups are alike a difference should be named in no more than 5 % of the studies. A
threshold beyond the steps counts as covered where the interval is open on that side; bias is of medians, since an estimate may be beyond the steps.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

from roomtone.fairness.thresholds.curves import Crossing, Curve, crossing, curve_of, difference

STEPS = np.arange(-20.0, 6.0, 5.0)  # severities: SNRs from 20 to -5 dB with their signs turned


@dataclass(frozen=True)
class World:
    """A study; `places` are the SNRs at which each group's median speaker is half-way between floor and ceiling."""

    places: tuple[float, ...] = (5.0, 8.0, 10.0, 12.0)
    speakers: int = 15
    speaker_sd_db: float = 3.0
    scale_db: float = 2.5
    floor: float = 0.04
    ceiling: float = 0.95
    words: int = 80
    share: float = 0.3
    cost: bool = False


WORLDS = {
    "4 x 15, 30 % WER": World(),
    "4 x 15, 50 % WER": World(share=0.5),
    "4 x 15, costs 5 points": World(share=0.05, cost=True),
    "4 x 15, all alike": World(places=(9.0,) * 4),
    "4 x 15, all alike, costs 5 points": World(places=(9.0,) * 4, share=0.05, cost=True),
    "4 x 15, two beyond the steps": World(places=(22.0, 8.0, 10.0, -14.0)),
    "4 x 15, speakers 5 dB apart": World(speaker_sd_db=5),
    "4 x 15, 20 words a step": World(words=20),
    "4 x 6": World(speakers=6),
    "4 x 15, speakers 1 dB apart, steep": World(speaker_sd_db=1, scale_db=1.5),
    "4 x 15, costs 10 points": World(share=0.1, cost=True),
    "4 x 15, all alike, costs 10 points": World(places=(9.0,) * 4, share=0.1, cost=True),
    "4 x 6, costs 10 points": World(speakers=6, share=0.1, cost=True),
}


def chance(world: World, severity: np.ndarray) -> np.ndarray:
    """Return the chance of losing a word, by severity beyond a speaker's place."""
    return world.floor + (world.ceiling - world.floor) / (1 + np.exp(-severity / world.scale_db))


def true_threshold(world: World, places: tuple[float, ...]) -> float:
    """Return the severity at which the mean over speakers, and over groups, passes the limit; infinite beyond the steps."""
    from scipy.optimize import brentq

    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    own = np.array([-place for place in places])[:, None] + world.speaker_sd_db * nodes
    base = world.floor if world.cost else 0.0

    def excess(severity: float) -> float:
        return float(np.mean(chance(world, severity - own) @ weights / weights.sum()) - base - world.share)

    found = float(brentq(excess, -80, 80))
    return found if STEPS[0] <= found <= STEPS[-1] else float(np.sign(found - STEPS.mean()) * np.inf)


@dataclass
class Tally:
    """What is counted over studies."""

    held: int = 0
    asked: int = 0
    apart_held: int = 0
    apart_asked: int = 0
    named: int = 0


def study(world: World, truths: list[float], rng: np.random.Generator, tally: Tally) -> list[Crossing]:
    """Simulate one study and count what its intervals hold; return the crossings."""
    groups = np.repeat(np.arange(len(world.places)), world.speakers)
    own = -np.asarray(world.places)[groups] + rng.normal(0, world.speaker_sd_db, len(groups))
    errors = rng.binomial(world.words, chance(world, STEPS - own[:, None]))
    words = np.full(errors.shape, world.words)
    base = rng.binomial(world.words, world.floor, len(groups)), words[:, 0]

    def curve(who: np.ndarray) -> Curve:
        without = (base[0][who], base[1][who]) if world.cost else None
        return curve_of(STEPS, errors[who], words[who], without, groups[who], cost=world.share)

    curves = [curve(groups == g) for g in range(len(world.places))]
    found = [crossing(one, world.share, 0.95) for one in curves]
    tally.asked += len(found)
    tally.held += sum(one.low <= truth <= one.high for one, truth in zip(found, truths))
    p = []
    for g, one in enumerate(curves):
        rest = curve(groups != g)
        apart = difference(one, rest, world.share, 0.95)
        other = true_threshold_of_others(world, g)
        p.append(apart.p)
        if np.isfinite(truths[g]) and np.isfinite(other):
            tally.apart_asked += 1
            tally.apart_held += apart.low <= truths[g] - other <= apart.high
    tally.named += min(p) * len(p) <= 0.05  # Holm's first step
    return found


_OTHERS: dict[tuple[World, int], float] = {}


def true_threshold_of_others(world: World, g: int) -> float:
    """Return the threshold of all groups but one together."""
    if (world, g) not in _OTHERS:
        _OTHERS[world, g] = true_threshold(world, tuple(p for k, p in enumerate(world.places) if k != g))
    return _OTHERS[world, g]


def main() -> int:
    """Print one row a world."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    begun = time.time()
    print(f"{studies} studies a world; {len(STEPS)} steps, 5 dB apart. Coverage in %, bias and width in dB.\n")
    print(
        "| world | covers | largest bias of a group | median width | differences cover | studies that name a difference, % |"
    )
    print("|---|---|---|---|---|---|")
    for number, (name, world) in enumerate(WORLDS.items()):
        if wanted not in name:
            continue
        rng, tally = np.random.default_rng([2026, number]), Tally()
        truths = [true_threshold(world, (place,)) for place in world.places]
        found = [study(world, truths, rng, tally) for _ in range(studies)]
        at = np.array([[one.at for one in row] for row in found])
        bias = [float(np.median(at[:, g]) - t) for g, t in enumerate(truths) if np.isfinite(t)]
        width = np.median([one.high - one.low for row in found for one, t in zip(row, truths) if np.isfinite(t)])
        print(
            f"| {name} | {100 * tally.held / tally.asked:.1f} | {max(bias, key=abs):+.2f} | {width:.1f} |"
            f" {100 * tally.apart_held / tally.apart_asked:.1f} | {100 * tally.named / studies:.1f} |",
            flush=True,
        )
    print(f"\n{time.time() - begun:.0f} s on one core.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
