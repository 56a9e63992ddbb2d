"""A place: several recordings and a small YAML become a scenario, its levels drawn from what was measured.

    # place.yaml, beside the recordings
    name: ct_floor
    recordings:
      - {file: scanner.wav, as: equipment, name: our_scanner}
      - {file: corridor.wav, as: noise, name: our_corridor}
      - {file: clap.wav, as: room, name: our_suite, dimensions_m: [6, 5, 2.8]}
    speech: dictation.wav            # a talker at the usual place, recorded with the same gain; optional
    talker_distance_m: [0.5, 1.5]
    handsets: [none, landline_mulaw]
    vary: {equipment: our_scanner, pitch: 0.2, levels_db: [-6, 0, 6]}   # optional

All recordings need the same gain. The SNR of a machine or a noise is the active level of the speech less its own; without speech
0, 10 and 20 dB are assumed, and the scenario says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.scenarios.presets import COMMENT_KEYS
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import read_yaml
from roomtone.measure.presets import preset_yaml
from roomtone.measure.recording import read_recording
from roomtone.measure.settings import MeasureSettings, PlaceEntry, PlaceSettings, Variation, read_place
from roomtone.measure.variation import variants
from roomtone.measure.write_presets import WrittenPresets, measure_recording

#: SNRs assumed where no speech was recorded, dB.
_UNKNOWN_SNR_DB = (0.0, 10.0, 20.0)
#: Talkers differ in level by about this much (standard deviation of conversational speech, recalled as 3 to 4 dB).
_SPREAD_DB = 3.0


@dataclass(frozen=True)
class PlaceFound:
    """A scenario that was written: its name, its file, and the lines to print."""

    name: str
    path: Path
    lines: tuple[str, ...]


def measure_place(settings: MeasureSettings) -> PlaceFound:
    """Measure all recordings of a place and write presets and a scenario under `settings.to`.

    Args:
        settings: of a place.

    Raises:
        RoomtoneError: no readable `place.yaml`, a wrong key or value in it, or a recording that cannot be measured.
    """
    home, to = Path(str(settings.place)).expanduser(), Path(settings.to).expanduser()
    place = read_place(home)
    speech_db = _speech_db(home, place.speech, settings.sample_rate_hz)
    factors: dict[str, list[str]] = {"room": ["none"], "noise": ["none"], "equipment": ["none"]}
    lines: list[str] = []
    done: dict[str, WrittenPresets] = {}
    for entry in place.recordings:
        written = measure_recording(_settings_of(home, entry, place, settings))
        done[entry.name] = written
        factors[entry.kind] += _levels(entry.name, written, speech_db)
        lines += written.lines
    if place.vary is not None:
        factors["equipment"] += _vary(place.vary, done, to, speech_db)
    factors["handset"] = list(place.handsets)
    if speech_db is None:
        lines.append("no speech was recorded: the SNRs of the scenario (0, 10, 20 dB) are assumed, not measured")
    else:
        lines.append(
            f"speech at {speech_db:.1f} dB re full scale (active level); SNRs follow from it, +-{_SPREAD_DB:g} dB"
        )
    return PlaceFound(place.name, _write(place, factors, to, speech_db), tuple(lines))


def _settings_of(home: Path, entry: PlaceEntry, place: PlaceSettings, settings: MeasureSettings) -> MeasureSettings:
    """Return the settings for one recording of a place; the files of an entry lie beside `place.yaml`."""
    return settings.for_recording(
        recording=str(home / entry.file),
        kind=entry.kind,
        name=entry.name,
        offset_s=entry.offset_s,
        sweep=None if entry.sweep is None else str(home / entry.sweep),
        dimensions_m=entry.dimensions_m,
        talker_distance_m=place.talker_distance_m,
    )


def _speech_db(home: Path, name: str | None, rate: int) -> float | None:
    """Return the active speech level (ITU-T P.56) of the recorded speech in dB re full scale; None without such a recording."""
    if name is None:
        return None
    samples = read_recording(home / name, sample_rate_hz=rate).samples
    return float(active_speech_level(samples.astype(np.float32), rate).level_dbov)


def _levels(name: str, written: WrittenPresets, speech_db: float | None) -> list[str]:
    """Return the levels that a recording gives a scenario."""
    if written.factor == "room":
        return [name]
    if speech_db is None:
        return [f"{name}@{snr:g}dB" for snr in _UNKNOWN_SNR_DB]
    snr = speech_db - _level_db(written)
    return [f"{name}@{snr - _SPREAD_DB:.1f}..{snr + _SPREAD_DB:.1f}dB"]


def _level_db(written: WrittenPresets) -> float:
    if written.factor == "noise":
        return float(written.figures["level_db"])
    return max(float(machine["level_db"]) for machine in written.figures["machines"])


def _vary(vary: Variation, done: Mapping[str, WrittenPresets], to: Path, speech_db: float | None) -> list[str]:
    """Write the variants of a machine and return their levels, and those of the machine itself in steps."""
    name = vary.equipment
    if name not in done or done[name].factor != "equipment":
        known = [key for key, written in done.items() if written.factor == "equipment"]
        raise RoomtoneError(f"place.yaml: vary.equipment: {name!r} was not measured; {nearest(name, known)}")
    preset = read_yaml(done[name].presets[name], expected="the key 'op'")
    op = {key: value for key, value in preset.items() if key not in COMMENT_KEYS}
    centre = 10.0 if speech_db is None else round(speech_db - _level_db(done[name]), 1)
    levels = []
    for variant, changed in variants(name, op, pitch=vary.pitch).items():
        what = variant.removeprefix(name + "_").replace("_", " ")
        text = preset_yaml(f"{name} with {what}", f"varied on purpose from {name}, which was measured", changed)
        (to / "equipment" / f"{variant}.yaml").write_text(text, encoding="utf-8")
        levels.append(f"{variant}@{centre:g}dB")
    steps = [round(centre + step, 1) for step in vary.levels_db]
    return [*levels, *(f"{name}@{step:g}dB" for step in dict.fromkeys(steps))]


def _write(place: PlaceSettings, factors: dict[str, list[str]], to: Path, speech_db: float | None) -> Path:
    folder = to / "scenario"
    folder.mkdir(parents=True, exist_ok=True)
    name = place.name
    origin = "SNRs from the speech recorded there" if speech_db is not None else "SNRs assumed: no speech was recorded"
    goals = place.goals or {"default": {"utterances": 6, "speakers": 3}}
    lines = [
        f"# roomtone generate --config-dir {to} scenario={name}",
        f"name: {name}",
        f'description: "{place.description or "A place as it was measured"} ({origin})"',
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
