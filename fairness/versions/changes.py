"""What changed between two evaluations of one set: for whom the recogniser got better, and whose gap narrowed.

Every sample is paired with itself. With W the WER of a group b, and of what it is compared with a:

    change of b       = W_b,after - W_b,before
    change of its gap = change of b - change of a

Both are means over the conditions, each weighing the same. The later evaluation takes the place of the conditions and the earlier one that of
the baseline in the family of tests of `compare`, so changes of gaps have the same guarantees: labels of speakers are permuted, and groups, levels and
cells are one family. Errors that both make in a sample say nothing about a change: on the scale of differences they cancel and are left out; a ratio
has them in both its parts, so they are counted, and taken out of the variance that chance gives it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.compare import SEVERAL, levels_of
from roomtone.fairness.inference.counts import SHARED, Layout, lay_out, prepare
from roomtone.fairness.inference.estimands import ACCENT, ALL_CONDITIONS, CELL, LEVEL, Estimand, Estimands
from roomtone.fairness.inference.study import REST, Study, work_out
from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.own_changes import OwnChange, own_changes
from roomtone.fairness.versions.verdicts import GapChange, judge_gap

if TYPE_CHECKING:
    import pandas as pd

#: Stands where a baseline stands; no condition has this name, since a blank cannot be in one.
_BEFORE = "the earlier evaluation"
COLUMNS = (
    "speakers", "words", "wer_before", "wer_after", "change", "change_low", "change_high", "change_p_adjusted", "change_verdict",
    "gap_before", "gap_after", "gap_change", "gap_change_low", "gap_change_high", "p", "p_adjusted", "detectable", "verdict", "statement",
)  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """What changed, from the headline to the detail; rates are shares, changes on the scale of `settings["scale"]`.

    Attributes:
        accents: one row a group over all conditions, whose gap changed most for the worse first.
        levels: one row a group and factor level.
        cells: one row a group and condition.
        overall: the change over all groups, each weighing the same: `wer_before, wer_after, change, change_low, change_high`.
        settings: what was chosen.
        facts: samples compared, tests, permutations, and the smallest p that these speakers can give.
    """

    accents: pd.DataFrame
    levels: pd.DataFrame
    cells: pd.DataFrame
    overall: Mapping[str, float]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]


def compare_scores(before: pd.DataFrame, after: pd.DataFrame, settings: CompareSettings) -> Changes:
    """Return what changed between two scorings of the same samples.

    Args:
        before: the counts of `score` with the labels beside them, one row a sample.
        after: the same samples in the same order.
        settings: the choices of `compare`; its baseline has no part here.

    Raises:
        RoomtoneError: other samples, or a column or group that is not there.
    """
    if before["sample_id"].tolist() != after["sample_id"].tolist():
        raise RoomtoneError("two evaluations are compared sample by sample: give the same samples in the same order")
    s = replace(settings, baseline=_BEFORE, utterance="sample_id", declared=None)
    conditions = [_BEFORE, *sorted(set(after[s.condition].map(str)))]
    both = _both(before, after, s)
    levels = levels_of(both, both.rename(columns={s.condition: "condition"}), conditions)
    estimands = _estimands(conditions, levels)
    layouts = [
        lay_out(_rows(both, column, s), conditions, several=s.group == SEVERAL) for column in ("compared", "differing")
    ]
    study = work_out(layouts[0 if s.scale == "ratio" else 1], estimands, s)
    made = _Tables(study, layouts[0])
    accents = sorted(
        made.rows(ACCENT), key=lambda row: -row["gap_change"] if math.isfinite(row["gap_change"]) else math.inf
    )
    facts = {
        "samples": len(before), "tests": study.test.tests, "permutations": study.test.permutations, "smallest_p": study.smallest_p,
    }  # fmt: skip
    return Changes(
        _frame(accents, s), _levels(_frame(made.rows(LEVEL), s, "factor"), s), _frame(made.rows(CELL), s), made.overall(), settings.to_json(), facts
    )  # fmt: skip


def _both(before: pd.DataFrame, after: pd.DataFrame, s: CompareSettings) -> pd.DataFrame:
    """Return both scorings as one table, the earlier one in the condition `_BEFORE`; errors as `compare` counts them, and those that differ."""
    import pandas as pd

    names = {"group": s.group, "condition": s.condition, "speaker": s.speaker, "utterance": "sample_id"}
    errors = []
    for frame in (before, after):
        found = prepare(frame, **names, baseline=str(frame[s.condition].iloc[0]), sentence=s.sentence)
        errors.append(found["errors"].to_numpy(float))
    shared = np.minimum(*errors)
    counted = {SHARED: np.nan_to_num(shared)}  # of a sample that one of both lacks nothing is compared
    parts = [
        frame.assign(compared=own, differing=own - shared, **counted) for frame, own in zip((before, after), errors)
    ]
    parts[0] = parts[0].assign(**{s.condition: _BEFORE})
    return pd.concat(parts, ignore_index=True)


def _rows(both: pd.DataFrame, column: str, s: CompareSettings) -> pd.DataFrame:
    counted = both.drop(columns=["substitutions", "deletions", "insertions"], errors="ignore").assign(
        errors=both[column]
    )
    rows = prepare(
        counted, group=s.group, condition=s.condition, speaker=s.speaker, baseline=_BEFORE, utterance="sample_id", sentence=s.sentence
    )  # fmt: skip
    return rows.assign(**{SHARED: both[SHARED].to_numpy()}) if column == "compared" else rows


def _estimands(conditions: Sequence[str], levels: Mapping[tuple[str, str], Sequence[int]]) -> Estimands:
    """Return the changes of gaps that are tested: over all conditions, of each factor level, of each condition."""
    count = len(conditions)
    every = tuple(range(count + 1, 2 * count))
    found = {every: Estimand(ACCENT, ALL_CONDITIONS, every)}
    for c, name in enumerate(conditions[1:], start=1):
        found.setdefault((count + c,), Estimand(CELL, name, (count + c,)))
    for (factor, level), members in levels.items():
        columns = tuple(count + c for c in members)
        found.setdefault(columns, Estimand(LEVEL, level, columns, factor))
    return Estimands(tuple(found.values()))


class _Tables:
    """Makes the rows of a study of changes.

    Args:
        study: worked out.
        layout: of the errors as `compare` counts them, from which rates are shown.
    """

    def __init__(self, study: Study, layout: Layout) -> None:
        self.study = study
        counts = layout.count("errors").of_known()
        self._sides = counts.sides(study.other)
        self._speakers = counts.speakers
        self._low, self._high = study.log_interval() if study.is_ratio else study.interval(growing=False)
        self._own = own_changes(study)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return one row a compared group and estimand of a kind."""
        items = enumerate(self.study.estimands.items)
        numbers = [k for k, item in items if item.kind == kind]
        if kind == CELL and not numbers:  # one condition is "all conditions"
            numbers = [0]
        return [row for k in numbers for g in range(len(self.study.data.groups)) if (row := self._row(g, k))]

    def overall(self) -> dict[str, float]:
        """Return the change over all groups, each weighing the same."""
        found = [row for g in range(len(self.study.data.groups)) if (row := self._row(g, 0))]
        rates = {
            name: float(np.mean([row[name] for row in found])) if found else math.nan
            for name in ("wer_before", "wer_after")
        }
        return rates | self._own.overall()

    def _row(self, g: int, k: int) -> dict[str, Any] | None:
        study = self.study
        item, seen = study.estimands.items[k], study.logs if study.is_ratio else study.observed
        at = [column % len(study.data.conditions) for column in item.columns]
        rates, gap_before, gap_after = self._rates(g, at)
        if not math.isfinite(rates["wer_after"]):
            return None
        own: OwnChange = self._own.of(g, k)
        other = study.data.groups[study.other] if study.other >= 0 else REST
        gap = GapChange(
            study.data.groups[g], other, item.label, item.kind == ACCENT, gap_before, gap_after, float(seen.value[g, k]), float(self._low[g, k]),
            float(self._high[g, k]), max(float(study.test.p_adjusted[g, k]), study.smallest_p), float(study.detectable[g, k]), study.settings,
            study.smallest_p,
        )  # fmt: skip
        verdict, statement = judge_gap(gap) if g in study.compared else ("", own.statement(rates, study.settings))
        return {
            "group": gap.name, "condition": item.label, "factor": item.factor, "speakers": int(self._speakers[g, at].max()),
            "words": int(self._sides[0][1][g, at].sum()), **rates, **own.columns(), "gap_before": gap_before, "gap_after": gap_after,
            "gap_change": gap.value, "gap_change_low": gap.low, "gap_change_high": gap.high, "p": float(study.test.p[g, k]),
            "p_adjusted": gap.p_adjusted, "detectable": gap.detectable, "verdict": verdict, "statement": statement,
        }  # fmt: skip

    def _rates(self, g: int, at: Sequence[int]) -> tuple[dict[str, float], float, float]:
        """Return WER before and after, and the gaps, as means over the conditions that both sides have."""
        own, rest = (side[:, g, at] for side in self._sides)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = [side[events] / side[events + 1] for side in (own, rest) for events in (4, 2)]
        both = np.isfinite(rates[0]) & np.isfinite(rates[2])
        shown = both if both.any() else np.isfinite(rates[0])
        before, after, other_before, other_after = (float(r[shown].mean()) if shown.any() else math.nan for r in rates)
        return {"wer_before": before, "wer_after": after}, before - other_before, after - other_after


def _levels(frame: pd.DataFrame, s: CompareSettings) -> pd.DataFrame:
    return frame.assign(level=frame[s.condition])


def _frame(rows: list[dict[str, Any]], s: CompareSettings, *more: str) -> pd.DataFrame:
    import pandas as pd

    names = {"group": s.group, "condition": s.condition}
    wanted = ["group", "condition", *more, *COLUMNS]
    return pd.DataFrame({names.get(key, key): [row[key] for row in rows] for key in wanted})
