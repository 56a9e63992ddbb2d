"""What `roomtone coverage` was asked: the keys of `conf/coverage.yaml`, checked once, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.coverage.combinatorics.constraints import MAX_STRENGTH
from roomtone.coverage.counting.axes import Axis, parse_axes
from roomtone.coverage.counting.goal_parsing import parse_goals
from roomtone.coverage.counting.goals import UNITS, Goals
from roomtone.coverage.profile.profile_settings import ProfileSettings, parse_profile
from roomtone.coverage.report.ci_gates import GateThresholds, parse_gates
from roomtone.coverage.sources.measured import with_bins
from roomtone.coverage.sources.options import ReadOptions, parse_options


@dataclass(frozen=True)
class CoverageSettings:
    """The settings of one report.

    Attributes:
        dataset: dataset folders, tables of recordings and sets of other tools.
        axes: 1 to 6 axes of the matrix.
        reading: which columns of the set mean what, and whether its audio is measured.
        profile: what is told of the inside of cells and of what lies between them.
        goals: what cells must hold; None takes those of the scenario that the set was made from.
        unit: the count shown in the heat map; None is the first unit that has a goal.
        by: the axis of the small multiples; None is the third.
        strengths: strengths of t-way coverage, each 1 to 4.
        factors: the factors that combine; none are the acoustic factors that the set has.
        tway_samples: renders from which a combination counts as covered.
        tway_speakers: distinct speakers from which it does; 0 does not ask.
        baseline: a `matrix.csv` of an earlier run, or the set that holds one.
        gates: what the set must reach.
        to: folder of the results; None is `coverage/` in the first dataset folder.
        pictures: whether the heat map and the page are written.
        full: whether the terminal shows the whole matrix also where it does not fit.
    """

    dataset: tuple[str, ...]
    axes: tuple[Axis, ...]
    reading: ReadOptions = field(default_factory=ReadOptions)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    goals: Goals | None = None
    unit: str | None = None
    by: str | None = None
    strengths: tuple[int, ...] = (1, 2, 3)
    factors: tuple[str, ...] = ()
    tway_samples: int = 1
    tway_speakers: int = 0
    baseline: str | None = None
    gates: GateThresholds = field(default_factory=GateThresholds)
    to: str | None = None
    pictures: bool = True
    full: bool = False


def parse_settings(values: Mapping[str, Any]) -> CoverageSettings:
    """Return the settings of a mapping with the keys of `conf/coverage.yaml`; a key that is absent has its default.

    Raises:
        RoomtoneError: an unknown key (with the nearest known one), a value of the wrong kind, or a gate on what is not asked for;
            the message names the key.

    >>> parse_settings({"dataset": "stress-set", "axes": ["accent"]}).strengths
    (1, 2, 3)
    """
    gates = [f.name for f in fields(GateThresholds)]
    parts = ("gates", "reading", "profile")
    own = [
        f.name for kind in (CoverageSettings, ReadOptions, ProfileSettings) for f in fields(kind) if f.name not in parts
    ]
    known = [*own, *gates]
    for key in values:
        if key not in known:
            raise RoomtoneError(f"{key}: unknown key; {nearest(str(key), known)}")
    found = {key: value for key, value in values.items() if value is not None}
    goals = found.get("goals")
    settings = CoverageSettings(
        dataset=_datasets(found.get("dataset")),
        axes=_axes(found.get("axes", ("accent", "condition")), measured=found.get("measure", False)),
        reading=parse_options(
            found.get("columns"),
            _text(found.get("utterance_pattern"), "utterance_pattern"),
            found.get("accents"),
            measure=_flag(found.get("measure", False), "measure"),
        ),
        profile=parse_profile(found),
        goals=None if goals is None else parse_goals(goals),
        unit=_one_of(found.get("unit"), UNITS, "unit"),
        by=_text(found.get("by"), "by"),
        strengths=_strengths(found.get("strengths", (1, 2, 3))),
        factors=_texts(found.get("factors", ()), "factors"),
        tway_samples=_whole(found.get("tway_samples", 1), "tway_samples", least=1),
        tway_speakers=_whole(found.get("tway_speakers", 0), "tway_speakers", least=0),
        baseline=_text(found.get("baseline"), "baseline"),
        gates=parse_gates({key: found[key] for key in gates if key in found}),
        to=_text(found.get("to"), "to"),
        pictures=_flag(found.get("pictures", True), "pictures"),
        full=_flag(found.get("full", False), "full"),
    )
    _check_what_gates_need(settings)
    return settings


def _check_what_gates_need(settings: CoverageSettings) -> None:
    """Refuse a gate on what was not asked for, before anything is counted."""
    if settings.gates.no_new_holes and settings.baseline is None:
        raise RoomtoneError("no_new_holes: needs baseline=FILE, the coverage/matrix.csv of an earlier run")
    if settings.gates.fail_under_balance is not None and not settings.profile.balance:
        raise RoomtoneError("fail_under_balance: no goal of balance; e.g. balance=[{attr_gender: female, least: 0.4}]")
    if settings.gates.max_shared_speakers is not None and settings.profile.splits is None:
        raise RoomtoneError("max_shared_speakers: between what? name the column of the splits, e.g. splits=split")


def _axes(value: Any, *, measured: bool) -> tuple[Axis, ...]:
    return parse_axes(with_bins(value) if measured and not isinstance(value, Mapping) else value)


def _datasets(value: Any) -> tuple[str, ...]:
    if value in (None, "???"):
        raise RoomtoneError("dataset: which set? name a folder that `roomtone generate` wrote, dataset=stress-set")
    named = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()
    if not named or not all(isinstance(name, str) and name for name in named):
        raise RoomtoneError(f"dataset: expected a folder or a list of folders, got {value!r}")
    return named


def _strengths(value: Any) -> tuple[int, ...]:
    listed = [value] if isinstance(value, int) else value
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise RoomtoneError(f"strengths: expected a list of whole numbers from 1 to {MAX_STRENGTH}, got {value!r}")
    for strength in listed:
        if not isinstance(strength, int) or isinstance(strength, bool) or not 1 <= strength <= MAX_STRENGTH:
            raise RoomtoneError(f"strengths: expected whole numbers from 1 to {MAX_STRENGTH}, got {strength!r}")
    return tuple(listed)


def _text(value: Any, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise RoomtoneError(f"{key}: expected a text, got {value!r}")
    return value


def _texts(value: Any, key: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, Sequence) or not all(isinstance(item, str) for item in listed):
        raise RoomtoneError(f"{key}: expected a list of column names, got {value!r}")
    return tuple(listed)


def _one_of(value: Any, known: Sequence[str], key: str) -> str | None:
    if value is not None and value not in known:
        raise RoomtoneError(f"{key}: {value!r} is none of {', '.join(known)}; {nearest(str(value), known)}")
    return None if value is None else str(value)


def _whole(value: Any, key: str, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RoomtoneError(f"{key}: expected a whole number from {least} up, got {value!r}")
    return value


def _flag(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise RoomtoneError(f"{key}: expected true or false, got {value!r}")
    return value
