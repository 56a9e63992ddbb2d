"""A place: several recordings and a small YAML become a scenario, its levels drawn from what was measured.

    # place.yaml, beside the recordings
    name: ct_floor
    recordings:
      - {file: scanner.wav, as: equipment, name: our_scanner}
      - {file: corridor.wav, as: noise, name: our_corridor}
      - {file: clap.wav, as: room, name: our_suite, dimensions_m: [6, 5, 2.8]}
    speech: dictation.wav            # somebody who talks where people talk, same gain; optional
    talker_distance_m: [0.5, 1.5]
    handsets: [none, landline_mulaw]
    vary: {equipment: our_scanner, pitch: 0.2, levels_db: [-6, 0, 6]}   # optional

Levels need one gain for all recordings. The SNR of a machine or a noise is the active level of the speech less its own; without speech
0, 10 and 20 dB stand for what was not measured, and the scenario says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.measure.presets import preset_yaml
from roomtone.measure.recording import read_recording
from roomtone.measure.variants import variants
from roomtone.measure.write_presets import Written, measure_recording

_KEYS = ("name", "description", "recordings", "speech", "talker_distance_m", "handsets", "goals", "vary")
_ENTRY_KEYS = ("file", "as", "name", "offset_s", "sweep", "dimensions_m")
#: Stand-ins where no speech was recorded.
_UNKNOWN_SNR_DB = (0.0, 10.0, 20.0)
#: Talkers differ in level by about this much (standard deviation of conversational speech, recalled as 3 to 4 dB).
_SPREAD_DB = 3.0


@dataclass(frozen=True)
class PlaceFound:
    """A scenario that was written, and what to say of it."""

    name: str
    path: Path
    lines: tuple[str, ...]


def measure_place(
    folder: str | Path, to: str | Path, *, sample_rate_hz: int = 16000, longest_s: float = 120.0
) -> PlaceFound:
    """Measure all recordings of a place and write presets and a scenario under `to`.

    Args:
        folder: holds `place.yaml` and the recordings.
        to: folder for `--config-dir`.
        sample_rate_hz, longest_s: as in `measure_recording`.

    Raises:
        RoomtoneError: no readable `place.yaml`, an unknown key, or a recording that cannot be measured.
    """
    home = Path(folder).expanduser()
    place = _read(home / "place.yaml")
    distance = tuple(float(x) for x in place.get("talker_distance_m", (0.5, 1.5)))
    if len(distance) != 2:
        raise RoomtoneError(f"place.yaml: talker_distance_m must be [least, greatest] in metres, got {list(distance)}")
    speech_db = _speech_db(home, place.get("speech"), sample_rate_hz)
    factors: dict[str, list[str]] = {"room": ["none"], "noise": ["none"], "equipment": ["none"]}
    lines: list[str] = []
    done: dict[str, Written] = {}
    for entry in place["recordings"]:
        written = _measure(home, entry, to, sample_rate_hz, longest_s, (distance[0], distance[1]))
        done[entry["name"]] = written
        factors[entry["as"]] += _levels(entry["name"], written, speech_db)
        lines += written.lines
    if place.get("vary"):
        factors["equipment"] += _vary(place["vary"], done, Path(to).expanduser(), speech_db)
    factors["handset"] = [str(level) for level in place.get("handsets") or ["none"]]
    if speech_db is None:
        lines.append("no speech was recorded: the SNRs of the scenario (0, 10, 20 dB) are assumed, not measured")
    else:
        lines.append(
            f"speech at {speech_db:.1f} dB re full scale (active level); SNRs follow from it, +-{_SPREAD_DB:g} dB"
        )
    path = _write(place, factors, Path(to).expanduser(), speech_db)
    return PlaceFound(str(place["name"]), path, tuple(lines))


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        place = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RoomtoneError(f"{path}: not readable; place=DIR needs a place.yaml beside the recordings") from error
    except yaml.YAMLError as error:
        raise RoomtoneError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(place, dict) or not place.get("name") or not isinstance(place.get("recordings"), list):
        raise RoomtoneError(f"{path}: the keys 'name' and 'recordings' (a list) are needed")
    for key in place:
        if key not in _KEYS:
            raise RoomtoneError(f"{path}: unknown key {key!r}; {nearest(str(key), _KEYS)}")
    for number, entry in enumerate(place["recordings"], start=1):
        if not isinstance(entry, dict) or any(key not in entry for key in ("file", "as", "name")):
            raise RoomtoneError(f"{path}, recording {number}: give file, as and name")
        for key in entry:
            if key not in _ENTRY_KEYS:
                raise RoomtoneError(
                    f"{path}, recording {number}: unknown key {key!r}; {nearest(str(key), _ENTRY_KEYS)}"
                )
        if entry["as"] not in ("equipment", "noise", "room"):
            raise RoomtoneError(
                f"{path}, recording {number}: as: {nearest(str(entry['as']), ('equipment', 'noise', 'room'))}"
            )
    return place


def _measure(
    home: Path, entry: Mapping[str, Any], to: str | Path, rate: int, longest_s: float, distance: tuple[float, float]
) -> Written:
    size = entry.get("dimensions_m")
    return measure_recording(
        home / str(entry["file"]),
        entry["as"],
        str(entry["name"]),
        to,
        sample_rate_hz=rate,
        longest_s=longest_s,
        offset_s=float(entry.get("offset_s", 0.0)),
        sweep=home / str(entry["sweep"]) if entry.get("sweep") else None,
        dimensions_m=None if size is None else (float(size[0]), float(size[1]), float(size[2])),
        talker_distance_m=distance,
    )


def _speech_db(home: Path, name: Any, rate: int) -> float | None:
    if name is None:
        return None
    from roomtone.augment import active_speech_level

    samples = read_recording(home / str(name), sample_rate_hz=rate).samples
    return float(active_speech_level(samples.astype(np.float32), rate).level_dbov)


def _levels(name: str, written: Written, speech_db: float | None) -> list[str]:
    """Return the levels that a recording gives a scenario."""
    if written.factor == "room":
        return [name]
    if speech_db is None:
        return [f"{name}@{snr:g}dB" for snr in _UNKNOWN_SNR_DB]
    snr = speech_db - _level_db(written)
    return [f"{name}@{snr - _SPREAD_DB:.1f}..{snr + _SPREAD_DB:.1f}dB"]


def _level_db(written: Written) -> float:
    if written.factor == "noise":
        return float(written.figures["level_db"])
    return max(float(machine["level_db"]) for machine in written.figures["machines"])


def _vary(vary: Mapping[str, Any], done: Mapping[str, Written], to: Path, speech_db: float | None) -> list[str]:
    """Write the variants of a machine and return their levels, and those of the machine itself in steps."""
    import yaml

    name = str(vary.get("equipment", ""))
    if name not in done or done[name].factor != "equipment":
        known = [key for key, written in done.items() if written.factor == "equipment"]
        raise RoomtoneError(f"place.yaml, vary: {name!r} is no measured equipment; {nearest(name, known)}")
    preset = yaml.safe_load(done[name].presets[name].read_text(encoding="utf-8"))
    op = {key: value for key, value in preset.items() if key not in ("description", "source")}
    centre = 10.0 if speech_db is None else round(speech_db - _level_db(done[name]), 1)
    levels = []
    for variant, changed in variants(name, op, pitch=float(vary.get("pitch", 0.2))).items():
        what = variant.removeprefix(name + "_").replace("_", " ")
        text = preset_yaml(f"{name} with {what}", f"varied on purpose from {name}, which was measured", changed)
        (to / "equipment" / f"{variant}.yaml").write_text(text, encoding="utf-8")
        levels.append(f"{variant}@{centre:g}dB")
    steps = [round(centre + float(step), 1) for step in vary.get("levels_db", (-6.0, 0.0, 6.0))]
    return [*levels, *(f"{name}@{step:g}dB" for step in dict.fromkeys(steps))]


def _write(place: Mapping[str, Any], factors: dict[str, list[str]], to: Path, speech_db: float | None) -> Path:
    folder = to / "scenario"
    folder.mkdir(parents=True, exist_ok=True)
    name = str(place["name"])
    origin = "SNRs from the speech recorded there" if speech_db is not None else "SNRs assumed: no speech was recorded"
    goals = place.get("goals") or {"default": {"utterances": 6, "speakers": 3}}
    lines = [
        f"# roomtone generate --config-dir {to} scenario={name}",
        f"name: {name}",
        f'description: "{place.get("description") or "A place as it was measured"} ({origin})"',
        "# levels by factor, measured at the place",
        "factors:",
        *(f"  {factor}: [{', '.join(dict.fromkeys(levels))}]" for factor, levels in factors.items()),
        "# combinations that make no sense together",
        "constraints: []",
        "# what every cell of accent x condition must hold",
        f"goals: {_flow(goals)}",
    ]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _flow(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False)).strip()
