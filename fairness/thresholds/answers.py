"""From which SNR (level, period, T60, loss) on each accent passes a limit, with intervals by speaker, and who passes it sooner."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.compare import SEVERAL
from roomtone.fairness.inference.counts import SpeakerCounts, lay_out, prepare
from roomtone.fairness.inference.intervals import holm
from roomtone.fairness.inference.study import REST, reference_of
from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.thresholds.asked import Question, read_question
from roomtone.fairness.thresholds.curves import Crossing, Curve, Difference, crossing, curve_of, difference
from roomtone.fairness.thresholds.steps import WITHOUT, Steps, find_steps
from roomtone.fairness.thresholds.wording import ALWAYS, AT, LATER, NEVER, SAME, SOONER, UNKNOWN, Wording
from roomtone.fairness.versions.stored import StoredEvaluation, read_stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Thresholds:
    """The answers to one question.

    Attributes:
        question: what was asked.
        steps: where it was measured.
        group: the column of the groups.
        accents: one row a group, who passes the limit in the mildest conditions first: `answer` (at, never, always, not_enough_data), `threshold, low, high`
            in the unit of the steps (an empty end is beyond them), `other, difference, difference_low, difference_high, p, p_adjusted, verdict` (sooner,
            later, no_difference, not_enough_data), and the sentences.
        rates: one row a group and step: what was counted.
        curves: of each group.
        asked_of: the group whose answer comes first; None where all are asked.
    """

    question: Question
    steps: Steps
    group: str
    accents: pd.DataFrame
    rates: pd.DataFrame
    curves: dict[str, Curve]
    asked_of: str | None = None

    def headline(self) -> str:
        """Return the answer in a sentence or two."""
        rows = self.accents
        if self.asked_of is not None:
            row = rows[rows[self.group].map(str) == self.asked_of].iloc[0]
            return " ".join(filter(None, (row["statement"], row["difference_statement"])))
        found = rows[rows["answer"].isin([AT, ALWAYS])]
        first = str((found if len(found) else rows)["statement"].iloc[0])
        apart = [str(text) for text in rows.loc[rows["verdict"] == SOONER, "difference_statement"]]
        if apart:
            return " ".join([first, *apart[:3]])
        return f"{first} That any {self.group} passes it sooner than others is not shown."


def find_thresholds(evaluation: str | os.PathLike[str], **question: Any) -> Thresholds:
    """Return from which step on each group of an evaluation passes a limit.

    Args:
        evaluation: folder of an evaluation, or of its set.
        question: `factor` (noise), `level`, `along`, `values`, `unit`, `worse`, `wer` (0.3) or `cost`, `where`, `reference`, `smallest`, `alpha`,
            `power`; `roomtone threshold --help` says what each is.

    Raises:
        RoomtoneError: no evaluation, a question that cannot be asked of it, or no steps.
    """
    stored = read_stored(evaluation)
    return answer(stored.scores, read_question(question), _settings(stored))


def _settings(stored: StoredEvaluation) -> CompareSettings:
    """Return the columns that an evaluation compared."""
    names = {name: stored.settings[name] for name in ("group", "speaker", "reference") if stored.settings.get(name)}
    return CompareSettings(**names)


def answer(scores: pd.DataFrame, asked: Question, settings: CompareSettings) -> Thresholds:
    """Return the answers in scores that have the set's labels beside them.

    Args:
        scores: one row a sample.
        asked: the question.
        settings: names of the columns of groups and speakers, and the group that others are compared with.

    Raises:
        RoomtoneError: as `find_thresholds`.
    """
    steps = find_steps(scores, asked)
    names = [str(k) for k in range(len(steps.levels))] + ([WITHOUT] if asked.is_cost else [])
    rows = prepare(
        steps.rows, group=settings.group, condition="step", speaker=settings.speaker, baseline=names[0], utterance="sample_id"
    )  # fmt: skip
    counts = lay_out(rows, names, several=settings.group == SEVERAL).count("errors").of_known()
    if not len(counts.groups):
        raise RoomtoneError(f"{settings.speaker}: no speaker is known, and the speaker is the unit of every interval")
    other = reference_of(counts.groups, asked.reference or settings.reference)
    curves = {name: _curve(counts, steps, counts.is_in(g), asked.share) for g, name in enumerate(counts.groups)}
    said = Wording(steps, asked)
    found = [
        _row(said, counts, name, curves[name]) | _apart(said, counts, g, curves[name], other)
        for g, name in enumerate(counts.groups)
    ]  # fmt: skip
    return Thresholds(
        asked, steps, settings.group, _frame(said, found, settings.group), _rates(counts, steps, settings.group), curves
    )


def _curve(counts: SpeakerCounts, steps: Steps, who: np.ndarray, share: float) -> Curve:
    errors, words = (counts.counts[kind][who] for kind in (0, 1))
    count = len(steps.levels)
    without = (errors[:, count], words[:, count]) if errors.shape[1] > count else None
    return curve_of(steps.severity, errors[:, :count], words[:, :count], without, counts.codes[who], cost=share)


def _row(said: Wording, counts: SpeakerCounts, name: str, curve: Curve) -> dict[str, Any]:
    """Return what is known of one group alone."""
    found = crossing(curve, said.asked.share, 1 - said.asked.alpha)
    kind = _answer(found)
    g = counts.groups.index(name)
    low, high = sorted(said.steps.value_of(end) for end in (found.low, found.high))
    return {
        "group": name, "answer": kind, "threshold": said.steps.value_of(found.at), "low": low, "high": high, "speakers": curve.speakers,
        "words": int(counts.sums(1)[g].sum()), "statement": said.threshold(name, kind, found, curve.speakers), "_order": _order(found),
    }  # fmt: skip


def _order(found: Crossing) -> tuple[bool, float, float]:
    """Return what sorts groups: who passes the limit in the mildest conditions first, who cannot be told last."""
    return math.isnan(found.low), found.at, found.low


def _answer(found: Crossing) -> str:
    if math.isnan(found.low) or (found.low == -math.inf and found.high == math.inf):
        return UNKNOWN
    if math.isfinite(found.at):
        return AT
    if found.at > 0:
        return NEVER if found.low == math.inf else UNKNOWN
    return ALWAYS if found.high == -math.inf else UNKNOWN


def _apart(said: Wording, counts: SpeakerCounts, g: int, curve: Curve, other: int) -> dict[str, Any]:
    """Return a group's difference from the one that all are compared with, or from all others."""
    if g == other or len(counts.groups) < 2:
        return {"other": "", "apart": None, "needed": None}
    rest = counts.is_in(other) & ~counts.is_in(g) if other >= 0 else ~counts.is_in(g)
    against = _curve(counts, said.steps, rest, said.asked.share)
    found = difference(curve, against, said.asked.share, 1 - said.asked.alpha)
    needed = _speakers_needed(said, found, min(curve.speakers, against.speakers))
    return {"other": counts.groups[other] if other >= 0 else REST, "apart": found, "needed": needed}


def _speakers_needed(said: Wording, found: Difference, speakers: int) -> int | None:
    """Return the speakers of a group that would show the smallest difference that matters, from how the interval shrinks with them."""
    from scipy.special import ndtri

    if not said.smallest or not math.isfinite(found.high - found.low):
        return None
    asked = said.asked
    usual = float(ndtri(1 - asked.alpha / 2))
    half = (found.high - found.low) / 2 * (usual + float(ndtri(asked.power))) / usual
    return max(speakers, math.ceil(speakers * (half / said.smallest) ** 2))


def _frame(said: Wording, rows: list[dict[str, Any]], group: str) -> pd.DataFrame:
    """Return the table; p of all groups are one family, adjusted by Holm."""
    import pandas as pd

    p = np.array([row["apart"].p if row["apart"] else math.nan for row in rows])
    for row, value, adjusted in zip(rows, p, holm(p)):
        row |= {"p": value, "p_adjusted": adjusted} | _verdict(said, row, float(adjusted))
    rows.sort(key=lambda row: row["_order"])
    wanted = (
        "answer", "threshold", "low", "high", "speakers", "words", "other", "difference", "difference_low", "difference_high", "p", "p_adjusted",
        "verdict", "speakers_needed", "statement", "difference_statement",
    )  # fmt: skip
    frame = pd.DataFrame({group: [row["group"] for row in rows]} | {key: [row[key] for row in rows] for key in wanted})
    numbers = ["threshold", "low", "high", "difference", "difference_low", "difference_high"]
    frame[numbers] = frame[numbers].replace([math.inf, -math.inf], math.nan)
    return frame.assign(speakers_needed=frame["speakers_needed"].astype("Int64"))


def _verdict(said: Wording, row: dict[str, Any], adjusted: float) -> dict[str, Any]:
    found: Difference | None = row["apart"]
    if found is None:
        return {"verdict": "", "speakers_needed": None, "difference_statement": ""} | dict.fromkeys(
            ("difference", "difference_low", "difference_high"), math.nan
        )
    turned = -1 if said.steps.lower_is_worse else 1
    low, high = sorted((turned * found.low, turned * found.high))
    kind = UNKNOWN
    if adjusted <= said.asked.alpha:
        kind = SOONER if found.high < 0 else LATER
    elif said.smallest and -said.smallest < found.low and found.high < said.smallest:
        kind = SAME
    needed = row["needed"] if kind == UNKNOWN else None
    text = said.difference(row["group"], row["other"], kind, turned * found.at, low, high, needed)
    return {
        "difference": turned * found.at, "difference_low": low, "difference_high": high, "verdict": kind, "speakers_needed": needed,
        "difference_statement": text,
    }  # fmt: skip


def _rates(counts: SpeakerCounts, steps: Steps, group: str) -> pd.DataFrame:
    """Return what was counted at each step, the samples without the disturbance last."""
    import pandas as pd

    errors, words = counts.sums(0), counts.sums(1)
    levels = [*steps.levels, *counts.conditions[len(steps.levels) :]]
    places = [*steps.values.tolist(), *[math.nan] * (len(levels) - len(steps.levels))]
    return pd.DataFrame(
        [
            {group: name, "level": level, "place": place, "errors": int(errors[g, k]), "words": int(words[g, k]), "wer": errors[g, k] / words[g, k]}
            for g, name in enumerate(counts.groups)
            for k, (level, place) in enumerate(zip(levels, places))
        ]
    )  # fmt: skip
