"""How the figures of a report were made and what they cannot show, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METHOD = (
    "WER is the sum of errors over the sum of reference words, aligned with sclite's weights (4/3/3). Where a figure can be read in several ways,"
    " the reading nearest to the other side counts.",
    "The speaker, with all conditions of theirs, is the unit. To test gaps, the speakers' groups are permuted and everything is computed anew; p adjusted is"
    " the share of permutations in which any of the comparisons that are tested together gets as clear as this one (step-down).",
    "The variance of a gap comes from the spread between speakers, averaged with what groups of that size and WER show on the whole, and is never below that"
    " of independent words. A group that loses fewer words than all speakers do has the variance that it would have"
    " at their WER. Where groups read different texts, the spread of sentences is added.",
    "Intervals hold each comparison alone; the simultaneous ones in the tables hold all comparisons that are tested together. Who loses more words"
    " differs more, speakers and sentences alike, so an interval reaches further away from zero than towards it.",
    "Over all conditions, and over those that have a level, each condition weighs the same, and two sides are compared over the conditions that both"
    " have. What a condition costs is taken against the same utterances of the same speakers in the baseline.",
    "Detectable is the smallest true gap that data like these would show with the stated power after that adjustment, errors and their"
    " spread growing with the gap; a dash means that none below 100 points would. How fast spread grows these data do not tell: it is taken between growth"
    " in proportion and growth by odds. If it is by odds, gaps up to a seventh smaller show as well.",
    "Words lost and words invented are two outcomes. The insertions of a sample with a repetition loop, with more words than could be spoken, or with as many"
    " inserted words as were spoken (ten at least), are left out of gaps and of every mean that says so, and counted as hallucination; the WER"
    " of a cell holds them. A comparison is called saturated where one of its sides loses more than 80 % of"
    " its words and no gap shows in spite of it, or where both do. It is judged for each cell, condition and level apart.",
    "The search names a slice whose errors pass what its speakers and conditions predict, on a scale whose curvature is estimated (nobody can lose"
    " more than all), by more than its sentences and slices of its kind scatter: one-sided t tests, Benjamini and Hochberg's correction. In"
    " simulated sets without any planted excess it named a slice in about one of twenty, and in one of twelve where every accent differed a little"
    " in every condition.",
)
LIMITS = (
    "Permuting speakers takes them to be alike where groups do not differ. Where one group varies twice as much as the others, a gap was still claimed"
    " in about 6 % of simulated studies without any (bench/fairness_calibration.py in the source); where it varies more, it may be in more of them.",
    "Few speakers may miss those whom the recogniser fails: of n speakers of whom none failed wholly, up to 3 in n could.",
    "The search finds what is large: with four speakers an accent, 33 % WER raised to 85 % in one condition was named in nine of ten simulated"
    " sets, 65 % raised to 85 % in one of three. No named slice does not mean no excess.",
    "Voices or rooms that several speakers share without a column that says so look like many where they are few, and slices of them are named"
    " too easily.",
    "Accents and attributes are what speakers or the corpus stated; none was inferred.",
    "The figures hold for these speakers, texts and conditions. A condition is a model of a place, not the place.",
    "Verdicts are on differences between groups; none of them says that a recogniser is good enough for anyone.",
)


def family_text(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return what the family of tests is.

    Args:
        facts: of the comparison: `tests`, `permutations`, `smallest_p`.
        settings: of the comparison.
    """
    alpha = settings["alpha"]
    declared = settings["declared"] is not None
    what = (
        f"The {len(settings['declared'])} comparisons that were declared are tested together"
        if declared
        else f"Accents over all conditions, conditions, factor levels and cells, {facts['tests']:,} comparisons, are tested together"
    )
    rest = " The others are adjusted by Benjamini and Hochberg's method." if declared else ""
    if not facts["tests"]:
        return "With so few speakers no comparison of WER could be tested."
    return (
        f"{what}: the chance that any gap claimed among them is not there is at most {100 * alpha:g} % ({facts['permutations']} permutations) where"
        " the speakers of all groups spread alike; where they do not it was 6 to 8 % in most simulated studies, and up to a quarter where a group of"
        f" four is heard well or not at all.{rest}"
        f" Hallucination, lost answers, critical terms and intersections have {100 * alpha:g} % of their own each, and so has the test of the whole grid."
    )
