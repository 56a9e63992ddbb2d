"""A Poisson model of errors with an accent x condition interaction, and its over-dispersion.

    log E[errors] = log words + accent + condition + accent x condition

A rate model after Liu, Veliche and Peng (2021), with the sandwich of Liang and Zeger (1986) clustered by speaker in place of a
random effect. A coefficient of the interaction is the log of a ratio of ratios. It answers for the whole grid at once what
`compare` answers cell by cell; both stand in the report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.comparison.counts import prepare

if TYPE_CHECKING:
    import pandas as pd

_MAX_STEPS = 100


@dataclass(frozen=True)
class PoissonFit:
    """Coefficients with three covariances: the model's own, clustered (CR0), and with the small-sample factor (CR1)."""

    coefficients: np.ndarray
    naive: np.ndarray
    cr0: np.ndarray
    cr1: np.ndarray
    dispersion: float
    clusters: int

    def standard_errors(self, kind: str = "cr1") -> np.ndarray:
        """Return the standard errors by one of the covariances, `naive`, `cr0` or `cr1`."""
        errors: np.ndarray = np.sqrt(np.diag(getattr(self, kind)))
        return errors


@dataclass(frozen=True)
class PoissonModel:
    """`terms`: one row a coefficient. `interaction_p`: no accent x condition interaction at all; null with too few speakers."""

    terms: pd.DataFrame
    dispersion: float
    interaction_p: float | None
    speakers: int
    left_out: tuple[str, ...]


def fit_poisson(errors: np.ndarray, exposure: np.ndarray, design: np.ndarray, clusters: np.ndarray) -> PoissonFit:
    """Return the maximum-likelihood fit of errors ~ Poisson(exposure exp(design b)), by iteratively reweighted least squares.

    Args:
        errors: [shape=(rows,)].
        exposure: above 0 [shape=(rows,)].
        design: [shape=(rows, terms)], full column rank.
        clusters: which rows belong together [shape=(rows,)].

    Raises:
        RoomtoneError: the terms cannot be told apart, or a rate runs off to 0.
    """
    rows, terms = design.shape
    if np.linalg.matrix_rank(design) < terms:
        raise RoomtoneError(f"the Poisson model's {terms} terms cannot be told apart with these {rows} rows")
    coefficients = np.zeros(terms)
    mean = np.maximum(errors, 0.5)
    for _ in range(_MAX_STEPS):
        working = np.log(mean / exposure) + (errors - mean) / mean
        step = np.linalg.solve(design.T * mean @ design, design.T * mean @ working)
        change, coefficients = float(np.abs(step - coefficients).max()), step
        mean = exposure * np.exp(design @ coefficients)
        if change < 1e-10:
            break
    else:
        raise RoomtoneError("the Poisson model does not settle: a group has no errors in some condition")
    bread = np.linalg.inv(design.T * mean @ design)
    score = design * (errors - mean)[:, None]
    names, index = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), terms))
    np.add.at(sums, index, score)
    cr0 = bread @ (sums.T @ sums) @ bread
    count = len(names)
    factor = count / (count - 1) * (rows - 1) / (rows - terms) if count > 1 and rows > terms else math.nan
    spread = float(((errors - mean) ** 2 / mean).sum() / (rows - terms)) if rows > terms else math.nan
    return PoissonFit(coefficients, bread, cr0, cr0 * factor, spread, count)


def poisson_interaction(
    scores: pd.DataFrame,
    *,
    group: str = "accent",
    condition: str = "condition",
    baseline: str = "clean",
    speaker: str = "speaker",
    reference: str | None = None,
) -> PoissonModel:
    """Return the model of one evaluation, one row a speaker and condition.

    Groups and conditions with a cell without errors have no finite coefficient and are left out, by name.

    Args:
        scores: as `compare` takes them.
        group, condition, speaker: columns of the scores.
        baseline: the undisturbed condition, the first level of the model.
        reference: the group that the others are compared with; default the first by name.

    Raises:
        RoomtoneError: a column or the reference does not exist, or fewer than two groups, conditions or speakers are left.
    """
    rows = prepare(scores, group=group, condition=condition, speaker=speaker, baseline=baseline, utterance="")
    rows = rows[~rows["failed"] & rows["speaker"].notna()]
    sums = rows.groupby(["group", "condition", "speaker"], as_index=False)[["errors", "words"]].sum()
    sums = sums[sums["words"] > 0]
    sums, left_out = _estimable(sums, baseline)
    groups, conditions = sorted(set(sums["group"])), [baseline, *sorted(set(sums["condition"]) - {baseline})]
    first = reference if reference is not None else groups[0] if groups else ""
    if first not in groups:
        raise RoomtoneError(f"reference: the model has no group {first!r}; {nearest(first, groups)}")
    groups = [first, *(g for g in groups if g != first)]
    if len(groups) < 2 or len(conditions) < 2:
        raise RoomtoneError(
            f"the Poisson model needs two groups and two conditions, got {len(groups)} and {len(conditions)}"
        )
    design, names = _design(sums, groups, conditions)
    speakers = sums["group"] + "\0" + sums["speaker"].map(str)
    fit = fit_poisson(sums["errors"].to_numpy(float), sums["words"].to_numpy(float), design, speakers.to_numpy())
    interactions = (len(groups) - 1) * (len(conditions) - 1)
    return PoissonModel(_terms(fit, names), fit.dispersion, _joint_p(fit, interactions), fit.clusters, left_out)


def _estimable(sums: pd.DataFrame, baseline: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out conditions, then groups, until every cell has an error."""
    left_out: list[str] = []
    while True:
        table = sums.pivot_table(index="group", columns="condition", values="errors", aggfunc="sum", fill_value=0)
        empty = table == 0
        if not empty.to_numpy().any():
            return sums, tuple(left_out)
        by_condition = empty.sum(axis=0).drop(baseline, errors="ignore")
        by_group = empty.sum(axis=1)
        if len(by_condition) and by_condition.max() / len(table) >= by_group.max() / table.shape[1]:
            worst, column = str(by_condition.idxmax()), "condition"
        else:
            worst, column = str(by_group.idxmax()), "group"
        left_out.append(worst)
        sums = sums[sums[column] != worst]


def _design(sums: pd.DataFrame, groups: Sequence[str], conditions: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    is_group = {g: (sums["group"] == g).to_numpy(float) for g in groups[1:]}
    is_condition = {c: (sums["condition"] == c).to_numpy(float) for c in conditions[1:]}
    columns = {f"{groups[0]}, {conditions[0]}": np.ones(len(sums))} | is_group | is_condition
    columns |= {f"{g} x {c}": is_group[g] * is_condition[c] for g in is_group for c in is_condition}
    return np.column_stack(list(columns.values())), list(columns)


def _terms(fit: PoissonFit, names: Sequence[str]) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import stdtr

    cluster = fit.standard_errors("cr1")
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(max(1, fit.clusters - 1), -np.abs(fit.coefficients / cluster))
    return pd.DataFrame({
        "term": names, "coefficient": fit.coefficients, "rate_ratio": np.exp(fit.coefficients),
        "se_naive": fit.standard_errors("naive"), "se_cluster_cr0": fit.standard_errors("cr0"), "se_cluster": cluster, "p": p,
    })  # fmt: skip


def _joint_p(fit: PoissonFit, interactions: int) -> float | None:
    """Return the p of no interaction (Wald, as Hotelling's F over clusters); null where speakers are too few for it."""
    from scipy.special import fdtrc

    spare = fit.clusters - interactions
    if spare < 2:
        return None
    b, v = fit.coefficients[-interactions:], fit.cr0[-interactions:, -interactions:]
    if np.linalg.matrix_rank(v) < interactions:
        return None
    wald = float(b @ np.linalg.solve(v, b))
    return float(fdtrc(interactions, spare, wald * spare / (interactions * max(1, fit.clusters - 1))))
