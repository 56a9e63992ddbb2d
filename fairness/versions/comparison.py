"""Two evaluations of one set compared, and the gates that a pipeline sets on what changed."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.files import refuse_links, write_whole
from roomtone.fairness.results import write_table
from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.changes import Changes, compare_scores
from roomtone.fairness.versions.own_changes import WORSE
from roomtone.fairness.versions.stored import StoredEvaluation, paired, read_stored
from roomtone.fairness.versions.verdicts import NARROWED, NOT_ENOUGH, SAME, TURNED, WIDENED

#: Choices that both evaluations must have made alike, since they say what is compared.
_ALIKE = ("group", "condition", "speaker", "sentence", "reference")
_TABLES = ("accents", "levels", "cells")


@dataclass(frozen=True)
class VersionComparison:
    """What changed from one evaluation of a set to another.

    Attributes:
        before, after: the evaluations.
        changes: what changed.
        only: samples that only one of them has counted; they are left out.
    """

    before: StoredEvaluation
    after: StoredEvaluation
    changes: Changes
    only: int

    @property
    def group(self) -> str:
        """Return the column whose values are compared."""
        return str(self.changes.settings["group"])

    def headline(self) -> str:
        """Return in a sentence or three what changed."""
        o = self.changes.overall
        ratio = self.changes.settings["scale"] == "ratio"
        change, low, high = (
            (f"{math.exp(o[key]):.2f}" if ratio else f"{100 * o[key]:+.1f}") if math.isfinite(o[key]) else "?"
            for key in ("change", "change_low", "change_high")
        )
        unit = "times" if ratio else "points"
        weighing = f"the mean over {self.group}s and conditions" if ratio else f"each {self.group} weighs the same"
        first = (
            f"{self.after.name} against {self.before.name}: {100 * o['wer_before']:.1f} % WER became {100 * o['wer_after']:.1f} %"
            f" ({change} {unit}, {100 * (1 - self.changes.settings['alpha']):g} % interval {low} to {high}; {weighing})."
        )
        return f"{first} {self._who()} {self._gaps()}"

    def _who(self) -> str:
        rows = self.changes.accents
        worse, better = ([str(n) for n in rows.loc[rows["change_verdict"] == v, self.group]] for v in (WORSE, "better"))
        parts = [f"{word}: {_listed(names)}" for word, names in (("Worse for", worse), ("Better for", better)) if names]
        return f"{'. '.join(parts)}." if parts else f"That it got better or worse for any {self.group} is not shown."

    def _gaps(self) -> str:
        rows = self.changes.accents
        told = [str(text) for text in rows.loc[rows["verdict"].isin([WIDENED, TURNED]), "statement"]]
        told += [str(text) for text in rows.loc[rows["verdict"] == NARROWED, "statement"]]
        counts = rows["verdict"].value_counts()
        if told:
            return " ".join(told[:3])
        same, unknown = int(counts.get(SAME, 0)), int(counts.get(NOT_ENOUGH, 0))
        return f"No gap of any {self.group} is shown to have changed ({same} surely by less than what matters, {unknown} cannot be told)."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def compare_versions(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    names: tuple[str, str] = ("", ""),
    **choices: Any,
) -> VersionComparison:
    """Return what changed between two evaluations of one set.

    Args:
        a: folder of the earlier evaluation, or of its set.
        b: folder of the later one.
        names: what they are called; default the folders' own names.
        choices: of `compare`, by name (`scale`, `smallest_gap`, `smallest_ratio`, `alpha`, `power`, `permutations`, `seed`), in place of
            those that the evaluations were made with.

    Raises:
        RoomtoneError: no evaluation in a folder, evaluations of different sets or of different groups, or a choice that cannot be.
    """
    before, after = read_stored(a, names[0]), read_stored(b, names[1])
    if before.folder.resolve() == after.folder.resolve():
        raise RoomtoneError(f"a and b are the same evaluation: {before.folder}")
    for key in _ALIKE:
        if before.settings.get(key) != after.settings.get(key):
            raise RoomtoneError(
                f"the evaluations compare different things: {key}={before.settings.get(key)} in {before.folder},"
                f" {key}={after.settings.get(key)} in {after.folder}"
            )
    known = {item.name for item in dataclasses.fields(CompareSettings)}
    stored = {name: value for name, value in before.settings.items() if name in known}
    settings = CompareSettings(**stored | choices)
    one, other, only = paired(before, after)
    return VersionComparison(before, after, compare_scores(one, other, settings), only)


@dataclass(frozen=True)
class VersionGates:
    """What a pipeline does not let pass; shares of words (0.02 is two points), null for no gate.

    Attributes:
        fail_if_gap_grows: a gap over all conditions that is shown to have widened, by this much or more.
        fail_if_worse: a group whose WER is shown to have grown, by this much or more.
    """

    fail_if_gap_grows: float | None = None
    fail_if_worse: float | None = None

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value is not None and not 0 <= value < 1:
                raise RoomtoneError(f"{item.name}: a share of words from 0 to 1, got {value!r} (in points?)")

    def misses(self, found: VersionComparison) -> list[str]:
        """Return a sentence for each gate that is not met; what cannot be told passes, and the verdicts say so.

        Args:
            found: what changed.
        """
        rows, missed = found.changes.accents, []
        for row in rows.to_dict("records"):
            grown = abs(row["gap_after"]) - abs(row["gap_before"])
            if (
                self.fail_if_gap_grows is not None
                and row["verdict"] in (WIDENED, TURNED)
                and grown >= self.fail_if_gap_grows
            ):
                missed.append(f"fail_if_gap_grows={self.fail_if_gap_grows:g}: {row['statement']}")
            worse = row["wer_after"] - row["wer_before"]
            if self.fail_if_worse is not None and row["change_verdict"] == WORSE and worse >= self.fail_if_worse:
                missed.append(
                    f"fail_if_worse={self.fail_if_worse:g}: {row[found.group]} has {100 * worse:.1f} points more WER than before"
                )
        return missed


def write_tables(found: VersionComparison, folder: Path) -> None:
    """Write `accents.csv`, `levels.csv`, `cells.csv` and `changes.json`.

    Args:
        found: what changed.
        folder: where; made if it is missing.

    Raises:
        RoomtoneError: a link lies where something would be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refuse_links(folder)
    for name in _TABLES:
        write_table(getattr(found.changes, name), folder / f"{name}.csv")
    summary: Mapping[str, Any] = {
        "a": {"name": found.before.name, "recogniser": found.before.recogniser}, "b": {"name": found.after.name, "recogniser": found.after.recogniser},
        "headline": found.headline(), "overall": found.changes.overall, "left_out": found.only,
        "settings": found.changes.settings, "facts": found.changes.facts,
    }  # fmt: skip
    text = json.dumps(summary, indent=2, default=str, ensure_ascii=False)
    write_whole(folder / "changes.json", f"{text}\n".encode())
