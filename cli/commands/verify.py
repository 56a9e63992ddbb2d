"""`roomtone verify dataset=DIR`: does the set hold what its rows say? Exits 2 where it does not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "verify"
_SHOWN = 20


def run(cfg: DictConfig) -> int:
    """Check every row and file, re-render a share, say what does not hold."""
    from roomtone.augment.verify import verify
    from roomtone.core.workers.executors import engine_of

    if cfg.dataset is None:
        raise RoomtoneError("verify needs a set: roomtone verify dataset=DIR")
    with engine_of(cfg.executor) as engine:
        checked, again, findings = verify(str(cfg.dataset), engine, share=cfg.share, seed=cfg.seed)
    for finding in findings[:_SHOWN]:
        print(f"{finding.sample_id}: {finding.what}")
    if len(findings) > _SHOWN:
        print(f"… and {len(findings) - _SHOWN} more")
    wrong = len({finding.sample_id for finding in findings})
    verdict = "all hold" if not findings else f"{wrong} do not hold"
    print(
        f"{checked} rows and files checked, {again} rendered again: {verdict}",
        file=sys.stderr if findings else sys.stdout,
    )
    return 2 if findings else 0
