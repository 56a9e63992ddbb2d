"""`roomtone verify dataset=DIR`: does the set hold what its rows say? Exits 2 where it does not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import Annotated, Bounds, read_settings
from roomtone.core.workers.executors import ExecutorSettings

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "verify"
_SHOWN = 20


@dataclass(frozen=True)
class VerifySettings:
    """The keys of `conf/verify.yaml`."""

    executor: ExecutorSettings
    dataset: str | None = None
    share: Annotated[float, Bounds(0, 1)] = 0.05
    seed: int = 0
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Check every row and file, re-render a share, say what does not hold."""
    from roomtone.augment.verification import verify
    from roomtone.cli.compose import plain
    from roomtone.core.workers.executors import engine_of

    settings = read_settings(VerifySettings, plain(cfg))
    if settings.dataset is None:
        raise RoomtoneError("verify needs a set: roomtone verify dataset=DIR")
    with engine_of(settings.executor) as engine:
        checked, again, findings = verify(settings.dataset, engine, share=settings.share, seed=settings.seed)
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
