"""One recording in, presets out: what `roomtone measure recording=FILE as=…` writes.

Beside each preset `DIR/<factor>/<name>.yaml` are `<name>.measurement.json` (every figure and how it was made) and `<name>.png`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import decay_db
from roomtone.core.errors import RoomtoneError
from roomtone.measure.detection.machines import measure_equipment
from roomtone.measure.figures import machine_figures, machine_words, noise_figures, room_figures
from roomtone.measure.machine import CycleWaveform, EquipmentFound
from roomtone.measure.noise import measure_noise, noise_op
from roomtone.measure.presets import machine_op, preset_yaml, recorded_op
from roomtone.measure.recording import PlaceRecording, read_recording
from roomtone.measure.room import RoomFound, measure_room, room_op
from roomtone.measure.settings import MeasureSettings

#: Room presets need a size; where none is given this one is assumed, and the preset says so. Length, width, height in metres.
ASSUMED_M = (5.0, 4.0, 2.7)
#: Shortest recording of a room (one clap), of a sweep, and of anything else, in seconds.
_SHORTEST_ROOM_S, _SHORTEST_SWEEP_S, _SHORTEST_S = 0.5, 0.2, 2.0
#: A decay that can be followed this far is worth keeping as a recorded response.
_RECORDED_RANGE_DB = 45.0


@dataclass(frozen=True)
class WrittenPresets:
    """What a measurement wrote.

    Attributes:
        factor: `equipment`, `noise` or `room`.
        presets: files by the name of the preset.
        lines: to print.
        figures: as in `<name>.measurement.json`.
    """

    factor: str
    presets: dict[str, Path]
    lines: tuple[str, ...]
    figures: dict[str, Any]


def measure_recording(settings: MeasureSettings) -> WrittenPresets:
    """Measure one recording and write its presets under `<to>/<kind>/`.

    Args:
        settings: of one recording.

    Raises:
        RoomtoneError: the recording cannot be read, or it cannot tell what was asked; the message has the reason.
    """
    kind, name = settings.kind, str(settings.name)
    recording = read_recording(
        str(settings.recording),
        sample_rate_hz=settings.sample_rate_hz,
        offset_s=settings.offset_s,
        longest_s=settings.longest_s,
        shortest_s=_SHORTEST_ROOM_S if kind == "room" else _SHORTEST_S,
    )
    folder = Path(settings.to).expanduser() / str(kind)
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "equipment":
        return _write_equipment(recording, name, folder)
    return _write_noise(recording, name, folder) if kind == "noise" else _write_room(recording, settings, folder)


def _write_equipment(recording: PlaceRecording, name: str, folder: Path) -> WrittenPresets:
    found = measure_equipment(recording.samples, recording.sample_rate_hz)
    if not found.machines:
        raise RoomtoneError(
            f"{recording.path}: no machine found: in these {recording.duration_s:.0f} s nothing repeats and no tone is there all the time; "
            "measure it with as=noise, or record longer (three periods at least)"
        )
    source = _source(recording)
    cycles = folder / f"{name}_cycles"
    presets: dict[str, Path] = {}
    lines, parts = list(recording.notes), []
    loudest_db = found.machines[0].level_db
    for index, machine in enumerate(found.machines):
        own = name if index == 0 else f"{name}_{index + 1}"
        if machine.recorded is None:
            op = part = machine_op(machine)
        else:
            _write_cycle(machine.recorded, cycles / f"{own}.wav")
            op = recorded_op(machine, f"{cycles.name}/{own}.wav")
            part = recorded_op(machine, cycles.name, asset=f"folder/{own}.wav")
        presets[own] = folder / f"{own}.yaml"
        presets[own].write_text(preset_yaml(machine_words(machine), source, op), encoding="utf-8")
        lines.append(f"{own}: {machine_words(machine)}")
        parts.append({"op": part["op"], "level_db": round(machine.level_db - loudest_db, 2)} | part)
    if len(parts) > 1:
        presets[f"{name}_all"] = folder / f"{name}_all.yaml"
        text = preset_yaml("All machines of the recording together", source, {"op": "mix", "parts": parts})
        presets[f"{name}_all"].write_text(text, encoding="utf-8")
    presets[f"{name}_loop"] = _write_loop(recording, name, folder, source, "recording")
    figures = {"background_db": found.background_db, "machines": [machine_figures(m) for m in found.machines]}
    return _finish(recording, "equipment", name, folder, presets, lines, figures, equipment=found)


def _write_cycle(recorded: CycleWaveform, path: Path) -> None:
    """Write a recorded cycle as floats, because a knock may exceed full scale at the nominal level."""
    import soundfile

    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, recorded.samples.astype(np.float32), recorded.sample_rate_hz, subtype="FLOAT")


def _write_loop(recording: PlaceRecording, name: str, folder: Path, source: str, op: str) -> Path:
    """Write the preset that loops the recording itself by the op `recording` or `recordings`, and a copy of the recording beside it."""
    copy = folder / f"{name}_recorded{recording.path.suffix.lower()}"
    if recording.path.resolve() != copy.resolve():
        shutil.copyfile(recording.path, copy)
    path = folder / f"{name}_loop.yaml"
    text = preset_yaml("The recording itself, looped", source, {"op": op, "path": copy.name})
    path.write_text(text, encoding="utf-8")
    return path


def _write_noise(recording: PlaceRecording, name: str, folder: Path) -> WrittenPresets:
    found = measure_noise(recording.samples, recording.sample_rate_hz)
    source = _source(recording)
    title = f"Background noise, L10 {found.l10_db:.1f}, L50 {found.l50_db:.1f}, L90 {found.l90_db:.1f} dB re full scale"
    presets = {name: folder / f"{name}.yaml"}
    presets[name].write_text(preset_yaml(title, source, noise_op(found)), encoding="utf-8")
    presets[f"{name}_loop"] = _write_loop(recording, name, folder, source, "recordings")
    lines = [*recording.notes, f"{name}: {title}"]
    if not found.steady:
        lines.append(
            f"the level varies by {found.l10_db - found.l90_db:.0f} dB: {name} varies at random at the rates measured, {name}_loop as recorded"
        )
    return _finish(recording, "noise", name, folder, presets, lines, noise_figures(found))


def _write_room(recording: PlaceRecording, settings: MeasureSettings, folder: Path) -> WrittenPresets:
    name, rate = str(settings.name), recording.sample_rate_hz
    sweep = None
    if settings.sweep is not None:
        sweep = read_recording(settings.sweep, sample_rate_hz=rate, shortest_s=_SHORTEST_SWEEP_S).samples
    found = measure_room(recording.samples, rate, sweep=sweep)
    source = _source(recording)
    size = settings.dimensions_m or ASSUMED_M
    assumed = "" if settings.dimensions_m else " (assumed, not measured)"
    title = f"Room of {found.t60_s:.2f} s, {size[0]:g} x {size[1]:g} x {size[2]:g} m{assumed}"
    presets = {name: folder / f"{name}.yaml"}
    presets[name].write_text(
        preset_yaml(title, source, room_op(found, size, settings.talker_distance_m)), encoding="utf-8"
    )
    how = f"fit from -5 to {found.fit_db:.0f} dB, the decay can be followed for {found.range_db:.0f} dB"
    lines = [
        *recording.notes,
        f"{name}: T {found.t60_s:.3f} s ({how}), C50 {found.c50_db:.1f} dB{'; size' + assumed if assumed else ''}",
    ]
    if found.range_db >= _RECORDED_RANGE_DB:
        presets[f"{name}_recorded"] = _write_response(found, recording, name, folder, source)
    else:
        lines.append(
            f"no recorded response is written: the decay can be followed for {found.range_db:.0f} dB, {_RECORDED_RANGE_DB:.0f} dB are needed"
        )
    figures = room_figures(found) | {
        "dimensions_m": list(size),
        "dimensions_assumed": settings.dimensions_m is None,
    }
    decay = decay_db(found.response, found.direct)
    times = np.arange(decay.size) / rate
    return _finish(recording, "room", name, folder, presets, lines, figures, decay=(times, decay))


def _write_response(found: RoomFound, recording: PlaceRecording, name: str, folder: Path, source: str) -> Path:
    import soundfile

    responses = folder / f"{name}_responses"
    responses.mkdir(exist_ok=True)
    scaled = 0.9 * found.response / np.abs(found.response).max()
    soundfile.write(responses / f"{name}.wav", scaled, recording.sample_rate_hz, subtype="PCM_24")
    path = folder / f"{name}_recorded.yaml"
    op = {"op": "recorded_room", "path": responses.name}
    path.write_text(preset_yaml("The recorded response of the room", source, op), encoding="utf-8")
    return path


def _source(recording: PlaceRecording) -> str:
    from importlib.metadata import version

    stretch = f"{recording.duration_s:.1f} s from {recording.offset_s:g} s on"
    return f"measured by roomtone {version('roomtone')} from {recording.path.name}, {stretch}, at {recording.sample_rate_hz} Hz"


def _finish(
    recording: PlaceRecording,
    kind: str,
    name: str,
    folder: Path,
    presets: Mapping[str, Path],
    lines: list[str],
    figures: dict[str, Any],
    *,
    equipment: EquipmentFound | None = None,
    decay: Any = None,
) -> WrittenPresets:
    """Write figures and picture, and read every preset back with the loader that `generate` uses."""
    from roomtone.augment.scenarios.presets import load_preset, parse_preset
    from roomtone.core.audio.recording_files import sha256_file
    from roomtone.measure.plots import draw

    for preset in presets:
        parse_preset(kind, preset, load_preset(kind, preset, (folder.parent,)))
    figures = {
        "as": kind,
        "recording": recording.path.name,
        "sha256": sha256_file(recording.path),
        "offset_s": recording.offset_s,
        "duration_s": recording.duration_s,
        "sample_rate_hz": recording.sample_rate_hz,
        "notes": list(recording.notes),
        "presets": sorted(presets),
    } | figures
    text = json.dumps(figures, indent=1, allow_nan=False, default=float)
    (folder / f"{name}.measurement.json").write_text(text + "\n", encoding="utf-8")
    draw(folder / f"{name}.png", recording, f"{name}: measured as {kind}", equipment, decay)
    return WrittenPresets(kind, dict(presets), tuple(lines), figures)
