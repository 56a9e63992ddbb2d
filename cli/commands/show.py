"""`roomtone show NAME`: one preset or condition: its fields with the comments of its YAML, and a picture of its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.cli.compose import plain
from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import read_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.augment.gallery.info import PresetInfo

CONFIG_NAME = "show"
POSITIONAL = "name"


@dataclass(frozen=True)
class ShowSettings:
    """The keys of `conf/show.yaml`."""

    name: str | None = None
    to: str | None = None
    cache_dir: str | None = None
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Print the YAML, the key figures and the picture of each preset that the name stands for."""
    settings = read_settings(ShowSettings, plain(cfg))
    if settings.name is None:
        raise RoomtoneError("show needs a name: roomtone show ward (roomtone list says what there is)")
    search = () if settings.config_dir is None else (Path(settings.config_dir),)
    found = _presets(settings.name, search)
    if settings.to is not None and (len(found) != 1 or Path(settings.to).suffix.lower() != ".png"):
        raise RoomtoneError(f"to: one preset goes into one file ending in .png, got {len(found)} and {settings.to!r}")
    for info in found:
        _show(info, search, settings)
    return 0


def _presets(name: str, search: tuple[Path, ...]) -> list[PresetInfo]:
    from roomtone.augment.gallery.info import find_presets

    return [info for part in name.split("+") for info in find_presets(part.split("@")[0], search)]


def _show(info: PresetInfo, search: tuple[Path, ...], settings: ShowSettings) -> None:
    from roomtone.augment.gallery.pictures import as_png, as_text
    from roomtone.augment.gallery.sound import preset_sound
    from roomtone.core.files import write_whole

    print(f"{info.factor}/{info.name}.yaml\n")
    print(info.text.rstrip())
    if info.figures:
        print(f"\nkey figures: {', '.join(info.figures)}")
    if info.needs:
        print(f"\nneeds {info.needs}")
        return
    sound = preset_sound(info, search, settings.cache_dir)
    print(f"\n{as_text(info, sound, search)}")
    print(f'\nhear it: roomtone listen "{info.example}" to=heard.wav\n')
    if settings.to is not None:
        print(f"picture: {write_whole(Path(settings.to), as_png(info, sound, search))}")
