"""What a figure of the report is, in words: one name for one definition, the same on page, in Markdown, card and terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from roomtone.fairness.inference.outcomes import FEWEST_INVENTED
from roomtone.fairness.report.formatting import percent

#: What the findings are that are told as context.
CONTEXT = "who has less WER than those compared with; where the worst off are among those, that alone may be why"


def wer_names(settings: Mapping[str, Any], *, compared: bool) -> dict[str, str]:
    """Return what each WER of the report is: `compared_wer`, `condition_wer`, `pooled_wer`.

    Args:
        settings: of the comparison.
        compared: whether groups were compared; of one group alone the cells are all there is, with all errors.
    """
    group, condition, baseline = (settings[name] for name in ("group", "condition", "baseline"))
    errors = "without the inserted words of samples that hallucinate" if compared else "all errors"
    return {
        "compared_wer": f"mean over all conditions, each weighing the same, {errors}",
        "condition_wer": f"WER: mean over {group}s, each weighing the same, {errors}. Highest WER of a cell: all errors, as in the table of cells."
        f" Largest gap: the {group} that has the largest gap to those it is compared with in {baseline}, and in other conditions the {group} whose gap"
        f" grows most beyond that in {baseline}; so it need not be the one with the highest WER.",
        "pooled_wer": f"All errors, words that nobody spoke among them, pooled over all samples of a {condition}, whoever said them.",
    }


def invented_text(samples: int, hallucinated: int, looped: int, too_long: int, as_many: int, single: int = 0) -> str:
    """Return how many samples are counted as text that nobody spoke, by the signs of it that occur.

    Args:
        samples: of the set.
        hallucinated: samples with any of the signs.
        looped, too_long, as_many: samples with each of them.
        single: cells with one such sample, which the table leaves out.
    """
    if not hallucinated:
        return (
            "No sample holds text that nobody spoke: no repetition loop, no more words than could be spoken, nowhere as many inserted words as were"
            f" spoken ({FEWEST_INVENTED} at least)."
        )
    signs = {
        "with a repetition loop": looped,
        "with more words than could be spoken": too_long,
        f"with as many inserted words as were spoken or more ({FEWEST_INVENTED} at least)": as_many,
    }
    found = [f"{count:,} {name}" for name, count in signs.items() if count]
    text = f"{hallucinated:,} of {samples:,} samples {'is' if hallucinated == 1 else 'are'} counted as text that nobody spoke: {', '.join(found)}."
    if len(found) > 1:
        text += " A sample may have several of these signs." if hallucinated > 1 else " It has all of these signs."
    if looped:
        text += " The words of a loop that stand in the place of spoken words are lost words; only those beyond them are words invented."
    if single:
        text += f" Cells with a single such sample ({single}) are not listed."
    return text


def column_notes(tests: int, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what is easily misread in the tables of gaps: `interval_note`, `detectable_note`, `cost_note`.

    Args:
        tests: compared at once.
        settings: of the comparison.
    """
    baseline, alpha, power = settings["baseline"], 100 * settings["alpha"], 100 * settings["power"]
    interval = (
        "Each interval is that of its own comparison alone, adjusted p allows for all comparisons that are tested together"
        f"{f' ({tests:,})' if tests > 1 and settings['declared'] is None else ''}: among many, some intervals leave out 0 by chance. So an"
        f" interval can leave out 0 where p is above {alpha / 100:g} and no gap is claimed. In a condition, p, detectable size and verdict are on the"
        f" difference beyond {baseline}; in {baseline} and over all conditions, on the gap itself."
    )
    detectable = (
        f"Detectable is for the comparison of its own row: the smallest gap with more errors that it would show in {power:g} of 100 such studies. It is no"
        " limit: a smaller gap shows where these speakers happen to be alike, and one with fewer errors shows more easily, since such groups vary less."
    )
    cost = (
        f"Cost: WER in the other conditions less that of the same utterances in {baseline}. The WER beside it holds {baseline} as well, which"
        " is mostly low, so the cost can be the larger of the two."
    )
    return {"interval_note": interval, "detectable_note": detectable, "cost_note": cost}


def shared_level(tests: int, undecided: int, settings: Mapping[str, Any]) -> str:
    """Return why a cell shows less than it would alone; empty where nothing is undecided or no level is shared.

    Args:
        tests: of the family.
        undecided: cells without enough data.
        settings: of the comparison.
    """
    if tests < 2 or not undecided or settings["declared"] is not None:
        return ""
    return (
        f"Each cell is one of {tests:,} comparisons that are tested together, so that a false gap in any of them has a chance of at most"
        f" {100 * settings['alpha']:g} %: a difference must be larger to be called a gap here than in one comparison alone, which is what a coverage page"
        " plans for. The points that it says a cell can show are fewer."
    )


def condition_columns(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]], str]:
    """Return head and rows of the table of conditions without columns that say nothing, and a sentence that says what these hold.

    Args:
        rows: counts and rates by condition.
    """
    columns = {
        f"{name} %": [percent(row[key]) for row in rows]
        for name, key in (("WER", "wer"), ("lost", "lost"), ("invented", "invented"))
    }
    columns |= {name: [f"{row[name]:,}" for row in rows] for name in ("words", "samples", "failed")}
    said = []
    for name in list(columns)[1:] if len(rows) > 1 else []:
        if len(set(columns[name])) == 1:
            said.append(f"{name.removesuffix(' %')} {columns.pop(name)[0]}{' %' * name.endswith(' %')}")
        elif columns[name] == columns["WER %"]:
            said.append(f"{name.removesuffix(' %')} as much as WER")
            del columns[name]
    text = f"In every row: {', '.join(said)}." if said else ""
    return list(columns), [list(row) for row in zip(*columns.values())], text


def too_little(content: Mapping[str, Any]) -> str | None:
    """Return that there is too little data for any claim, with what would be needed; None where something could be tested.

    Args:
        content: of `gather`.
    """
    facts, settings, rows = content["facts"], content["settings"], content["accents"]
    if (facts["tests"] and facts["smallest_p"] <= settings["alpha"]) or any(
        r["verdict"] in ("gap", "no_gap") for r in rows
    ):
        return None
    group = content["group"]
    people = sorted(
        {row["speakers"] for row in rows} | {row["reference_speakers"] for row in rows if settings["reference"]}
    )
    each = f"{people[0]}" if len(people) == 1 else f"{people[0]} to {people[-1]}"
    said = (
        f"There is too little data to say whether any {group} is worse off: {content['speakers']} speakers, {each} for each {group}, and nothing could"
        " be tested."
    )
    needed = max(
        (row for row in rows if row["speakers_needed"] is not None),
        key=lambda row: row["speakers_needed"],
        default=None,
    )
    if needed is None:
        return said
    ratio = settings["scale"] == "ratio"
    size = f"a factor of {settings['smallest_ratio']:.2f}" if ratio else f"{100 * settings['smallest_gap']:.1f} points"
    return f"{said} About {needed['speakers_needed']} speakers and {needed['words_needed']:,} words for each {group} would show a gap of {size}."


def wer_lines(ranked: Iterable[tuple[str, float | None]], content: Mapping[str, Any]) -> list[str]:
    """Return the word error rates as lines for a terminal: each group from best to worst, then each condition likewise.

    Args:
        ranked: name and mean over all conditions of each group, the highest first.
        content: of `gather`.
    """
    group, condition, compared = content["group"], content["condition"], bool(content["condition_rows"])
    people = [(name, rate) for name, rate in ranked][::-1]
    rows: Sequence[Mapping[str, Any]] = content["condition_rows"] if compared else content["overall"]
    by_condition = [(str(row[condition if compared else "condition"]), row["wer"]) for row in rows]
    by_condition.sort(key=lambda row: math.inf if row[1] is None or math.isnan(row[1]) else row[1])
    mean = f"mean over {group}s, each weighing the same" if compared else "pooled over all samples"
    width = max(len(name) for name, _ in [*people, *by_condition]) if people or by_condition else 0
    return [
        f"WER in per cent by {group} ({content['compared_wer']}):", *(_line(*row, width) for row in people),
        f"WER in per cent by {condition} ({mean}, {content['compared_wer'].rpartition(', ')[2]}):",
        *(_line(*row, width) for row in by_condition),
    ]  # fmt: skip


def _line(name: str, rate: float | None, width: int) -> str:
    known = rate is not None and math.isfinite(rate)
    return f"  {name:<{width}}  {percent(rate) if known else 'not known':>6}"
