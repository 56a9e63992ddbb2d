"""`roomtone verify dataset=DIR`: does the set hold what its rows say? Exits 2 where it does not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import printable
from roomtone.core.settings import Annotated, Bounds, read_settings
from roomtone.core.workers.executors import ExecutorSettings

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.augment.verification import Finding

CONFIG_NAME = "verify"
_SHOWN, _UNSIGNED_SHOWN = 20, 10


@dataclass(frozen=True)
class VerifySettings:
    """The keys of `conf/verify.yaml`."""

    executor: ExecutorSettings
    dataset: str | None = None
    share: Annotated[float, Bounds(0, 1)] = 0.05
    seed: int = 0
    key: str | None = None
    paths: Mapping[str, Any] = field(default_factory=dict)
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Check every row and file, re-render a share, say what does not hold."""
    from roomtone.augment.verification import WHOLE_SET, verify
    from roomtone.cli.compose import plain
    from roomtone.core.workers.executors import engine_of

    settings = read_settings(VerifySettings, plain(cfg))
    if settings.dataset is None:
        raise RoomtoneError("verify needs a set: roomtone verify dataset=DIR")
    unsigned = [] if settings.key is None else _signature_findings(settings.dataset, settings.key)
    with engine_of(settings.executor) as engine:
        checked, again, findings = verify(
            settings.dataset, engine, share=settings.share, seed=settings.seed, paths=settings.paths
        )
    findings = [*unsigned, *findings]
    for finding in findings[:_SHOWN]:
        print(printable(f"{finding.sample_id}: {finding.what}"))
    if len(findings) > _SHOWN:
        print(f"… and {len(findings) - _SHOWN} more")
    wrong = len({finding.sample_id for finding in findings} - {WHOLE_SET})
    whole = [finding for finding in findings if finding.sample_id == WHOLE_SET]
    verdict = (
        "all hold" if not findings else f"{wrong} do not hold" + (", nor does the set as a whole" if whole else "")
    )
    print(
        f"{checked} rows and files checked, {again} rendered again: {verdict}",
        file=sys.stderr if findings else sys.stdout,
    )
    if settings.key is not None and (line := _unsigned_line(settings.dataset)):
        print(line)
    print(_seal_line(settings.key, signed=settings.key is not None and not any("sign" in f.what for f in whole)))
    return 2 if findings else 0


def _signature_findings(dataset: str, key: str) -> list[Finding]:
    from roomtone.augment.verification import WHOLE_SET, Finding
    from roomtone.core.dataset.signature import signature_fault
    from roomtone.core.dataset.storage import open_storage

    fault = signature_fault(open_storage(dataset), key)
    return [] if fault is None else [Finding(WHOLE_SET, fault)]


def _unsigned_line(dataset: str) -> str:
    """Return what lies in the set and is not signed, in a line; empty where there is nothing."""
    from roomtone.core.dataset.signature import unsigned_names
    from roomtone.core.dataset.storage import open_storage

    names = unsigned_names(open_storage(dataset))
    more = f" and {len(names) - _UNSIGNED_SHOWN} more" if len(names) > _UNSIGNED_SHOWN else ""
    return f"not signed: {', '.join(f'{name!a}' for name in names[:_UNSIGNED_SHOWN])}{more}" if names else ""


def _seal_line(key: str | None, *, signed: bool) -> str:
    """Return what the check is worth against a forger."""
    if signed:
        return f"signed with the key of {key}: nothing that it says was changed since"
    return "not held against a forger: rows are sealed without a key, so whoever edits one can seal it again (key=FILE.pub checks a signature)"
