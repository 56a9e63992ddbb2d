"""`roomtone compare a=DIR b=DIR`: what changed between two evaluations of one set, and a gate on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import printable
from roomtone.core.settings import read_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "compare"


@dataclass(frozen=True)
class VersionSettings:
    """The keys of `conf/compare.yaml`."""

    a: str | None = None
    history: str | tuple[str, ...] | None = None
    b: str | None = None
    name_a: str | None = None
    name_b: str | None = None
    to: str | None = None
    scale: str | None = None
    smallest_gap: float | None = None
    alpha: float | None = None
    fail_if_gap_grows: float | None = None
    fail_if_worse: float | None = None
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Compare, write the page, print the verdicts, and return 0, or 2 where a gate is not met."""
    from roomtone.cli.compose import plain
    from roomtone.fairness.versions.comparison import VersionGates, compare_versions, write_tables
    from roomtone.fairness.versions.page import write_page

    s = read_settings(VersionSettings, plain(cfg))
    if s.history is not None:
        return _history(s)
    if s.a is None or s.b is None:
        raise RoomtoneError(
            "compare needs two evaluations of one set: roomtone compare a=SET/evaluation-1 b=SET/evaluation-2"
        )
    gates = VersionGates(s.fail_if_gap_grows, s.fail_if_worse)
    choices = {k: v for k in ("scale", "smallest_gap", "alpha") if (v := getattr(s, k)) is not None}
    found = compare_versions(s.a, s.b, names=(s.name_a or "", s.name_b or ""), **choices)
    folder = Path(s.to) if s.to else found.after.folder / f"versus-{Path(found.before.name).name}"
    write_tables(found, folder)
    page = write_page(found, folder)
    print(printable(found.headline()))
    for text in found.changes.accents["statement"]:
        print(printable(f"  {text}"))
    if found.only:
        print(f"{found.only} samples that only one of them has counted are left out")
    missed = gates.misses(found)
    for text in missed:
        print(printable(f"gate not met: {text}"))
    print(f"page: {page}")
    return 2 if missed else 0


def _history(s: VersionSettings) -> int:
    """Tell how gaps went over many evaluations, and write the page; 0."""
    from roomtone.fairness.versions.history import find_versions, version_history
    from roomtone.fairness.versions.history_files import write_history

    if s.a is not None or s.b is not None:
        raise RoomtoneError("history tells of many evaluations, a and b of two: give one or the other")
    places = find_versions(s.history) if isinstance(s.history, str) else [Path(place) for place in s.history or ()]
    found = version_history(places)
    page = write_history(found, Path(s.to) if s.to else places[-1] / "history")
    print(printable(found.headline()))
    for text in found.trends["statement"]:
        print(printable(f"  {text}"))
    print(f"page: {page}")
    return 0
