"""A preset in words: description, source, key figures, and what it needs before it can be used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.augment.ops.packages import EXTRA, missing_packages
from roomtone.augment.scenarios.presets import COMMENT_KEYS, load_preset, parse_preset, preset_file, preset_names
from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.extras import how_to_install
from roomtone.core.vocabulary import FACTORS

#: Fields of a preset that are its key figures, in the order in which they are shown, and how.
_FIGURES: tuple[tuple[str, str], ...] = (
    ("t60_s", "T60 {} s"),
    ("dimensions_m", "{} m"),
    ("talker_distance_m", "talker at {} m"),
    ("realisations", "{} placings"),
    ("talkers", "{} talkers"),
    ("slope_db_per_octave", "{} dB/octave"),
    ("period_s", "every {} s"),
    ("pulse_hz", "{} Hz pulses"),
    ("distance_m", "{} m away"),
)

#: How sure a number is, the least sure first, and the words by which the comment beside it says so, in brackets.
_CERTAINTY: tuple[tuple[str, str], ...] = (
    ("estimated", r"estimate"),
    ("recalled", r"recalled"),
    ("second-hand", r"second-hand|abstract|survey|article"),
    (
        "standard, read, measured or computed",
        r"standard|definition|measured|run|read|physics|arithmetic|computed|closed form|convention|manual|published|RFC \d",
    ),
)


@dataclass(frozen=True)
class PresetInfo:
    """One preset for a reader.

    Attributes:
        factor: `room`, `noise`, `equipment` or `handset`.
        name: as a level is written, without an SNR.
        description, source: from its YAML; the source says how sure it is.
        figures: key figures, short.
        needs: what must be at hand before it can be used, None where nothing must.
        example: a level that a scenario may name.
        text: its YAML, with the comments.
    """

    factor: str
    name: str
    description: str
    source: str
    figures: tuple[str, ...]
    needs: str | None
    text: str

    @property
    def example(self) -> str:
        """Return a level of the preset; noise and equipment carry an SNR."""
        return f"{self.name}@10dB" if self.factor in ("noise", "equipment") else self.name

    @property
    def certainty(self) -> dict[str, int]:
        """Return how many lines of the YAML say that their number is standard, second-hand and so on, the surest first.

        A line that names several grades counts as the least sure of them; lines that name none are not counted.
        """
        remarks = [
            " ".join(re.findall(r"\(([^()]*)\)", line.partition("#")[2]))
            for line in self.text.splitlines()
            if "#" in line
        ]
        grades = [
            next((grade for grade, words in _CERTAINTY if re.search(rf"\b({words})", remark)), None)
            for remark in remarks
        ]
        return {grade: grades.count(grade) for grade, _ in reversed(_CERTAINTY) if grade in grades}


def preset_info(factor: str, name: str, search: Sequence[Path] = ()) -> PresetInfo:
    """Return a preset in words.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        name: of the preset.
        search: folders of the user's own, looked through first.

    Raises:
        RoomtoneError: no such preset, with the nearest name, or fields that its op does not take.
    """
    preset = load_preset(factor, name, search)
    parse_preset(factor, name, preset)  # what follows takes the forms of fields for granted
    text = read_text(preset_file(factor, name, search))
    words = {key: " ".join(str(preset.get(key, "")).split()) for key in COMMENT_KEYS}
    return PresetInfo(
        factor, name, words["description"], words["source"], tuple(_figures(preset)), _needs(preset), text
    )


def _needs(preset: Mapping[str, Any]) -> str | None:
    path = preset.get("path")  # of a room it may be the way of a talker, a list of places
    if isinstance(path, str) and not Path(path).exists():
        return f"a folder of recordings at its path ({path})"
    missing = sorted({package for _, package in missing_packages(preset)})
    return f"{', '.join(missing)}: {how_to_install(EXTRA)}" if missing else None


def every_preset(search: Sequence[Path] = ()) -> list[PresetInfo]:
    """Return all presets, by factor and name.

    Args:
        search: folders of the user's own, looked through first.
    """
    return [preset_info(factor, name, search) for factor in FACTORS for name in preset_names(factor, search)]


def find_presets(name: str, search: Sequence[Path] = ()) -> list[PresetInfo]:
    """Return the presets of a name; most names belong to one factor.

    Args:
        name: of a preset, or `factor/name`.
        search: folders of the user's own, looked through first.

    Raises:
        RoomtoneError: no factor has such a preset; says the nearest.
    """
    factor, _, rest = name.rpartition("/")
    homes = [f for f in FACTORS if (not factor or f == factor) and rest in preset_names(f, search)]
    if not homes:
        known = [known for f in FACTORS for known in preset_names(f, search)]
        holding = sorted({one for one in known if len(rest) > 2 and rest.lower() in one})
        hint = f"with {rest!r} in their name: {', '.join(holding)}" if holding else nearest(rest, known)
        raise RoomtoneError(f"there is no preset {name!r}; {hint}")
    return [preset_info(home, rest, search) for home in homes]


def _figures(preset: Mapping[str, Any]) -> list[str]:
    moving = preset.get("sound") or {}
    parts = (preset, moving, *(preset.get("parts") or moving.get("parts") or ()))
    found = [pitch for part in parts if (pitch := _pitch(part))][:2]
    if preset.get("speed_m_s"):
        moves = "wind speed {} m/s" if preset["op"] == "wind_noise" else "passes at {} m/s"
        found.append(moves.format(_number(preset["speed_m_s"])))
    found += [shape.format(_number(preset[key])) for key, shape in _FIGURES if preset.get(key) not in (None, "", 0)]
    stages = [stage for stage in preset.get("stages") or () if isinstance(stage, Mapping)]
    for stage in stages:
        if stage.get("op") == "codec":
            rate = f" at {int(stage['rate_hz']) // 1000} kHz" if stage.get("rate_hz") else ""
            found.append(f"{stage.get('codec')}{rate}")
        if stage.get("op") == "packet_loss":
            found.append("packet loss")
    return found


def _pitch(part: Mapping[str, Any]) -> str | None:
    """Return the pitch of a tone; of one whose fundamental is 1 Hz, so that its ratios are frequencies, those frequencies."""
    fundamental = part.get("fundamental_hz")
    if fundamental != 1.0:
        return f"{_number(fundamental)} Hz" if fundamental else None
    of_pulses = {float(pulse[2]) for pulse in part.get("pulses") or () if len(pulse) > 2}
    tones = sorted(of_pulses or {float(ratio) for ratio, _ in part.get("harmonics") or ()})
    if len(tones) > 3:
        return f"{tones[0]:g} to {tones[-1]:g} Hz"
    return " + ".join(f"{tone:g}" for tone in tones) + " Hz"


def _number(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        joiner = " x " if len(value) == 3 else " to "
        return joiner.join(_number(part) for part in value)
    return f"{round(value, 2) if abs(value) >= 1 else value:g}" if isinstance(value, int | float) else str(value)
