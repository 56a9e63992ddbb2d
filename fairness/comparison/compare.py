"""Does a recogniser fail some groups more than others, and does a condition make it worse? Gaps, their intervals, verdicts.

With W the ratio of summed errors to summed words of a group b, a reference a, a condition c and the baseline 0:

    gap = W_bc - W_ac            did = (W_bc - W_b0) - (W_ac - W_a0)
    ratio = W_bc / W_ac          ror = (W_bc / W_b0) / (W_ac / W_a0)

`did` and `ror` can disagree in sign, so both are given and the scale of the verdict is named. The order is headline, then detail: groups over
all conditions (`accents`), conditions, factor levels, cells; all are one family of tests (see `estimands` and `permutation`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.vocabulary import FACTORS, NONE
from roomtone.fairness.comparison.cells import cell_table
from roomtone.fairness.comparison.findings import rank_findings
from roomtone.fairness.comparison.headlines import HEADLINE, accent_rows, condition_rows
from roomtone.fairness.comparison.outcome_scores import SHORTFALL
from roomtone.fairness.comparison.outcomes import (
    HALLUCINATION,
    OUTCOME,
    TERMS,
    failure_rows,
    intersection_rows,
    outcome_rows,
)
from roomtone.fairness.comparison.tables import COLUMNS, Comparisons
from roomtone.fairness.inference.bootstrap import draw
from roomtone.fairness.inference.counts import lay_out, prepare
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.study import work_out
from roomtone.fairness.settings import CompareSettings

if TYPE_CHECKING:
    import pandas as pd

#: Name of the column in which a group may be several, joined by `|`.
SEVERAL = "accent"


@dataclass(frozen=True)
class Comparison:
    """The tables of a comparison, from the headline to the detail.

    Attributes:
        cells: one row a group and condition.
        gaps: one row a group and condition: the gap in the baseline, elsewhere what the condition costs beyond what it costs the others.
        accents: one row a group, over all conditions.
        conditions: one row a condition: whether groups differ in it, and which is worst off.
        levels: one row a group and factor level, over all conditions that have it.
        hallucination: groups over all conditions and cells, by the share of samples with text that nobody spoke; a family of its own.
        failures: likewise, by the share of samples without a hypothesis; a family of its own.
        terms: likewise, by the critical terms that were lost; a family of its own.
        outcome: likewise, by what the samples' outcomes lack of 1 (`outcome=FILE` of `roomtone evaluate`); a family of its own.
        intersections: group x attribute over all conditions; a family of its own.
        findings: the gaps that were found, in the order in which they should be told.
        interaction_p: that any condition costs some group more than others; NaN where it cannot be tested, or groups are counted in different units.
        settings: all that was chosen.
        facts: family size, permutations, smallest possible p, share of own texts by group, and the groups that texts are confounded with.
    """

    cells: pd.DataFrame
    gaps: pd.DataFrame
    accents: pd.DataFrame
    conditions: pd.DataFrame
    levels: pd.DataFrame
    hallucination: pd.DataFrame
    failures: pd.DataFrame
    terms: pd.DataFrame
    outcome: pd.DataFrame
    intersections: pd.DataFrame
    findings: pd.DataFrame
    interaction_p: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        found = self.gaps["verdict"].value_counts().to_dict() if len(self.gaps) else {}
        first = f", first: {self.findings['statement'].iloc[0]}" if len(self.findings) else ""
        return f"Comparison({len(self.cells)} cells, {len(self.gaps)} gaps: {found}{first})"

    def _repr_html_(self) -> str:
        from roomtone.fairness.report.matrix import comparison_html

        return comparison_html(self)


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
    sentence: str = "text",
    scale: str = "difference",
    smallest_gap: float = 0.05,
    smallest_ratio: float = 1.25,
    declared: Sequence[tuple[str, str]] | None = None,
    intersections: Sequence[str] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    permutations: int = 999,
    resamples: int = 2000,
) -> Comparison:
    """Return WER by group and condition, and every gap with its interval, the smallest it could have shown, and a verdict.

    Args:
        scores: the counts of `score` (or `errors` and `words`) with the label columns beside them, one row a sample.
        group: the column whose values are compared; its name is that of the output's column. In `accent`, `irish|welsh` is both.
        condition: the column of conditions, likewise.
        baseline: the condition that the others are compared with.
        speaker: the column of speakers, who are the unit of every test. Null where not known: then there is no interval.
        seed: of the permutations and of the bootstrap; nothing else is random.
        reference: the group that the others are compared with; default all others together, or with two groups the first by name.
        utterance: the column that pairs a sample with the same words in the baseline; without it speakers are paired.
        sentence: the column of the text; where groups read different ones its difficulty is part of the uncertainty.
        scale: what verdicts and p rest on, `difference` (points of WER) or `ratio`.
        smallest_gap: the difference that matters, a share (0.05 is five points); "no gap" means smaller than this.
        smallest_ratio: the ratio that matters, above 1, for `scale="ratio"`.
        declared: the (group, condition) pairs that were asked before looking: they are the family, and the others are adjusted by Benjamini
            and Hochberg. Default: everything is one family.
        intersections: attributes to cross with the group; default all `attr_*` with 2 to 20 values, none with `()`.
        alpha: chance of any false gap in the family; intervals hold 1 - alpha.
        power: with which `detectable` would be found.
        permutations: labellings drawn for the test, at least 199.
        resamples: of the bootstrap, a second opinion; 0 leaves it out.

    Returns:
        A `Comparison`; rates, gaps and did are shares. `detectable` is on the scale of the verdict: a share, or a ratio.

    Raises:
        RoomtoneError: a column, the baseline, the reference or a declared pair that does not exist; a value out of its range.
    """
    chosen = CompareSettings(
        group=group, condition=condition, baseline=baseline, speaker=speaker, utterance=utterance, sentence=sentence, reference=reference,
        scale=scale, smallest_gap=smallest_gap, smallest_ratio=smallest_ratio, declared=declared, intersections=intersections, alpha=alpha, power=power,
        permutations=permutations, resamples=resamples, seed=seed,
    )  # fmt: skip
    return compare_as(scores, chosen)


def compare_as(scores: pd.DataFrame, settings: CompareSettings) -> Comparison:
    """Return what `compare` returns, the choices being checked settings.

    Args:
        scores: as in `compare`.
        settings: the choices.

    Raises:
        RoomtoneError: as `compare`.
    """
    s = settings
    rows = prepare(
        scores, group=s.group, condition=s.condition, speaker=s.speaker, baseline=s.baseline, utterance=s.utterance, sentence=s.sentence
    )  # fmt: skip
    conditions = [s.baseline, *sorted(set(rows["condition"]) - {s.baseline})]
    layout = lay_out(rows, conditions, several=s.group == SEVERAL)
    levels = levels_of(scores, rows, conditions)
    estimands = make_estimands(conditions, levels)
    study = work_out(layout, estimands, s)
    bootstrap = draw(layout.count("all_errors"), s.resamples, s.seed)
    made = Comparisons(study, layout.count("lost"), bootstrap)
    tables = _tables(made, levels) | _others(rows, scores, conditions, s)
    names = {"group": s.group, "condition": s.condition}
    cells = cell_table(layout, scores, rows, s.alpha, bootstrap)
    facts = {
        "tests": study.test.tests, "permutations": study.test.permutations, "smallest_p": study.smallest_p,
        "own_texts": dict(zip(layout.groups, study.texts.own_share.tolist())),
        "confounded": [name for name, own in zip(layout.groups, study.texts.confounded) if own],
    }  # fmt: skip
    found = rank_findings(tables)
    frames = {key: _frame(value, s, key) for key, value in tables.items()}
    units_differ = any(row["units_differ"] for row in tables["accents"])
    return Comparison(
        cells.rename(columns=names), frames["gaps"], frames["accents"], frames["conditions"], frames["levels"], frames["hallucination"],
        frames["failures"], frames["terms"], frames["outcome"], frames["intersections"], found.rename(columns=names),
        math.nan if units_differ else max(study.test.interaction_p, study.smallest_p), s.to_json(), facts,
    )  # fmt: skip


def levels_of(scores: pd.DataFrame, rows: pd.DataFrame, conditions: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    """Return (factor, level) -> numbers of the conditions that have it; a factor whose level differs within a condition is left out.

    Args:
        scores: with the columns of factors, where there are any.
        rows: of `prepare`, in the order of the scores.
        conditions: their names, the baseline first.
    """
    found: dict[tuple[str, str], list[int]] = {}
    where = {name: c for c, name in enumerate(conditions)}
    at = rows["condition"].map(where).to_numpy(np.int64)
    for factor in FACTORS:
        if factor not in scores:
            continue
        codes, names = scores[factor].astype(object).where(scores[factor].notna(), NONE).factorize()
        pairs = np.unique(at * len(names) + codes)
        if len(pairs) > len(np.unique(at)):
            continue  # its level differs within a condition
        for c, level in zip(pairs // len(names), names[pairs % len(names)]):
            if c and str(level) != NONE:
                found.setdefault((factor, str(level)), []).append(int(c))
    return found


def _tables(made: Comparisons, levels: Mapping[tuple[str, str], Sequence[int]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table; a level that only one condition has shows that condition's figures."""
    study = made.study
    count = len(study.data.conditions)
    numbers = study.estimands.numbers
    gaps = [
        row | {"condition": name}  # with one condition its cell is the comparison over all conditions
        for row, name in made.labelled_rows(
            [(numbers[(count + c,) if c else (0,)], n) for c, n in enumerate(study.data.conditions)]
        )
    ]
    asked = None if study.settings.declared is None else {(str(g), str(c)) for g, c in study.settings.declared}
    for row in gaps:
        row["family"] = "declared" if asked is None or (row["group"], row["condition"]) in asked else "explored"
    by_level = []
    for (factor, level), members in levels.items():
        columns = tuple(count + c for c in members)
        by_level += [
            row | {"factor": factor, "level": level, "condition": level} for row in made.rows([numbers[columns]])
        ]
    return {"gaps": gaps, "accents": accent_rows(made), "levels": by_level, "conditions": condition_rows(made, gaps)}


def _others(
    rows: pd.DataFrame, scores: pd.DataFrame, conditions: Sequence[str], settings: CompareSettings
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the comparisons that have an alpha of their own."""
    several = settings.group == SEVERAL
    found = {
        "hallucination": outcome_rows(
            rows, conditions, settings, events="hallucinated", trials="samples", measure=HALLUCINATION, several=several
        ),
        "failures": failure_rows(rows, conditions, settings, several=several),
        "terms": [], "outcome": [], "intersections": intersection_rows(rows, scores, conditions, settings),
    }  # fmt: skip
    if "terms" in scores and "terms_lost" in scores:
        counted = rows.assign(
            terms=scores["terms"].to_numpy(float), terms_lost=scores["terms_lost"].to_numpy(float, na_value=np.nan)
        )
        found["terms"] = outcome_rows(
            counted, conditions, settings, events="terms_lost", trials="terms", measure=TERMS, several=several
        )
    if SHORTFALL in scores:
        counted = rows.assign(**{SHORTFALL: scores[SHORTFALL].to_numpy(float)})
        found["outcome"] = outcome_rows(
            counted, conditions, settings, events=SHORTFALL, trials="samples", measure=OUTCOME, several=several
        )
    return found


def _frame(rows: list[dict[str, Any]], settings: CompareSettings, name: str) -> pd.DataFrame:
    import pandas as pd

    extra = _EXTRA.get(name, ())
    names = {"group": settings.group, "condition": settings.condition}
    columns = {names.get(key, key): [row.get(key) for row in rows] for key in ("group", "condition", *extra, *COLUMNS)}
    for key in ("speakers_needed", "words_needed"):
        columns[key] = pd.array(columns[key], dtype="Int64")  # type: ignore[assignment]
    return pd.DataFrame(columns)


_EXTRA = {
    "levels": ("factor", "level"), "accents": HEADLINE, "conditions": HEADLINE, "intersections": ("attribute", "value"),
}  # fmt: skip
