"""`roomtone threshold dataset=SET`: from which SNR (level, period, T60, loss) on each accent passes a limit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

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
    if values["accent"] is not None:
        found = dataclasses.replace(found, asked_of=_known(found, str(values["accent"])))
    home = read_stored(values["dataset"]).folder / "thresholds" / folder_name(found)
    page = write_thresholds(found, Path(values["to"]) if values["to"] else home)
    for text in _lines(found):
        print(printable(text))
    if found.steps.left_out:
        print(f"{found.steps.left_out} samples whose utterance lacks a step are left out")
    print(f"page: {page}")
    return 0


def _known(found: Thresholds, accent: str) -> str:
    """Return the name of a group that is there."""
    names = [str(name) for name in found.accents[found.group]]
    if accent not in names:
        raise RoomtoneError(f"accent: no {found.group} is called {accent!r}; {nearest(accent, names)}")
    return accent


def _lines(found: Thresholds) -> list[str]:
    """Return the lines to print: the headline, and where all groups are asked the sentences that are not in it."""
    first = found.headline()
    if found.asked_of is not None:
        return [first]
    pairs = zip(found.accents["statement"], found.accents["difference_statement"])
    rest = (" ".join(text for text in pair if text and text not in first) for pair in pairs)
    return [first, *(f"  {text}" for text in rest if text)]
