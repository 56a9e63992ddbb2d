"""Levels that name a folder or a file of the user's own, without any YAML.

`musan=folder:/data/musan/noise@5dB` is the noise level `musan@5dB` whose recordings lie in that folder. Without a name the level is
called as the folder is. `folder:` takes any folder; a known noise corpus is read in its own layout by its name (`musan:/data/musan@5dB`).
Rooms take a folder of impulse responses, handsets one response (`file:`), equipment a file or a folder of recordings of one machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roomtone.augment.recordings.layouts import LAYOUTS, LICENCES
from roomtone.augment.scenarios.conditions import WITH_SNR
from roomtone.augment.scenarios.presets import preset_names
from roomtone.core.errors import RoomtoneError, nearest

_KINDS = ("folder", "file", *(name for name in LAYOUTS if name != "folder"))
_LEVEL = re.compile(r"(?:(?P<name>[^=:]*)=)?(?P<kind>[A-Za-z0-9_]+):(?P<path>.+?)(?P<snr>@[-+.\w]+(?:dB|dBA))?")
_OWN = "the user's own recordings"
#: The op that a factor's own material becomes.
_OPS = {"room": "recorded_room", "noise": "recordings", "equipment": "recording", "handset": "recorded_device"}


def own_levels(
    factor: str, levels: Sequence[Any], search: Sequence[Path] = ()
) -> tuple[list[Any], dict[str, dict[str, Any]]]:
    """Return the levels of a factor with every own folder or file as a plain level, and a preset for each of them.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        levels: as the scenario lists them.
        search: folders of the user's own presets, whose names are taken.

    Raises:
        RoomtoneError: an unknown kind, no such folder or file, a name that a preset has, or an SNR where none belongs.
    """
    plain: list[Any] = []
    presets: dict[str, dict[str, Any]] = {}
    for level in levels:
        match = _LEVEL.fullmatch(level) if isinstance(level, str) else None
        if match is None:
            plain.append(level)
            continue
        name, preset = _own_preset(factor, match, search)
        if presets.get(name, preset) != preset:
            raise RoomtoneError(
                f"{factor}: two folders are called {name!r}; give one a name: {name}_2={match['kind']}:…"
            )
        presets[name] = preset
        plain.append(f"{name}{match['snr'] or ''}")
    return plain, presets


def with_own_material(
    scenario: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]], search: Sequence[Path] = ()
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return a scenario and its presets with the user's own folders and files as levels and presets of their own.

    Args:
        scenario: the group `scenario` of a configuration.
        presets: by factor and name; what is given stays.
        search: folders of the user's own presets.

    Raises:
        RoomtoneError: as `own_levels`.
    """
    factors = scenario.get("factors")
    if not isinstance(factors, Mapping):
        return dict(scenario), {factor: dict(known) for factor, known in presets.items()}
    found = {factor: dict(known) for factor, known in presets.items()}
    resolved: dict[str, Any] = {}
    for factor, levels in factors.items():
        if factor in _OPS and isinstance(levels, Sequence) and not isinstance(levels, str):
            levels, own = own_levels(factor, levels, search)
            if own:
                found[factor] = {**found.get(factor, {}), **own}
        resolved[factor] = levels
    return {**scenario, "factors": resolved}, found


def shared_names(presets: Mapping[str, Mapping[str, Any]], search: Sequence[Path] = ()) -> list[str]:
    """Return a sentence for each level of one's own that has the name of a preset of another factor.

    Args:
        presets: by factor and name, those of a scenario.
        search: folders of the user's own presets.
    """
    return [
        f"{factor}: your own {name!r} has the name of a preset of {other}, which it is not; my_{name}=… tells them apart"
        for factor, named in presets.items()
        for name, preset in named.items()
        for other in _OPS
        if preset.get("source") == _OWN and other != factor and name in preset_names(other, search)
    ]


def _own_preset(factor: str, match: re.Match[str], search: Sequence[Path]) -> tuple[str, dict[str, Any]]:
    kind, text = match["kind"], match[0]
    path = Path(match["path"]).expanduser().absolute()
    if kind not in _KINDS:
        raise RoomtoneError(f"{factor}: {text!r}: unknown kind {kind!r}; {nearest(kind, _KINDS)}")
    if not path.exists():
        place, _, snr = match["path"].rpartition("@")
        if place and Path(place).expanduser().exists():
            raise RoomtoneError(
                f"{factor}: {text!r}: an SNR is written as 5dB, 0..10dB or env65dBA, not {snr!r}; write {text.replace(f'@{snr}', '@5dB')},"
                f" and a second SNR as a level of its own: {factor}=[none,own={kind}:{place}@5dB,own@10dB]"
            )
        what = "file" if kind == "file" else "folder"
        raise RoomtoneError(f"{factor}: {text!r}: there is no {what} {match['path']!r}")
    if (kind == "file") != path.is_file():
        what, other = ("a file", "file") if path.is_file() else ("a folder", "folder")
        raise RoomtoneError(
            f"{factor}: {text!r}: {match['path']!r} is {what}; write {text.replace(f'{kind}:', f'{other}:', 1)}"
        )
    if kind not in ("folder", "file") and factor != "noise":
        raise RoomtoneError(f"{factor}: {text!r}: {kind} is a noise corpus; write noise=[{text}]")
    name = match["name"] or re.sub(r"\W+", "_", path.stem if kind == "file" else path.name, flags=re.ASCII).strip("_")
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise RoomtoneError(f"{factor}: {text!r}: a level's name has letters, digits and _; write my_name={kind}:…")
    if name in preset_names(factor, search):
        raise RoomtoneError(f"{factor}: {text!r}: there is a preset {name!r}; write my_{name}={kind}:{match['path']}")
    if factor in WITH_SNR and match["snr"] is None:
        raise RoomtoneError(f"{factor}: {text!r} says no SNR; write {text}@10dB")
    if factor not in WITH_SNR and match["snr"] is not None:
        without = text.removesuffix(match["snr"])
        raise RoomtoneError(f"{factor}: {text!r} has an SNR, but a {factor} has none; write {without}")
    preset = {
        "op": _OPS[factor],
        "path": str(path),
        "description": f"Own {factor}",
        "source": _OWN,
    }
    if factor == "noise" and kind not in ("folder", "file"):
        corpus, licence = LICENCES[kind]
        preset |= {"kind": kind, "source": f"{corpus}, {licence} as its owners state it"}
    return name, preset
