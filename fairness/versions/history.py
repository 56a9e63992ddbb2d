"""Many evaluations of one set, in their order: each group's error rate and gap over the versions, and whether the gap has a trend.

The gap of a group at a version is its WER less that of all others, each a mean over the conditions. The trend is the slope of a straight line through
its gaps, in points a version: a fixed contrast of them, so that curves are told by their direction alone. The speaker is the unit: the slope is worked out
without each speaker in turn, all versions of a speaker together, and compared with Student's t with Welch and Satterthwaite's degrees of freedom; p of the
groups are adjusted by Holm. Only samples that every version has counted are compared.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.compare import SEVERAL
from roomtone.fairness.inference.counts import SpeakerCounts, lay_out, prepare
from roomtone.fairness.inference.intervals import holm, t_quantile
from roomtone.fairness.inference.jackknife import jackknife_variance, with_each_left_out
from roomtone.fairness.inference.study import REST
from roomtone.fairness.results import FOLDER
from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.stored import StoredEvaluation, paired, read_stored

if TYPE_CHECKING:
    import pandas as pd

GROWS, SHRINKS, STEADY, NOT_ENOUGH = "grows", "shrinks", "no_trend", "not_enough_data"


@dataclass(frozen=True)
class History:
    """Evaluations of one set in their order.

    Attributes:
        names: of the versions.
        group: the column of the groups.
        versions: one row a group and version: `wer`, `gap`.
        trends: one row a group, whose gap grows most first: `first, last` (gaps), `slope, slope_low, slope_high` (share of words a version), `p, p_adjusted,
            verdict` and the sentence.
        samples: that every version has counted.
        left_out: samples that not all have.
    """

    names: tuple[str, ...]
    group: str
    versions: pd.DataFrame
    trends: pd.DataFrame
    samples: int
    left_out: int

    def headline(self) -> str:
        """Return in a sentence or two which gaps have a trend."""
        told = self.trends.loc[self.trends["verdict"].isin([GROWS, SHRINKS]), "statement"]
        first = f"{len(self.names)} evaluations of one set, {self.names[0]} to {self.names[-1]}."
        return " ".join([first, *(list(told[:3]) or [f"That the gap of any {self.group} has a trend is not shown."])])


def find_versions(place: str | os.PathLike[str]) -> list[Path]:
    """Return the evaluations that lie beside each other in a set, in the order of their names; 1.10 comes after 1.9.

    Args:
        place: folder of a set.

    Raises:
        RoomtoneError: fewer than two.
    """
    found = [path.parent for path in Path(place).glob(f"{FOLDER}-*/evaluation.json")]
    if len(found) < 2:
        raise RoomtoneError(
            f"{place}: {len(found)} evaluations lie in it, a history needs two or more; make each with"
            f" roomtone evaluate dataset={place} to={place}/{FOLDER}-NAME"
        )
    return sorted(
        found,
        key=lambda path: [
            (i % 2 == 0, int(part) if i % 2 else 0, part) for i, part in enumerate(re.split(r"([0-9]+)", path.name))
        ],
    )


def version_history(places: Sequence[str | os.PathLike[str]]) -> History:
    """Return how rates and gaps went over several evaluations of one set.

    Args:
        places: their folders, the earliest first.

    Raises:
        RoomtoneError: fewer than two, no evaluation in one, or evaluations of different sets or groups.
    """
    stored = [read_stored(place) for place in places]
    if len({one.folder.resolve() for one in stored}) < max(2, len(stored)):
        raise RoomtoneError("a history needs two different evaluations or more, each named once")
    groups = {str(one.settings.get("group", "accent")) for one in stored}
    if len(groups) > 1:
        raise RoomtoneError(f"the evaluations compare different groups: {', '.join(sorted(groups))}")
    frames, most = _common(stored)
    known = {
        name: stored[-1].settings[name]
        for name in ("group", "condition", "speaker", "smallest_gap", "alpha")
        if name in stored[-1].settings
    }
    settings = CompareSettings(**known)
    names = tuple(one.name for one in stored)
    counts, rates = _rates(frames, settings)
    versions, trends = _tables(counts, rates, names, settings)
    return History(names, settings.group, versions, trends, len(frames[0]), most - len(frames[0]))


def _common(stored: Sequence[StoredEvaluation]) -> tuple[list[pd.DataFrame], int]:
    """Return the scores of the samples that all have counted, in the same order, and how many samples any has."""
    every: set[str] = set().union(*(one.scores["sample_id"] for one in stored))
    shared = set(every)
    for other in stored[1:]:
        shared &= set(paired(stored[0], other)[0]["sample_id"])
    if not shared:
        raise RoomtoneError("no sample has been counted by all of the evaluations")
    order = sorted(shared)
    return [one.scores.set_index("sample_id").loc[order].reset_index() for one in stored], len(every)


def _rates(frames: Sequence[pd.DataFrame], s: CompareSettings) -> tuple[SpeakerCounts, np.ndarray]:
    """Return the counts of every speaker, and the WER of each speaker's absence [shape=(groups, 2, speakers + 1, versions)].

    The second axis is the group, then all others; the first estimate is of everybody, the others leave out one speaker each.
    """
    import pandas as pd

    conditions = sorted(set(frames[0][s.condition].map(str)))
    both = pd.concat(
        [f.assign(cell=f"{v}\0" + f[s.condition].map(str)) for v, f in enumerate(frames)], ignore_index=True
    )
    columns = [f"{v}\0{name}" for v in range(len(frames)) for name in conditions]
    rows = prepare(both, group=s.group, condition="cell", speaker=s.speaker, baseline=columns[0], utterance="sample_id")
    counts = lay_out(rows, columns, several=s.group == SEVERAL).count("errors").of_known()
    shape = (len(frames), len(conditions))
    found = []
    for g in range(len(counts.groups)):
        sides = []
        for who in (counts.is_in(g), ~counts.is_in(g)):
            errors, words = (
                with_each_left_out(counts.counts[kind] * who[:, None]).reshape(-1, *shape) for kind in (0, 1)
            )
            there = (words[0] > 0).all(axis=0)
            with np.errstate(invalid="ignore", divide="ignore"):
                rate = (errors / words)[:, :, there]
            sides.append(rate.mean(axis=2) if there.any() else np.full(errors.shape[:2], math.nan))
        found.append(sides)
    return counts, np.array(found)


def _tables(
    counts: SpeakerCounts, rates: np.ndarray, names: Sequence[str], s: CompareSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    places = np.arange(len(names)) - (len(names) - 1) / 2
    contrast = places / (places**2).sum()
    slopes = rates @ contrast
    gaps = rates[:, 0, 0] - rates[:, 1, 0]
    versions = pd.DataFrame(
        [
            {s.group: group, "version": name, "wer": rates[g, 0, 0, v], "gap": gaps[g, v]}
            for g, group in enumerate(counts.groups)
            for v, name in enumerate(names)
        ]
    )  # fmt: skip
    found = [_trend(counts, slopes[g], g) for g in range(len(counts.groups))]
    adjusted = holm(np.array([p for _, _, _, p in found]))
    rows = []
    for g, (group, (slope, se, df, p)) in enumerate(zip(counts.groups, found)):
        half = float(t_quantile(1 - s.alpha / 2, np.array(df))) * se
        row = {
            s.group: group, "speakers": int(counts.is_in(g).sum()), "first": gaps[g, 0], "last": gaps[g, -1], "slope": slope, "slope_low": slope - half,
            "slope_high": slope + half, "p": p, "p_adjusted": adjusted[g],
        }  # fmt: skip
        rows.append(row | _verdict(row, group, len(names), s))
    rows.sort(key=lambda row: -row["slope"] if math.isfinite(row["slope"]) else math.inf)
    return versions, pd.DataFrame(rows)


def _trend(counts: SpeakerCounts, slopes: np.ndarray, g: int) -> tuple[float, float, float, float]:
    """Return the slope of a group's gap, its standard error, degrees of freedom and p; NaN where a side has fewer than two speakers.

    Args:
        counts: of every speaker.
        slopes: of the group and of all others, without each speaker [shape=(2, speakers + 1)].
        g: number of the group.
    """
    from scipy.special import stdtr

    parts, sizes = [], []
    for side, who in enumerate((counts.is_in(g), ~counts.is_in(g))):
        if who.sum() < 2:
            return float(slopes[0, 0] - slopes[1, 0]), math.nan, math.nan, math.nan
        parts.append(float(jackknife_variance(slopes[side, 1:][who][:, None], counts.codes[who])[0]))
        sizes.append(int(who.sum()) - 1)
    variance = sum(parts)
    slope, se = float(slopes[0, 0] - slopes[1, 0]), math.sqrt(variance)
    if not se > 0:
        return slope, math.nan, math.nan, math.nan
    df = variance**2 / sum(part**2 / n for part, n in zip(parts, sizes))
    return slope, se, df, float(2 * stdtr(df, -abs(slope / se)))


def _verdict(row: dict[str, Any], group: str, versions: int, s: CompareSettings) -> dict[str, str]:
    """Return the verdict on a trend and its sentence; what matters is the change from the first version to the last."""
    span = versions - 1
    low, high = (span * row[key] for key in ("slope_low", "slope_high"))
    figures = (
        f"{100 * row['first']:+.1f} points first, {100 * row['last']:+.1f} last; {100 * row['slope']:+.2f} points a version"
        f" ({100 * (1 - s.alpha):g} % interval {100 * row['slope_low']:+.2f} to {100 * row['slope_high']:+.2f})"
    )
    if not math.isfinite(low):
        return {
            "verdict": NOT_ENOUGH,
            "statement": f"Whether the gap of {group} has a trend cannot be said: there are not two speakers on each side in every condition.",
        }
    if row["p_adjusted"] <= s.alpha:
        away = row["slope"] * (row["first"] + row["last"]) > 0
        said = "grows" if away else "shrinks"
        return {
            "verdict": GROWS if away else SHRINKS,
            "statement": f"The gap between {group} and {REST} {said} over the versions: {figures}.",
        }
    if -s.smallest_gap < low and high < s.smallest_gap:
        return {
            "verdict": STEADY, "statement": f"If the gap between {group} and {REST} has a trend, then by less than"
            f" {100 * s.smallest_gap:g} points in all: {figures}.",
        }  # fmt: skip
    return {
        "verdict": NOT_ENOUGH,
        "statement": f"Whether the gap between {group} and {REST} has a trend cannot be said: {figures}.",
    }
