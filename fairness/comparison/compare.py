"""Does a condition hurt some groups more than others? WER by group and condition, gaps, differences of gaps, verdicts.

With W the ratio of summed errors to summed words of a group b, a reference a, a condition c and the baseline 0:

    gap = W_bc - W_ac            did = (W_bc - W_b0) - (W_ac - W_a0)
    ratio = W_bc / W_ac          ror = (W_bc / W_b0) / (W_ac / W_a0)

`did` and `ror` can disagree in sign, so both are given and the scale of the verdict is named. In the baseline the verdict is on
the gap itself, elsewhere on the did. Intervals are the speaker jackknife's (see `intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.comparison.counts import GroupCounts, count_groups, prepare
from roomtone.fairness.comparison.intervals import (
    FEW_ERRORS,
    Estimate,
    GroupEstimates,
    benjamini_hochberg,
    garwood,
    group_estimates,
    holm,
    percentile_interval,
    resample_weights,
)
from roomtone.fairness.comparison.verdicts import Evidence, is_saturated, judge
from roomtone.fairness.settings import CompareSettings

if TYPE_CHECKING:
    import pandas as pd

REST = "all others"


@dataclass(frozen=True)
class Comparison:
    """`cells`: one row a group and condition. `gaps`: one row a comparison. `settings`: all that was chosen."""

    cells: pd.DataFrame
    gaps: pd.DataFrame
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        found = self.gaps["verdict"].value_counts().to_dict() if len(self.gaps) else {}
        return f"Comparison({len(self.cells)} cells, {len(self.gaps)} gaps: {found})"

    def _repr_html_(self) -> str:
        from roomtone.fairness.report.matrix import comparison_html

        return comparison_html(self)


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: its name, counts, jackknifed statistics and bootstrap rates [shape=(resamples, conditions)]."""

    name: str
    counts: GroupCounts
    estimates: GroupEstimates
    drawn_rate: np.ndarray
    drawn_change: np.ndarray


def compare(
    scores: pd.DataFrame,
    *,
    group: str = "accent",
    condition: str = "condition",
    baseline: str = "clean",
    speaker: str = "speaker",
    seed: int = 0,
    reference: str | None = None,
    utterance: str = "utterance_id",
    scale: str = "difference",
    smallest_gap: float = 0.05,
    smallest_ratio: float = 1.25,
    declared: Sequence[tuple[str, str]] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    resamples: int = 2000,
) -> Comparison:
    """Return WER by group and condition, and every gap with its interval, the smallest it could have shown, and a verdict.

    Args:
        scores: the counts of `score` (or `errors` and `words`) with the label columns beside them, one row a sample.
        group: the column whose values are compared; its name is that of the output's column.
        condition: the column of conditions, likewise.
        baseline: the condition that the others are held against.
        speaker: the column of speakers; intervals rest on them. Null where not known: then there is no interval.
        seed: of the bootstrap, the second opinion; nothing else is random.
        reference: the group that the others are held against; default all others together, or with two groups the first by name.
        utterance: the column that pairs a sample with the same words in the baseline; without it speakers are paired.
        scale: what verdicts and p rest on, `difference` (points of WER) or `ratio`.
        smallest_gap: the difference that matters, a share (0.05 is five points); "no gap" means smaller than this.
        smallest_ratio: the ratio that matters, above 1, for `scale="ratio"`.
        declared: the (group, condition) pairs that were asked before looking: Holm's correction over them, Benjamini-Hochberg's
            over the others. Default: all are declared.
        alpha: of the verdicts, after correction.
        power: with which `detectable` would be found.
        resamples: of the bootstrap.

    Returns:
        `.cells` and `.gaps`; rates, gaps and did are shares. `detectable` is on the scale of the verdict: a share, or a ratio.

    Raises:
        RoomtoneError: a column, the baseline, the reference or a declared pair that does not exist; fewer than one group.
    """
    chosen = CompareSettings(
        group=group, condition=condition, baseline=baseline, speaker=speaker, utterance=utterance, reference=reference, scale=scale,
        smallest_gap=smallest_gap, smallest_ratio=smallest_ratio, declared=declared, alpha=alpha, power=power, resamples=resamples, seed=seed,
    )  # fmt: skip
    return compare_as(scores, chosen)


def compare_as(scores: pd.DataFrame, settings: CompareSettings) -> Comparison:
    """Return what `compare` returns, the choices being checked settings.

    Raises:
        RoomtoneError: as `compare`.
    """
    s = settings
    rows = prepare(
        scores, group=s.group, condition=s.condition, speaker=s.speaker, baseline=s.baseline, utterance=s.utterance
    )
    conditions = [s.baseline, *sorted(set(rows["condition"]) - {s.baseline})]
    groups = count_groups(rows, s.baseline, conditions)
    rng = np.random.default_rng(s.seed)
    sides = {name: _side(name, counts, s.resamples, rng) for name, counts in groups.items()}
    pairs = _pairs(sides, s.reference, rng)
    names = {"group": s.group, "condition": s.condition}
    cells = _cells(rows, scores, sides, conditions).rename(columns=names)
    gaps = _gaps(pairs, conditions, _declared(s.declared, pairs, conditions), s.to_json()).rename(columns=names)
    return Comparison(cells, gaps, s.to_json())


def _side(name: str, counts: GroupCounts, resamples: int, rng: np.random.Generator) -> _Side:
    weights = resample_weights(counts.errors.shape[0], resamples, rng).astype(float)
    if len(weights) < resamples:  # few speakers: every resample is at hand, and pairs of sides are drawn from them
        weights = weights[rng.integers(0, len(weights), resamples)]
    return _Side(name, counts, _estimates(counts), *_drawn(counts, weights))


def _estimates(counts: GroupCounts) -> GroupEstimates:
    paired = group_estimates(counts.paired_errors, counts.paired_words, counts.base_errors, counts.base_words)
    own = group_estimates(counts.errors, counts.words, counts.base_errors, counts.base_words)
    return GroupEstimates(own.rate, own.log_rate, own.logit, paired.change, paired.log_change, paired.logit_change)


def _drawn(counts: GroupCounts, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (weights @ counts.errors) / (weights @ counts.words)
        now = (weights @ counts.paired_errors) / (weights @ counts.paired_words)
        return rate, now - (weights @ counts.base_errors) / (weights @ counts.base_words)


def _pairs(sides: Mapping[str, _Side], reference: str | None, rng: np.random.Generator) -> list[tuple[_Side, _Side]]:
    """Return each group with what it is held against."""
    if reference is not None and reference not in sides:
        raise RoomtoneError(f"reference: no group is called {reference!r}; {nearest(reference, sides)}")
    if len(sides) == 2 and reference is None:
        reference = min(sides)  # each against the other would be one comparison twice
    if reference is not None:
        return [(side, sides[reference]) for name, side in sides.items() if name != reference]
    if len(sides) < 2:
        return []
    return [(side, _rest(side, sides, rng)) for side in sides.values()]


def _rest(side: _Side, sides: Mapping[str, _Side], rng: np.random.Generator) -> _Side:
    counts = GroupCounts.pool([other.counts for other in sides.values() if other is not side])
    return _side(REST, counts, len(side.drawn_rate), rng)


def _declared(
    declared: Sequence[tuple[str, str]] | None, pairs: Sequence[tuple[_Side, _Side]], conditions: Sequence[str]
) -> set[tuple[str, str]]:
    every = {(side.name, condition) for side, _ in pairs for condition in conditions}
    if declared is None:
        return every
    asked = {(str(g), str(c)) for g, c in declared}
    for g, c in sorted(asked - every):
        groups, known = {side.name for side, _ in pairs}, set(conditions)
        hint = nearest(g, groups) if g not in groups else nearest(c, known)
        raise RoomtoneError(f"declared: there is no comparison of {g!r} in {c!r}; {hint}")
    return asked


def _cells(
    rows: pd.DataFrame, scores: pd.DataFrame, sides: Mapping[str, _Side], conditions: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    kinds = [k for k in ("substitutions", "deletions", "insertions", "repeated_words") if k in scores]
    extra = rows.assign(**{k: scores[k].astype("Float64").astype(float).to_numpy() for k in kinds})
    grouped = extra.groupby(["group", "condition"])
    sums = grouped[kinds].sum() if kinds else None
    failed, unknown = grouped["failed"].agg(["sum", "size"]), grouped["speaker"].apply(lambda s: int(s.isna().sum()))
    found = []
    for name, side in sides.items():
        low, high = (np.exp(bound) for bound in side.estimates.log_rate.interval())
        second = percentile_interval(side.drawn_rate)
        for c, label in enumerate(conditions):
            if (name, label) not in failed.index:
                continue
            row = _cell(side, c, float(low[c]), float(high[c]), float(second[0][c]), float(second[1][c]))
            row |= {"samples": int(failed["size"][(name, label)]), "failed": int(failed["sum"][(name, label)])}
            row |= {"speaker_unknown": int(unknown[(name, label)])}
            row |= {k: int(sums[k][(name, label)]) for k in kinds} if sums is not None else {}
            found.append({"group": name, "condition": label} | row)
    return pd.DataFrame(found)


def _cell(side: _Side, c: int, low: float, high: float, boot_low: float, boot_high: float) -> dict[str, Any]:
    counts = side.counts
    errors, words, speakers = counts.errors[:, c].sum(), counts.words[:, c].sum(), int(counts.speakers[c])
    if errors == 0 and words > 0 and speakers > 1:
        low, high = garwood(0, float(words))  # no spread to measure: the least that chance alone allows
    with np.errstate(divide="ignore", invalid="ignore"):
        each = counts.errors[:, c] / counts.words[:, c]
    usable = np.isfinite(each)
    return {
        "errors": int(errors), "words": int(words), "speakers": speakers, "wer": float(side.estimates.rate.value[c]),
        "wer_low": low, "wer_high": high,
        "wer_speaker_mean": float(each[usable].mean()) if speakers and usable.any() else math.nan,
        "wer_bootstrap_low": boot_low if speakers > 1 else math.nan, "wer_bootstrap_high": boot_high if speakers > 1 else math.nan,
        "saturated": bool(is_saturated(side.estimates.rate.value[c])), "few_errors": bool(errors < FEW_ERRORS),
    }  # fmt: skip


def _gaps(
    pairs: Sequence[tuple[_Side, _Side]],
    conditions: Sequence[str],
    declared: set[tuple[str, str]],
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    import pandas as pd

    found = []
    for side, other in pairs:
        found += _pair_rows(side, other, conditions, settings)
    if not found:
        return pd.DataFrame(columns=["group", "condition", *_GAP_COLUMNS])
    gaps = pd.DataFrame(found)
    gaps["family"] = ["declared" if pair in declared else "explored" for pair in zip(gaps["group"], gaps["condition"])]
    gaps["p_adjusted"] = np.nan
    for family, adjust in (("declared", holm), ("explored", benjamini_hochberg)):
        at = gaps["family"] == family
        if at.any():
            gaps.loc[at, "p_adjusted"] = adjust(gaps.loc[at, "p"].to_numpy(float))
    return _judged(gaps, settings)


_GAP_COLUMNS = (
    "reference", "estimand", "gap", "gap_low", "gap_high", "ratio", "ratio_low", "ratio_high", "did", "did_low", "did_high",
    "ror", "ror_low", "ror_high", "logit_did", "p", "p_adjusted", "detectable", "verdict", "statement",
    "speakers", "reference_speakers", "words", "reference_words", "wer", "reference_wer", "speakers_needed", "words_needed",
    "gap_bootstrap_low", "gap_bootstrap_high", "did_bootstrap_low", "did_bootstrap_high", "saturated", "few_errors", "family",
)  # fmt: skip


def _pair_rows(
    side: _Side, other: _Side, conditions: Sequence[str], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    gap, log_gap = (getattr(side.estimates, n).minus(getattr(other.estimates, n)) for n in ("rate", "log_rate"))
    did, log_did = (getattr(side.estimates, n).minus(getattr(other.estimates, n)) for n in ("change", "log_change"))
    logit = side.estimates.logit_change.value - other.estimates.logit_change.value
    differences = settings["scale"] == "difference"
    columns = (
        _columns("gap", gap)
        | _columns("ratio", log_gap, np.exp)
        | _columns("did", did)
        | _columns("ror", log_did, np.exp)
    )
    seconds = {"gap": side.drawn_rate - other.drawn_rate, "did": side.drawn_change - other.drawn_change}
    several = (side.counts.speakers > 1) & (other.counts.speakers > 1)
    for name, drawn in seconds.items():
        low, high = percentile_interval(drawn)
        columns[f"{name}_bootstrap_low"], columns[f"{name}_bootstrap_high"] = (
            np.where(several, b, np.nan) for b in (low, high)
        )
    found = []
    for c, label in enumerate(conditions):
        if side.counts.words[:, c].sum() == 0 or other.counts.words[:, c].sum() == 0:
            continue
        row = {"group": side.name, "condition": label} | {name: float(values[c]) for name, values in columns.items()}
        if c == 0:
            row |= {name: math.nan for name in row if name.startswith(("did", "ror"))}
        chosen = (gap if differences else log_gap) if c == 0 else (did if differences else log_did)
        row |= {"logit_did": math.nan if c == 0 else float(logit[c]), "p": float(chosen.p_value()[c])}
        row |= {"estimand": ("gap" if differences else "ratio") if c == 0 else ("did" if differences else "ror")}
        row |= _facts(side, other, c) | {"_chosen": (chosen, c)}
        found.append(row)
    return found


def _columns(name: str, estimate: Estimate, back: Any = np.asarray) -> dict[str, np.ndarray]:
    low, high = estimate.interval()
    return {name: back(estimate.value), f"{name}_low": back(low), f"{name}_high": back(high)}


def _facts(side: _Side, other: _Side, c: int) -> dict[str, Any]:
    few = [s.counts.errors[:, c].sum() < FEW_ERRORS for s in (side, other)]
    rates = [float(s.estimates.rate.value[c]) for s in (side, other)]
    return {
        "reference": other.name, "wer": rates[0], "reference_wer": rates[1],
        "speakers": int(side.counts.speakers[c]), "reference_speakers": int(other.counts.speakers[c]),
        "words": int(side.counts.words[:, c].sum()), "reference_words": int(other.counts.words[:, c].sum()),
        "saturated": bool(is_saturated(max(rates))), "few_errors": any(few),
    }  # fmt: skip


def _judged(gaps: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Add what each comparison could have shown, and its verdict."""
    import pandas as pd

    difference = settings["scale"] == "difference"
    tests = {family: max(1, int(part["p"].notna().sum())) for family, part in gaps.groupby("family")}
    found = []
    for row in gaps.to_dict("records"):
        estimate, c = row["_chosen"]
        # Holm's first step is Bonferroni's, so that is what a single gap among many must pass
        count = tests[row["family"]]
        detectable = float(estimate.detectable(settings["alpha"] / count, settings["power"])[c])
        low, high = (float(bound[c]) for bound in estimate.interval())
        evidence = Evidence(
            row["group"], row["reference"], row["condition"], settings["baseline"], row["condition"] == settings["baseline"],
            settings["scale"], float(estimate.value[c]), low, high, row["p_adjusted"], detectable,
            settings["smallest_gap"] if difference else math.log(settings["smallest_ratio"]),
            float(estimate.se[c]), float(estimate.df[c]), row["wer"], row["reference_wer"], row["speakers"], row["reference_speakers"],
            min(row["words"], row["reference_words"]), settings["alpha"], settings["power"], count,
        )  # fmt: skip
        verdict = judge(evidence)
        found.append({
            "detectable": detectable if difference else math.exp(detectable), "verdict": verdict.verdict,
            "statement": verdict.statement, "speakers_needed": verdict.speakers_needed, "words_needed": verdict.words_needed,
        })  # fmt: skip
    judged = pd.concat([gaps.drop(columns="_chosen"), pd.DataFrame(found)], axis=1)
    judged[["speakers_needed", "words_needed"]] = judged[["speakers_needed", "words_needed"]].astype("Int64")
    return judged[["group", "condition", *_GAP_COLUMNS]]
