"""`roomtone show NAME`: one preset, condition or scenario: its fields with the comments of its YAML, and a picture of its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.cli.compose import plain
from roomtone.core.bounded.yaml_text import read_bounded_text
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
    scenario = _scenario_file(settings.name, search)
    if scenario is not None:
        print(_scenario(scenario))
        return 0
    found = _presets(settings.name, search)
    if settings.to is not None and (len(found) != 1 or Path(settings.to).suffix.lower() != ".png"):
        raise RoomtoneError(f"to: one preset goes into one file ending in .png, got {len(found)} and {settings.to!r}")
    for info in found:
        _show(info, search, settings)
    return 0


def _scenario_file(name: str, search: tuple[Path, ...]) -> Path | None:
    """Return the YAML of a scenario, `scenario/NAME` or its name alone; None where there is none of that name."""
    from roomtone.augment.scenarios.presets import preset_folders
    from roomtone.core.local_paths import path_inside

    for folder in preset_folders(search):
        path = folder / "scenario" / f"{name.removeprefix('scenario/')}.yaml"
        if "/" not in name.removeprefix("scenario/") and path.is_file():
            return Path(path_inside(folder, f"scenario/{path.name}", where=str(folder)))
    return None


def _scenario(path: Path) -> str:
    """Return a scenario's YAML, how many conditions its levels make, and how it is used."""
    from math import prod

    from roomtone.augment.scenarios.scenario import parse_scenario
    from roomtone.core.files import read_yaml

    scenario = parse_scenario({"name": path.stem, **read_yaml(path, expected="the key 'factors'")})
    combined = prod(len(levels) for levels in scenario.factors.values())
    return "\n".join(
        [
            f"scenario/{path.name}\n",
            read_bounded_text(path).rstrip(),
            f"\nkey figures: {combined:,} conditions where all levels are combined (design=full)",
            f"\nuse it: roomtone generate scenario={path.stem}      look at a level of it: roomtone show ward",
        ]
    )


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
