"""A study as tables: one row a comparison, with its intervals, the smallest gap it could have shown, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from roomtone.fairness.comparison.contents import Contents
from roomtone.fairness.comparison.failing import Failing
from roomtone.fairness.comparison.statements import statement
from roomtone.fairness.comparison.verdicts import SATURATED_LOST, WER, Evidence, Side, judge
from roomtone.fairness.inference.bootstrap import Bootstrap
from roomtone.fairness.inference.counts import SpeakerCounts
from roomtone.fairness.inference.estimands import Estimand
from roomtone.fairness.inference.intervals import FEW_ERRORS
from roomtone.fairness.inference.study import REST, Study

COLUMNS = (
    "reference", "estimand", "gap", "gap_low", "gap_high", "ratio", "ratio_low", "ratio_high", "did", "did_low", "did_high",
    "ror", "ror_low", "ror_high", "logit_did", "simultaneous_low", "simultaneous_high", "p", "p_adjusted", "detectable", "verdict",
    "statement", "speakers", "reference_speakers", "words", "reference_words", "wer", "reference_wer", "lost", "reference_lost",
    "speakers_needed", "words_needed", "gap_bootstrap_low", "gap_bootstrap_high", "did_bootstrap_low", "did_bootstrap_high",
    "saturated", "few_errors", "own_texts", "units_differ", "family",
)  # fmt: skip
_LOGIT_TOP = 0.999


class Comparisons:
    """Makes the rows of a study.

    Args:
        study: worked out.
        lost: counts of the words lost; None where saturation has no meaning.
        bootstrap: the second opinion, or None.
        measure: what the rates are of, in words.
    """

    def __init__(
        self, study: Study, lost: SpeakerCounts | None = None, bootstrap: Bootstrap | None = None, measure: str = WER
    ) -> None:
        self.study = study
        self.measure = measure
        self.bootstrap = bootstrap
        self.failing = Failing(study.data)
        self.contents = Contents(study)
        self._count = len(study.data.conditions)
        self._known = study.estimands.numbers
        self._own, self._rest = _sides(study.everybody, study.other)
        self._lost = tuple(_rate(side[0], side[1]) for side in _sides(lost or study.everybody, study.other))
        if lost is None:
            self._lost = tuple(np.zeros_like(rates) for rates in self._lost)
        self._wer = tuple(_rate(side[0], side[1]) for side in (self._own, self._rest))
        self._bounds, self._log_bounds = study.interval(), study.log_interval()
        self._all = study.log_interval(simultaneous=True) if study.is_ratio else study.interval(simultaneous=True)

    def rows(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Return one row for each compared group and estimand that both sides have data of.

        Args:
            numbers: of the estimands that the rows are about.
        """
        found = (self._row(g, k) for g in self.study.compared for k in numbers)
        return [row for row in found if row is not None]

    def labelled_rows(self, numbers: Sequence[tuple[int, str]]) -> list[tuple[dict[str, Any], str]]:
        """Return the rows of `rows`, each with the label of its estimand.

        Args:
            numbers: of the estimands that the rows are about, and their labels.
        """
        found = ((self._row(g, k), label) for g in self.study.compared for k, label in numbers)
        return [(row, label) for row, label in found if row is not None]

    def _row(self, g: int, k: int) -> dict[str, Any] | None:
        study = self.study
        item = study.estimands.items[k]
        conditions = sorted({c % self._count for c in item.columns})
        sides = self._sides(g, conditions)
        if sides[0].words == 0 or sides[1].words == 0:
            return None
        is_gap = item.columns[0] < self._count
        kinds = ("ratio", "ror") if study.is_ratio else ("gap", "did")
        row: dict[str, Any] = {
            "group": sides[0].name,
            "condition": item.label,
            "factor": item.factor,
            "reference": sides[1].name,
        }
        row["estimand"] = kinds[0 if is_gap else 1]
        row |= self._estimates(g, conditions) | self._test(g, k) | self._facts(g, k, conditions, sides)
        shared = len(self._shared(g, conditions)), len(conditions)
        verdict = judge(self._evidence(g, k, item, row, sides, shared), statement)
        row |= {"verdict": verdict.verdict, "statement": verdict.statement, "_columns": item.columns}
        return row | {"speakers_needed": verdict.speakers_needed, "words_needed": verdict.words_needed}

    def _estimates(self, g: int, conditions: Sequence[int]) -> dict[str, float]:
        """Return gap, ratio, and their differences from the baseline, with intervals; NaN where one is not defined."""
        noisy = tuple(self._count + c for c in conditions if c)
        places = {"gap": self._known.get(tuple(conditions)), "did": self._known.get(noisy) if noisy else None}
        found: dict[str, float] = {}
        for (name, k), log_name in zip(places.items(), ("ratio", "ror")):
            for key, ends, seen in (
                (name, self._bounds, self.study.observed),
                (log_name, self._log_bounds, self.study.logs),
            ):
                three = (math.nan,) * 3 if k is None else (seen.value[g, k], ends[0][g, k], ends[1][g, k])
                with np.errstate(over="ignore"):
                    values = [float(np.exp(v)) if key == log_name else float(v) for v in three]
                found |= dict(zip((key, f"{key}_low", f"{key}_high"), values))
        if not max(side[0][g, list(conditions)].sum() for side in (self._own, self._rest)):
            found |= dict.fromkeys(("ratio", "ratio_low", "ratio_high"), math.nan)  # no error against none
        single = conditions[0] if len(conditions) == 1 else None
        found["logit_did"] = float(self._logits[g, single]) if single else math.nan
        if self.bootstrap is not None and single is not None:
            return found | self.bootstrap.bounds(g, single, self.study.other)
        return found | {f"{n}_bootstrap_{end}": math.nan for n in ("gap", "did") for end in ("low", "high")}

    @cached_property
    def _logits(self) -> np.ndarray:
        """Return the difference of gaps in log odds of rates up to 0.999: a WER may pass 1, where odds end [shape=(groups, conditions)]."""
        total = np.zeros(self._own.shape[1:])
        with np.errstate(invalid="ignore", divide="ignore"):
            for sign, side in ((1, self._own), (-1, self._rest)):
                for also, events in ((1, 2), (-1, 4)):
                    rate = np.minimum(_rate(side[events], side[events + 1]), _LOGIT_TOP)
                    total += sign * also * np.log(rate / (1 - rate))
        return total

    @property
    def _is_wer(self) -> bool:
        return self.measure == WER

    def _test(self, g: int, k: int) -> dict[str, Any]:
        study, test = self.study, self.study.test
        p = max(float(test.p[g, k]), study.smallest_p) if math.isfinite(test.p[g, k]) else math.nan
        adjusted = (
            max(float(test.p_adjusted[g, k]), p) if math.isfinite(test.p_adjusted[g, k]) else math.nan
        )  # of few or uneven speakers the family's scales differ a little from those of a test alone
        size = (
            float(study.detectable[g, k]) if study.smallest_p <= study.settings.alpha else math.nan
        )  # no test shows anything
        low, high = (float(bound[g, k]) for bound in self._all)
        ratio = study.is_ratio
        return {
            "p": p, "p_adjusted": adjusted, "detectable": math.exp(size) if ratio else size,
            "simultaneous_low": math.exp(low) if ratio else low, "simultaneous_high": math.exp(high) if ratio else high,
        }  # fmt: skip

    def _facts(self, g: int, k: int, conditions: Sequence[int], sides: tuple[Side, Side]) -> dict[str, Any]:
        errors = [side[0][g, list(conditions)].sum() for side in (self._own, self._rest)]
        own, other = sides
        return {
            "speakers": own.speakers, "reference_speakers": other.speakers, "words": own.words, "reference_words": other.words,
            "wer": own.wer, "reference_wer": other.wer, "lost": own.lost, "reference_lost": other.lost,
            "saturated": bool(max(own.lost, other.lost) > SATURATED_LOST), "few_errors": bool(min(errors) < FEW_ERRORS),
            "own_texts": bool(self.study.texts.confounded[g]), "units_differ": self._is_wer and self.contents.units_differ(g),
        }  # fmt: skip

    def _sides(self, g: int, conditions: Sequence[int]) -> tuple[Side, Side]:
        study, columns, both = self.study, list(conditions), self._shared(g, conditions)
        name = study.data.groups[study.other] if study.other >= 0 else REST
        found = []
        for label, side, rates, lost, speakers, failing in zip(
            (study.data.groups[g], name), (self._own, self._rest), self._wer, self._lost, self._speakers,
            self.failing.sides(g, study.other, tuple(columns)),
        ):  # fmt: skip
            wer, gone = (float(np.mean(values[g, both])) if both else math.nan for values in (rates, lost))
            found.append(
                Side(
                    label,
                    wer,
                    gone,
                    int(speakers[g, both or columns].max(initial=0)),
                    int(side[1][g, both or columns].sum()),
                    *failing,
                )
            )
        return found[0], found[1]

    def _shared(self, g: int, conditions: Sequence[int]) -> list[int]:
        """Return which conditions have words of both sides."""
        return [c for c in conditions if self._own[1][g, c] > 0 and self._rest[1][g, c] > 0]

    @cached_property
    def _speakers(self) -> tuple[np.ndarray, np.ndarray]:
        """Return known speakers of each group and of what it is compared with [both shape=(groups, conditions)]."""
        data, other = self.study.data, self.study.other
        own = data.speakers
        if other >= 0:
            return own, np.repeat(own[[other]], len(own), axis=0)
        known = np.array([any(data.known[group] for group in one) for one in data.sets])[data.codes]
        everybody = ((data.counts[1] > 0) & known[:, None]).sum(axis=0)
        return own, everybody - own

    def _evidence(
        self, g: int, k: int, item: Estimand, row: dict[str, Any], sides: tuple[Side, Side], shared: tuple[int, int]
    ) -> Evidence:
        study, s = self.study, self.study.settings
        seen, (low, high) = (study.logs, self._log_bounds) if study.is_ratio else (study.observed, self._bounds)
        hides = self._is_wer and self.contents.are_invented(g, item.columns)
        return Evidence(
            sides[0], sides[1], item.label, item.kind or "cell", s.baseline, row["estimand"], float(seen.value[g, k]), float(low[g, k]),
            float(high[g, k]), row["p_adjusted"], float(study.detectable[g, k]), float(study.shown_at_smallest[g, k]),
            math.log(s.smallest_ratio) if study.is_ratio else s.smallest_gap, s.alpha, s.power, study.smallest_p, study.speakers_for_p,
            row["own_texts"], f"{self.measure} (without what was invented)" if hides else self.measure,
            self.contents.others_with_own_texts(g), row["units_differ"], shared,
        )  # fmt: skip


def _sides(counts: SpeakerCounts, other: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of each group and of what it is compared with: of known speakers, or of everybody where a group has none."""
    of_known, everybody = counts.of_known().sides(other), counts.sides(other)
    known = counts.known[None, :, None]
    return np.where(known, of_known[0], everybody[0]), np.where(known, of_known[1], everybody[1])


def _rate(events: np.ndarray, trials: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = np.where(trials > 0, events / trials, np.nan)
    return found
