"""The subgroup search: conjunctions over accent, condition, factors and attributes with more errors than the rest.

Two questions, named by `outcome`. `excess`: where does a condition cost some speakers more than it costs others (the model is in
`excess`, the test in `slice_tests`)? `errors`: where is the WER higher than everywhere else? The outcome is a ratio of sums; the
reference is the complement, which does not hold the slice itself. Tests are one-sided: only slices with more errors are named. After a
slice is named its samples are left out and the search starts again, so that neither its parts nor larger slices are named for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import FACTORS
from roomtone.fairness.inference.intervals import FEW_ERRORS, benjamini_hochberg, t_quantile
from roomtone.fairness.settings import CompareSettings, SearchSettings
from roomtone.fairness.slices.cells import Cells, make_cells
from roomtone.fairness.slices.conjunctions import conjunctions, excess_of, not_searched
from roomtone.fairness.slices.excess import CountTable, FittedCounts, expected_from_outside, fit_levels
from roomtone.fairness.slices.predicates import Predicate

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 50
_LEFT_OUT = 25

COLUMNS = (
    "slice", "predicate", "named", "ratio", "effect", "effect_low", "effect_high", "errors", "expected", "words", "wer", "speakers",
    "other_speakers", "samples", "p", "p_adjusted", "round",
)  # fmt: skip


def find_subgroups(
    scores: pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    outcome: str = "excess",
    depth: int = 2,
    min_speakers: int = 3,
    min_words: int = 50,
    group: str = "accent",
    condition: str = "condition",
    baseline: str = "clean",
    speaker: str = "speaker",
    sentence: str = "text",
    alpha: float = 0.05,
    most: int = 10,
) -> pd.DataFrame:
    """Return the slices that were tested, the named ones first, in the order in which they were named.

    In simulated sets of four speakers an accent it named a slice where none was planted in 2 to 5 % with or without a ceiling or hard
    sentences, in 5 to 9 % where accents differed a little in every condition; an accent's 33 % WER raised to 85 % in one condition was named
    first in 90 to 95 %, 65 % raised to 85 % in 25 to 45 % (`bench/fairness_search.py`, 100 sets each).

    Args:
        scores: the counts of `score` with the labels beside them.
        columns: whose values make slices; default the group, the condition, its factors, and every `attr_*`.
        outcome: `excess` or `errors`.
        depth: conditions of a slice at most, 1 to 3.
        min_speakers: in a slice, and outside it.
        min_words: in a slice.
        group, condition, baseline, speaker: as in `compare`.
        sentence: the column of the text, whose difficulty speakers share; left out where there is none.
        alpha: share of false slices among the named ones (Benjamini-Hochberg over all slices tested).
        most: slices to name at most.

    Returns:
        One row a slice; of those that were not named the 50 with the lowest p. `ratio` is of its errors to those that the complement
        predicts; `effect`, with its interval, is what is tested: for `excess` the odds ratio that it would be at a WER of one half
        (a one-step estimate, too large where nearly all is lost, and left out where no such number of words could show it), for `errors` a
        ratio of WERs. Columns with more than 50 values are not combined with others; those with more than 500 make no slices and are listed in
        `.attrs["not_searched"]`. Why no slice could be tested is in `.attrs["note"]`.

    Raises:
        RoomtoneError: a column or outcome that does not exist, or no speaker is known.
    """
    settings = SearchSettings(
        outcome=outcome, columns=columns, depth=depth, min_speakers=min_speakers, min_words=min_words
    )
    labels = CompareSettings(group=group, condition=condition, baseline=baseline, speaker=speaker, alpha=alpha)
    return search_as(scores, settings, labels, sentence=sentence, most=most)


def search_as(
    scores: pd.DataFrame, settings: SearchSettings, labels: CompareSettings, *, sentence: str = "text", most: int = 10
) -> pd.DataFrame:
    """Return what `find_subgroups` returns, the choices being checked settings.

    Args:
        scores: as in `find_subgroups`.
        settings: outcome, columns, depth and least sizes.
        labels: names of the label columns, and alpha.
        sentence: the column of the text.
        most: slices to name at most.

    Raises:
        RoomtoneError: as `find_subgroups`.
    """
    import pandas as pd

    names = _slice_columns(scores, settings.columns, labels.group, labels.condition)
    cells = make_cells(
        scores, names, group=labels.group, condition=labels.condition, speaker=labels.speaker, baseline=labels.baseline,
        sentence=sentence,
    )  # fmt: skip
    if cells.frame.empty:
        raise RoomtoneError("subgroups: no speaker is known, so the spread of a slice cannot be estimated")
    left_out = not_searched(cells.frame, names)
    slices = conjunctions(cells.frame, [name for name in names if name not in left_out], settings.depth)
    named: list[dict[str, Any]] = []
    tested: list[dict[str, Any]] = []
    for number in range(1, most + 2):
        table = cells.table
        fit = fit_levels(table) if settings.outcome == "excess" and len(cells.frame) else None
        found = _test_slices(cells, table, fit, slices, settings, labels.alpha)
        tested = [row | {"round": number} for row in found]
        chosen = next((row for row in tested if row["_judged"] and steady(table, row["_inside"], fit)), None)
        if chosen is None or number > most:
            break
        named.append(chosen | {"named": True})
        cells = cells.keep(~chosen["_inside"])
    rest = [row | {"named": False} for row in tested[:_SHOWN]]
    shown = pd.DataFrame([*named, *rest], columns=[*COLUMNS]).astype({"named": bool})
    shown.attrs["not_searched"] = left_out
    shown.attrs["note"] = "" if len(shown) else _why_none(settings, table)
    return shown


def _why_none(settings: SearchSettings, table: CountTable) -> str:
    """Return why no slice could be tested."""
    conditions = np.bincount(np.unique(np.stack([table.speaker, table.condition]), axis=1)[0])
    if settings.outcome == "excess" and (conditions < 2).all():
        return (
            "No slice could be tested. A slice's excess is told from what its speakers lose in other conditions, and no speaker was heard in several of"
            " them (subgroups.outcome=errors compares WERs instead)."
        )
    least = f"no slice has {settings.min_speakers} speakers and {settings.min_words} words, with {settings.min_speakers} speakers outside of it"
    return f"No slice could be tested: {least}."


def _slice_columns(scores: pd.DataFrame, columns: Sequence[str] | None, group: str, condition: str) -> list[str]:
    if columns is None:
        attributes = sorted(str(c) for c in scores.columns if str(c).startswith("attr_"))
        present = [c for c in FACTORS if c in scores]
        return list(dict.fromkeys([group, condition, *present, *attributes]))
    for name in columns:
        if name not in scores:
            raise RoomtoneError(f"subgroups: there is no column {name!r}; {nearest(name, map(str, scores.columns))}")
    return list(dict.fromkeys(columns))


def _test_slices(
    cells: Cells,
    table: CountTable,
    fit: FittedCounts | None,
    slices: Sequence[Predicate],
    settings: SearchSettings,
    alpha: float,
) -> list[dict[str, Any]]:
    """Return a row for each slice of the rows that are left, lowest p first; `fit` is None where WERs are compared."""
    now = cells.frame
    if now.empty:
        return []
    kept, masks = [], []
    literals = dict.fromkeys(literal for predicate in slices for literal in predicate.literals)
    held = {literal: literal.holds(now) for literal in literals}
    for predicate in slices:
        inside = np.logical_and.reduce([held[literal] for literal in predicate.literals])
        enough = min(_speakers(table, inside), _speakers(table, ~inside)) >= settings.min_speakers
        if enough and table.words[inside].sum() >= settings.min_words:
            kept.append(predicate)
            masks.append(inside)
    if not kept:
        return []
    matrix = np.array(masks).T  # each slice's cells side by side in memory
    if fit is not None:
        score = excess_of(cells, fit, kept, matrix)
        log_ratio, se, df, p = score.log_ratio, score.se, score.df, score.p
    else:
        log_ratio, se, df, p = _against_complement(table, matrix)
    adjusted = benjamini_hochberg(p)
    order = [k for k in np.lexsort((-np.nan_to_num(log_ratio), p)) if math.isfinite(p[k])]
    found = []
    for rank, k in enumerate(order):
        small = bool(adjusted[k] <= alpha)
        found.append(
            _row(
                kept[k], masks[k], now, table, (log_ratio[k], se[k], df[k]), (p[k], adjusted[k]), fit,
                shown=small or rank < _SHOWN, judged=small,
            )
        )  # fmt: skip
    return found


def _row(
    predicate: Predicate,
    inside: np.ndarray,
    now: pd.DataFrame,
    table: CountTable,
    effect: tuple[float, float, float],
    p: tuple[float, float],
    fit: FittedCounts | None,
    *,
    shown: bool,
    judged: bool,
) -> dict[str, Any]:
    errors, words = float(table.errors[inside].sum()), float(table.words[inside].sum())
    expected = math.nan
    if shown:
        expected = _rate(table, ~inside) * words
        if fit is not None:
            expected = expected_from_outside(table, inside, near=fit.levels)
    ratio = errors / expected if expected > 0 else math.nan
    half = float(t_quantile(0.975, np.array(effect[2]))) * effect[1]
    middle, low, high = (_odds(effect[0] + by, words) for by in (0.0, -half, half))
    if middle in (0.0, math.inf):  # one step from a model that hardly knows the slice
        middle, low, high = math.nan, math.nan, math.nan
    return {
        "slice": str(predicate), "predicate": json.dumps(predicate.to_json()), "_predicate": predicate,
        "ratio": ratio, "effect": middle, "effect_low": low, "effect_high": high,
        "errors": int(errors), "expected": expected, "words": int(words), "wer": errors / words,
        "speakers": _speakers(table, inside), "other_speakers": _speakers(table, ~inside),
        "samples": int(now.loc[inside, "_n"].sum()), "p": float(p[0]), "p_adjusted": float(p[1]),
        "_inside": inside, "_judged": judged and ratio > 1 and errors >= FEW_ERRORS,
    }  # fmt: skip


def _odds(log_ratio: float, words: float) -> float:
    """Return the ratio, 0 or infinity beyond what so many words can show: from half an error to all but half a word wrong.

    Args:
        log_ratio: of odds, or of WERs.
        words: in the slice.
    """
    most = 2 * math.log(2 * words)
    if abs(log_ratio) > most:
        return math.inf if log_ratio > 0 else 0.0
    return math.exp(log_ratio)


def _speakers(table: CountTable, rows: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(table.speaker[rows])))


def _rate(table: CountTable, rows: np.ndarray) -> float:
    words = table.words[rows].sum()
    return float(table.errors[rows].sum() / words) if words > 0 else math.nan


def _against_complement(table: CountTable, matrix: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the log ratio of WER inside to outside, jackknifed over speakers, who may be on both sides."""
    from scipy.special import stdtr

    results = []
    for inside in matrix.T:
        own, present = _sums(table, inside)
        log_ratio = _log_ratio(own.sum(axis=0))
        without = _log_ratio(own.sum(axis=0) - own)
        variance, share = 0.0, 0.0
        for stratum in (present, ~present):
            count = int(stratum.sum())
            if count > 1:
                with np.errstate(invalid="ignore"):  # a slice whose errors are all one speaker's has no spread
                    part = (count - 1) / count * float(((without[stratum] - without[stratum].mean()) ** 2).sum())
                variance, share = variance + part, share + part**2 / (count - 1)
        df = variance**2 / share if share > 0 else math.nan
        se = math.sqrt(variance) if variance > 0 else math.nan
        results.append((float(log_ratio), se, df, float(stdtr(df, -float(log_ratio) / se))))
    return tuple(np.array(column) for column in zip(*results))


def _sums(table: CountTable, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return errors and words inside and outside by speaker [shape=(speakers, 4)], and who has words inside."""
    size = table.speaker.max() + 1
    parts = [np.bincount(table.speaker, a * w, size) for w in (inside, ~inside) for a in (table.errors, table.words)]
    return np.column_stack(parts), parts[1] > 0


def _log_ratio(sums: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = np.log(sums[..., 0] / sums[..., 1]) - np.log(sums[..., 2] / sums[..., 3])
    return result


def steady(table: CountTable, inside: np.ndarray, fit: FittedCounts | None) -> bool:
    """Return whether the slice stays worse whichever one of its speakers is left out: it is not one person.

    Of more than 25 speakers those are left out, one at a time, whose errors are furthest above what is expected of them.

    Args:
        table: counts of all cells.
        inside: which cells are in the slice [shape=(cells,), bool].
        fit: the model over all cells; None compares WERs.
    """
    above = table.errors - _rate(table, ~inside) * table.words if fit is None else fit.residual
    people = np.unique(table.speaker[inside])
    by_person = np.bincount(table.speaker[inside], above[inside])[people]
    for person in people[np.argsort(-by_person, kind="stable")][:_LEFT_OUT]:
        keep = table.speaker != person
        part, rows = table.keep(keep), inside[keep]
        if not rows.any():
            return False
        expected = _rate(part, ~rows) * part.words[rows].sum()
        if fit is not None:
            near = replace(fit.levels, speaker=np.delete(fit.levels.speaker, person))
            expected = expected_from_outside(part, rows, near.curvature, near)
        if not part.errors[rows].sum() > expected:
            return False
    return True
