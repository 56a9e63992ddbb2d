"""`roomtone plan`: what `roomtone generate` with the same words would make, before it makes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import coloured_console, printable

if TYPE_CHECKING:
    import pandas as pd
    from omegaconf import DictConfig
    from rich.console import Console

    from roomtone.augment.corpora.utterance import Utterance
    from roomtone.augment.scenarios.forecast import Forecast
    from roomtone.coverage import CoverageMatrix

CONFIG_NAME = "generate"
_EVERY = ": every combination of the scenario's levels; design=covering takes the fewest that hold every pair of levels"


def run(cfg: DictConfig) -> int:
    """Print the forecast, coverage before and after, and the holes that synthesis cannot close; render nothing."""
    from roomtone.augment.corpora.durations import durations_s
    from roomtone.augment.scenarios.fill import speech_at_hand
    from roomtone.augment.scenarios.forecast import forecast, planned_rows
    from roomtone.augment.scenarios.planner import make_plan
    from roomtone.augment.settings import generate_settings
    from roomtone.cli.compose import plain
    from roomtone.core.dataset.manifest import existing_rows
    from roomtone.coverage import CoverageMatrix
    from roomtone.coverage.report.terminal import print_matrix

    settings = generate_settings(plain(cfg))
    plan = make_plan(settings)
    seconds = durations_s(plan.utterances)
    rows = planned_rows(plan, seconds)
    unreadable = sum(
        utterance.problem is not None or seconds[utterance.utterance_id] is None for utterance in plan.utterances
    )
    workers = settings.executor.worker_count
    console = coloured_console()
    found = forecast(plan, rows, unreadable, settings.sample_rate_hz, settings.output.format, workers)
    console.print(
        _forecast_lines(found, workers, str(settings.design.get("name"))), markup=False, highlight=False, soft_wrap=True
    )
    for note in plan.notes:
        console.print(printable(note), markup=False, highlight=False, soft_wrap=True)
    before = existing_rows(Path(settings.output.dir))
    if before is None and rows.empty:
        raise RoomtoneError(_why_nothing(plan.utterances))
    goals = settings.scenario.get("goals")
    levels = {"condition": list(plan.conditions)}
    if before is not None:
        console.print(f"\nthe set that is there ({settings.output.dir}):", markup=False)
        print_matrix(before, goals, console, levels=levels, with_steps=False)
        console.print("\nafter this run:")
    else:
        console.print("\ncoverage after this run:")
    print_matrix(_union(before, rows), goals, console, levels=levels, with_steps=False)
    clean = speech_at_hand(plan.utterances, seconds)
    _print_holes(CoverageMatrix(_union(before, rows), goals=goals, levels=levels), clean, console)
    return 3 if found.unreadable else 0


def _why_nothing(utterances: Sequence[Utterance]) -> str:
    """Return why there is nothing to plan: what is wrong with the first recording, or that there is none."""
    from roomtone.augment.corpora.durations import duration_s

    for utterance in utterances:
        try:
            reason = utterance.problem or duration_s(utterance)
        except (RoomtoneError, OSError) as error:
            reason = str(error)
        if isinstance(reason, str):
            return f"none of the {len(utterances):,} recordings can be read; the first: {reason}"
    return "nothing to plan: no utterance is selected"


def _forecast_lines(found: Forecast, workers: int, design: str) -> str:
    speech = f"{found.utterances:,} utterances by {found.speakers:,} speakers of {found.accents:,} accents"
    size = f"{found.hours:.2f} hours, about {found.gigabytes:.2f} GB, about {max(found.minutes, 0.1):.1f} min on {workers} workers"
    which = f"design={design}{_EVERY if design == 'full' else ''}"
    lines = [f"{speech}, {found.conditions:,} conditions ({which}): {found.samples:,} samples, {size}"]
    if not found.samples:
        lines.append("nothing to render: the set meets its goals, or nothing at hand can bring it nearer")
    if found.unreadable:
        lines.append(f"{found.unreadable:,} utterances cannot be read and would be rejected (see `roomtone corpus`)")
    return "\n".join(lines)


def _union(before: pd.DataFrame | None, planned: pd.DataFrame) -> pd.DataFrame:
    """Return what the set holds after the run; a planned sample that is there already is counted once."""
    import pandas as pd

    if before is None or planned.empty:
        return planned if before is None else before
    key = ["utterance_id", "condition", "replicate"]
    new = planned.merge(before[key].drop_duplicates(), on=key, how="left", indicator=True)
    new = new[new.pop("_merge") == "left_only"]
    columns = [column for column in planned.columns if column in before.columns]
    return pd.concat([before[columns], new[columns]], ignore_index=True)


def _print_holes(matrix: CoverageMatrix, clean: pd.DataFrame, console: Console) -> None:
    """Say how many holes rendering could close, and what must be recorded for the others."""

    holes = matrix.holes(clean=clean)
    closable = int(holes["closable"].sum()) if len(holes) else 0
    if closable:
        console.print(f"\n{closable:,} cells can be closed by rendering: design=fill", markup=False)
    if len(holes) > closable:
        console.print(
            f"\n{len(holes) - closable:,} cells need recording, which no rendering can replace:", markup=False
        )
    needs = matrix.recruiting(clean=clean).to_dict("records") if len(holes) > closable else []
    for need in needs:  # all of them: nothing else holds this list
        console.print(printable(f"  {_need(need)}"), markup=False, highlight=False, soft_wrap=True)


def _need(row: dict[str, Any]) -> str:
    """Return one line of a recruiting list, e.g. `scottish: 5 more speakers, 12 more utterances`."""
    who = ", ".join(str(value) for key, value in row.items() if not key.startswith("record_"))
    more = [
        f"{value:g} more {key.removeprefix('record_').removesuffix('s' if value == 1 else '')}"
        for key, value in row.items()
        if key.startswith("record_") and value > 0
    ]
    return f"{who}: {', '.join(more)}"
