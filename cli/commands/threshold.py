"""`roomtone threshold dataset=SET`: from which SNR (level, period, T60, loss) on each accent passes a limit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.printable import printable

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.fairness.thresholds.answers import Thresholds

CONFIG_NAME = "threshold"


def run(cfg: DictConfig) -> int:
    """Answer, write the page, print the sentences, and return 0."""
    from roomtone.cli.compose import plain
    from roomtone.fairness.thresholds.answers import find_thresholds
    from roomtone.fairness.thresholds.asked import Question
    from roomtone.fairness.thresholds.page import folder_name, write_thresholds
    from roomtone.fairness.versions.stored import read_stored

    values = plain(cfg)
    if values["dataset"] is None:
        raise RoomtoneError(
            "threshold needs an evaluated set: roomtone threshold dataset=SET (or SET/evaluation-NAME) factor=noise wer=0.3"
        )
    names = {item.name for item in dataclasses.fields(Question)}
    asked = {key: value for key, value in values.items() if key in names}
    found = find_thresholds(values["dataset"], **asked | {"reference": values["reference_accent"]})
    told = _of(found, values["accent"])
    home = read_stored(values["dataset"]).folder / "thresholds" / folder_name(found)
    page = write_thresholds(found, Path(values["to"]) if values["to"] else home)
    for text in told:
        print(printable(text))
    if found.steps.left_out:
        print(f"{found.steps.left_out} samples whose utterance lacks a step are left out")
    print(f"page: {page}")
    return 0


def _of(found: Thresholds, accent: Any) -> list[str]:
    """Return the lines to print: of one group, or the headline and all."""
    rows = found.accents.set_index(found.accents[found.group].map(str))
    if accent is not None:
        if str(accent) not in rows.index:
            raise RoomtoneError(f"accent: no {found.group} is called {accent!r}; {nearest(str(accent), rows.index)}")
        row = rows.loc[str(accent)]
        return [text for text in (row["statement"], row["difference_statement"]) if text]
    return [
        found.headline(),
        *(f"  {' '.join(filter(None, pair))}" for pair in zip(rows["statement"], rows["difference_statement"])),
    ]
