"""`roomtone list [GROUP]`: what there is, by kind: presets with their description and key figures; corpora, formats, recognisers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.cli.compose import plain
from roomtone.core.bounded.yaml_text import read_bounded_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.printable import coloured_console
from roomtone.core.settings import read_settings
from roomtone.core.vocabulary import FACTORS

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from rich.console import Console

CONFIG_NAME = "list"
#: The key that a word without `=` is taken for.
POSITIONAL = "group"
#: Groups of `conf/` that are listed by their files' first comment, and how one of them is chosen.
_GROUPS = {
    "scenario": "roomtone generate scenario=NAME",
    "design": "roomtone generate design=NAME",
    "corpus": "roomtone generate corpus=NAME corpus.path=…",
    "accents": "roomtone generate accents=NAME",
    "output": "roomtone generate output=NAME",
    "executor": "roomtone generate executor=NAME",
    "asr": "roomtone evaluate dataset=SET asr=NAME",
}
#: All that can be listed.
GROUPS = (*FACTORS, *_GROUPS, "export")
#: What to type after a list of one group; of several groups `_NEXT_OF_LEVELS` is right.
_NEXT = {
    "equipment": "hear one: roomtone listen scanner_800hz@5dB to=heard.wav      look at one: roomtone show scanner_800hz",
    "handset": "hear one: roomtone listen gsm to=heard.wav      look at one: roomtone show gsm",
    "noise": "hear one: roomtone listen babble@5dB to=heard.wav      look at one: roomtone show babble",
    "room": "hear one: roomtone listen ward to=heard.wav      look at one: roomtone show ward",
    "scenario": "what one would make: roomtone plan scenario=ward_round      its keys: roomtone generate scenario=ward_round --help",
    "design": "what one would make: roomtone plan design=covering      its keys: roomtone generate design=covering --help",
    "corpus": "what is in yours: roomtone corpus corpus=common_voice corpus.path=DIR      its keys: roomtone corpus corpus=common_voice --help",
    "accents": "use one: roomtone corpus corpus=common_voice corpus.path=DIR accents=common_voice",
    "output": "use one: roomtone generate output=wav      its keys: roomtone generate output=wav --help",
    "executor": "use one: roomtone generate executor=processes executor.workers=4      its keys: roomtone generate executor=processes --help",
    "asr": "use one: roomtone evaluate dataset=SET asr=faster_whisper asr.model=tiny.en      its keys: roomtone evaluate asr=faster_whisper --help",
    "export": "use one: roomtone export dataset=SET format=nemo to=DIR",
}
_NEXT_OF_LEVELS = 'hear one: roomtone listen "ward+babble@5dB" to=heard.wav      look at one: roomtone show ward'
_LEVELS = {
    "room": "roomtone generate room=[none,ward]",
    "noise": "roomtone generate noise=[none,babble@5dB]",
    "equipment": "roomtone generate equipment=[none,scanner_800hz@5dB]",
    "handset": "roomtone generate handset=[none,gsm]",
}


@dataclass(frozen=True)
class ListSettings:
    """The keys of `conf/list.yaml`."""

    group: str | None = None
    to: str | None = None
    cache_dir: str | None = None
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Print what there is, or write the gallery."""
    settings = read_settings(ListSettings, plain(cfg))
    if settings.group is not None and settings.group not in GROUPS:
        raise RoomtoneError(
            f"list: there is no group {settings.group!r}; {nearest(settings.group, GROUPS)}; for a preset: roomtone show {settings.group}"
        )
    search = () if settings.config_dir is None else (Path(settings.config_dir),)
    wanted = GROUPS if settings.group is None else (settings.group,)
    if settings.to is not None:
        return _gallery(wanted, search, settings)
    console = coloured_console(width=None if sys.stdout.isatty() else 120)
    for kind in wanted:
        _print_kind(kind, search, console)
    print(_NEXT_OF_LEVELS if settings.group is None else _NEXT[settings.group])
    return 0


def _gallery(wanted: Sequence[str], search: tuple[Path, ...], settings: ListSettings) -> int:
    from roomtone.augment.gallery.info import every_preset
    from roomtone.augment.gallery.page import write_gallery
    from roomtone.core.workers.progress import Progress

    presets = [info for info in every_preset(search) if info.factor in wanted]
    if not presets:
        raise RoomtoneError(f"list: the gallery shows {', '.join(FACTORS)}; {settings.group} is none of them")
    with Progress(len(presets), "gallery", "presets") as progress:
        page = write_gallery(
            presets,
            Path(str(settings.to)),
            search,
            cache_dir=settings.cache_dir,
            progress=lambda name: progress.add(1),
        )
    print(f"{len(presets)} presets with pictures and players: {page}")
    return 0


def _print_kind(kind: str, search: tuple[Path, ...], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title_justify="left", title_style="bold", title=Text(_title(kind)))
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    if kind in FACTORS:
        table.add_column("key figures")
    for row in _rows(kind, search):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print()


def _title(kind: str) -> str:
    if kind in FACTORS:
        return f"{kind}: {_LEVELS[kind]}"
    return f"{kind}: {_GROUPS.get(kind, 'roomtone export dataset=SET format=NAME to=DIR')}"


def _rows(kind: str, search: tuple[Path, ...]) -> Iterable[tuple[str, ...]]:
    from roomtone.augment.gallery.info import preset_info
    from roomtone.augment.scenarios.presets import preset_folders, preset_names

    if kind in FACTORS:
        for name in preset_names(kind, search):
            info = preset_info(kind, name, search)
            needs = (f"needs {info.needs}",) if info.needs else ()
            yield name, info.description, ", ".join((*info.figures, *needs))
    elif kind == "export":
        from roomtone.fairness.exports import every_format

        yield from every_format().items()
    else:
        for folder in preset_folders(search):
            for path in sorted((folder / kind).glob("*.yaml")):
                yield path.stem, _first_words(path)


def _first_words(path: Path) -> str:
    """Return what a YAML file says of itself: its `description`, or its first comment."""
    from roomtone.core.files import read_yaml
    from roomtone.core.local_paths import path_inside

    path_inside(path.parent.parent, f"{path.parent.name}/{path.name}", where=str(path.parent.parent))
    described = read_yaml(path, expected="keys").get("description")
    if described:
        return " ".join(str(described).split())
    first = read_bounded_text(path).split("\n", 1)[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""
