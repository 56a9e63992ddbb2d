"""`roomtone export`: a set in an evaluator's own format."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "export"
HELP = "the set in an evaluator's own format"


def run(cfg: DictConfig) -> int:
    """Write the set and print what was written."""
    from roomtone.fairness.exports import every_format, export
    from roomtone.fairness.settings import ExportSettings, read_settings

    for name in ("dataset", "format", "to"):
        if cfg[name] is None:
            known = "; formats: " + ", ".join(every_format()) if name == "format" else ""
            raise RoomtoneError(f"export needs {name}: roomtone export dataset=DIR format=NAME to=DIR{known}")
    names = [field.name for field in dataclasses.fields(ExportSettings)]
    asked: ExportSettings = read_settings(ExportSettings, {name: cfg[name] for name in names})
    written = export(
        asked.dataset, asked.format, asked.to, overwrite=asked.overwrite, normalizer=asked.normalizer
    )  # fmt: skip
    print(f"{asked.format}: {every_format()[asked.format]}")
    for path in written[:20]:
        print(f"  {path}")
    return 0
