"""Rate ratios of a Poisson model with a group x condition interaction, in closed form.

    log E[errors] = log words + group + condition + group x condition

A rate model after Liu, Veliche and Peng (2021), with the sandwich of Liang and Zeger (1986) clustered by speaker in place of a random
effect. With every interaction in it the model is saturated: its maximum likelihood is the table of rates itself, and each coefficient a sum
of logs of rates. So nothing has to be iterated, and a grid of 30 x 200 with 5,000 speakers takes their counts and no more. A
coefficient of the interaction is the log of a ratio of ratios. Whether there is any interaction is tested in `permutation`, since the
sandwich's Wald test rejects too often (in 11 to 78 % of null studies at 5 %).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.inference.counts import SpeakerCounts, lay_out, prepare
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.study import reference_of, work_out
from roomtone.fairness.settings import CompareSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PoissonModel:
    """The fitted model.

    Attributes:
        terms: one row a coefficient: `term, coefficient, rate_ratio, se_naive, se_cluster_cr0, se_cluster, p`.
        dispersion: Pearson's chi-square over its degrees of freedom, of speakers in conditions; 1 is Poisson's.
        interaction_p: no interaction at all, by permuting speakers; null where so few cannot give 5 %.
        speakers: clusters.
        left_out: groups and conditions with a cell without errors, whose coefficients are not finite.
    """

    terms: pd.DataFrame
    dispersion: float
    interaction_p: float | None
    speakers: int
    left_out: tuple[str, ...]


def poisson_interaction(
    scores: pd.DataFrame,
    *,
    group: str = "accent",
    condition: str = "condition",
    baseline: str = "clean",
    speaker: str = "speaker",
    reference: str | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> PoissonModel:
    """Return the model of one evaluation, one row a speaker and condition.

    Groups and conditions with a cell without errors have no finite coefficient and are left out, by name.

    Args:
        scores: as `compare` takes them.
        group, condition, speaker: columns of the scores.
        baseline: the undisturbed condition, the first level of the model.
        reference: the group that the others are compared with; default the first by name.
        permutations, seed: of the test of the interaction; 0 permutations leave it out.

    Raises:
        RoomtoneError: a column or the reference does not exist, or fewer than two groups, conditions or speakers are left.
    """
    rows = prepare(scores, group=group, condition=condition, speaker=speaker, baseline=baseline, utterance="")
    rows = rows[rows["speaker"].notna().to_numpy(bool)]
    conditions = [baseline, *sorted(set(rows["condition"]) - {baseline})]
    if rows.empty or rows["failed"].all():
        raise RoomtoneError("the Poisson model needs two groups and two conditions, got none with a known speaker")
    layout = lay_out(rows, conditions)
    if permutations == 0:
        return poisson_of(layout.count("all_errors"), reference, None)
    settings = CompareSettings(baseline=baseline, permutations=permutations, seed=seed, scale="ratio")
    study = work_out(layout, make_estimands(conditions, {}), settings)
    p = study.test.interaction_p
    return poisson_of(
        layout.count("all_errors"), reference, p if study.smallest_p <= settings.alpha and p == p else None
    )


def poisson_of(data: SpeakerCounts, reference: str | None, interaction_p: float | None) -> PoissonModel:
    """Return the model of counts by speaker.

    Args:
        data: errors and words of each speaker in each condition.
        reference: as in `poisson_interaction`.
        interaction_p: of the test by permutation, null where there is none.

    Raises:
        RoomtoneError: as `poisson_interaction`.
    """
    groups, conditions, left_out = _estimable(data)
    first = reference_of(data.groups, reference)
    first = groups[0] if groups and first < 0 else first
    if len(groups) < 2 or len(conditions) < 2 or first not in groups:
        raise RoomtoneError(
            "the Poisson model needs two groups and two conditions in each of which every group has errors; here errors are too few:"
            f" {len(groups)} of {len(data.groups)} groups and {len(conditions)} of {len(data.conditions)} conditions are left"
        )
    groups = [first, *(g for g in groups if g != first)]
    return _fit(data, groups, conditions, left_out, interaction_p)


def _estimable(data: SpeakerCounts) -> tuple[list[int], list[int], tuple[str, ...]]:
    """Return the groups and conditions that are left when every cell has an error; conditions go first, the baseline never."""
    empty = data.sums(0) == 0
    groups, conditions = list(range(len(data.groups))), list(range(len(data.conditions)))
    left_out: list[str] = []
    while groups and conditions and empty[np.ix_(groups, conditions)].any():
        part = empty[np.ix_(groups, conditions)]
        by_condition = part.mean(axis=0)
        by_condition[0] = -1.0
        by_group = part.mean(axis=1)
        if len(conditions) > 1 and by_condition.max() >= by_group.max():
            left_out.append(data.conditions[conditions.pop(int(by_condition.argmax()))])
        else:
            left_out.append(data.groups[groups.pop(int(by_group.argmax()))])
    return groups, conditions, tuple(left_out)


@dataclass(frozen=True)
class _Logs:
    """Log rates of every cell and what their variances are made of."""

    value: np.ndarray
    #: 1 / errors [shape=(groups, conditions)]
    naive: np.ndarray
    #: speakers' scores over the errors of their cell, by group [each shape=(speakers, conditions)]
    scores: list[np.ndarray]


def _fit(
    data: SpeakerCounts,
    groups: list[int],
    conditions: list[int],
    left_out: tuple[str, ...],
    interaction_p: float | None,
) -> PoissonModel:
    errors, words = data.sums(0)[np.ix_(groups, conditions)], data.sums(1)[np.ix_(groups, conditions)]
    rate = errors / words
    scores, chi2, rows, speakers = [], 0.0, 0, 0
    for number, g in enumerate(groups):
        own = data.counts[:2, data.is_in(g)][:, :, conditions]
        own = own[:, own[1].sum(axis=1) > 0]
        expected = own[1] * rate[number]
        scores.append((own[0] - expected) / errors[number])
        there = own[1] > 0
        chi2 += float(((own[0] - expected)[there] ** 2 / expected[there]).sum())
        rows, speakers = rows + int(there.sum()), speakers + own.shape[1]
    terms = rate.size
    factor = speakers / (speakers - 1) * (rows - 1) / (rows - terms) if speakers > 1 and rows > terms else np.nan
    table = _terms(data, groups, conditions, _Logs(np.log(rate), 1 / errors, scores), float(factor), speakers)
    dispersion = chi2 / (rows - terms) if rows > terms else float("nan")
    return PoissonModel(table, dispersion, interaction_p, speakers, left_out)


def _terms(
    data: SpeakerCounts, groups: list[int], conditions: list[int], logs: _Logs, factor: float, speakers: int
) -> pd.DataFrame:
    """Return the coefficients: sums of logs of two or four cells, each with its variance."""
    import pandas as pd
    from scipy.special import stdtr

    names = [data.groups[g] for g in groups], [data.conditions[c] for c in conditions]
    found = []
    for g in range(len(groups)):
        for c in range(len(conditions)):
            label = {
                (False, False): f"{names[0][0]}, {names[1][0]}", (True, False): names[0][g], (False, True): names[1][c],
                (True, True): f"{names[0][g]} x {names[1][c]}",
            }[g > 0, c > 0]  # fmt: skip
            found.append((g > 0 and c > 0, c > 0, label, *_contrast(logs, g, c)))
    found.sort(key=lambda term: term[:2])
    value, naive, cr0 = (np.array([term[k] for term in found]) for k in (3, 4, 5))
    cluster = np.sqrt(cr0 * factor)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(max(1, speakers - 1), -np.abs(value / cluster))
    return pd.DataFrame({
        "term": [term[2] for term in found], "coefficient": value, "rate_ratio": np.exp(value), "se_naive": np.sqrt(naive),
        "se_cluster_cr0": np.sqrt(cr0), "se_cluster": cluster, "p": p,
    })  # fmt: skip


def _contrast(logs: _Logs, g: int, c: int) -> tuple[float, float, float]:
    """Return a coefficient and its two variances: the cell against the baseline's, against the first group's, or both."""
    value, naive, cr0 = 0.0, 0.0, 0.0
    for group, sign in ((g, 1.0), (0, -1.0)) if g else ((0, 1.0),):
        influence = logs.scores[group][:, c] - (logs.scores[group][:, 0] if c else 0.0)
        value += sign * (logs.value[group, c] - (logs.value[group, 0] if c else 0.0))
        naive += logs.naive[group, c] + (logs.naive[group, 0] if c else 0.0)
        cr0 += float(influence @ influence)
    return value, naive, cr0
