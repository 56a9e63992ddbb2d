"""`roomtone export`: a set in an evaluator's own format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "export"
HELP = "the set in an evaluator's own format"


def run(cfg: DictConfig) -> int:
    """Write the set and print what was written."""
    from roomtone.fairness.exports import FORMATS, export

    for name in ("dataset", "format", "to"):
        if cfg[name] is None:
            known = "; formats: " + ", ".join(FORMATS) if name == "format" else ""
            raise RoomtoneError(f"export needs {name}: roomtone export dataset=DIR format=NAME to=DIR{known}")
    written = export(str(cfg.dataset), str(cfg.format), str(cfg.to), overwrite=cfg.overwrite, normalizer=cfg.normalizer)
    print(f"{cfg.format}: {FORMATS[cfg.format]}")
    for path in written[:20]:
        print(f"  {path}")
    return 0
