"""`roomtone sign dataset=DIR key=FILE`: a detached signature over a set, which `roomtone verify key=FILE.pub` checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import read_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "sign"


@dataclass(frozen=True)
class SignSettings:
    """The keys of `conf/sign.yaml`."""

    dataset: str | None = None
    key: str | None = None
    new_key: bool = False
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Make a key where one is asked for, sign the set where one is named, and say what was written."""
    from roomtone.cli.compose import plain
    from roomtone.core.dataset.signature import LIST_NAME, SIGNATURE_NAME, make_key, sign_set
    from roomtone.core.dataset.storage import open_storage

    settings = read_settings(SignSettings, plain(cfg))
    if settings.key is None or (settings.dataset is None and not settings.new_key):
        raise RoomtoneError("sign needs a set and a key: roomtone sign dataset=DIR key=FILE (new_key=true makes one)")
    if settings.new_key:
        public = make_key(settings.key)
        print(f"new key: {settings.key} (keep it to yourself), {public} (give it to whoever verifies)")
    if settings.dataset is not None:
        digest = sign_set(open_storage(settings.dataset), settings.key)
        print(f"signed: {settings.dataset}/{LIST_NAME} and {SIGNATURE_NAME}")
        print(f"digest of the set: {digest}")
    return 0
