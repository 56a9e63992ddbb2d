"""One recording in, presets out: what `roomtone measure recording=FILE as=…` writes.

Beside each preset `DIR/<factor>/<name>.yaml` lies `<name>.measurement.json` (every figure, how sure, how it was made) and `<name>.png`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.measure.detection.machines import EquipmentFound, measure_equipment
from roomtone.measure.figures import machine_figures, machine_words, noise_figures
from roomtone.measure.noise import measure_noise, noise_op
from roomtone.measure.presets import machine_op, preset_yaml
from roomtone.measure.recording import PlaceRecording, read_recording
from roomtone.measure.room import RoomFound, measure_room, room_op

KINDS = ("equipment", "noise", "room")
#: Room presets need a size; where none is given these are assumed, and the preset says so.
ASSUMED_M = (5.0, 4.0, 2.7)
_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Written:
    """What a measurement wrote: presets by name, the lines to print, and the figures."""

    factor: str
    presets: dict[str, Path]
    lines: tuple[str, ...]
    figures: dict[str, Any]


def measure_recording(
    path: str | Path,
    kind: str,
    name: str,
    to: str | Path,
    *,
    sample_rate_hz: int = 16000,
    offset_s: float = 0.0,
    longest_s: float = 120.0,
    sweep: str | Path | None = None,
    dimensions_m: tuple[float, float, float] | None = None,
    talker_distance_m: tuple[float, float] = (0.5, 1.5),
) -> Written:
    """Measure a recording and write its presets under `to/<kind>/`.

    Args:
        path: the recording.
        kind: `equipment`, `noise` or `room`.
        name: of the preset; letters, digits and `_`.
        to: folder for `--config-dir`.
        sample_rate_hz: rate of the analysis; what lies above half of it is not seen.
        offset_s, longest_s: which stretch is measured.
        sweep: for a room, the sweep that was played; None for a clap or balloon.
        dimensions_m: size of the room; None assumes 5 x 4 x 2.7 m.
        talker_distance_m: least and greatest distance of talkers from the microphone.

    Raises:
        RoomtoneError: the recording cannot tell what was asked, with the reason.
    """
    if kind not in KINDS:
        raise RoomtoneError(f"as: {kind!r} cannot be measured; {nearest(str(kind), KINDS)}")
    if not _NAME.fullmatch(str(name)):
        raise RoomtoneError(f"name: {name!r} is no name of a preset; letters, digits and _ only")
    shortest_s = 0.5 if kind == "room" else 2.0
    recording = read_recording(
        path, sample_rate_hz=sample_rate_hz, offset_s=offset_s, longest_s=longest_s, shortest_s=shortest_s
    )
    folder = Path(to).expanduser() / kind
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "equipment":
        return _write_equipment(recording, name, folder)
    if kind == "noise":
        return _write_noise(recording, name, folder)
    played = None if sweep is None else read_recording(sweep, sample_rate_hz=sample_rate_hz, shortest_s=0.2).samples
    return _write_room(recording, name, folder, played, dimensions_m, talker_distance_m)


def _write_equipment(recording: PlaceRecording, name: str, folder: Path) -> Written:
    found = measure_equipment(recording.samples, recording.sample_rate_hz)
    if not found.machines:
        raise RoomtoneError(
            f"{recording.path}: nothing in these {recording.duration_s:.0f} s repeats or sounds all the time above the rest, so no machine "
            "is claimed; measure it with as=noise, or record longer (three periods at least)"
        )
    source = _source(recording)
    presets, lines = {}, list(recording.notes)
    for index, machine in enumerate(found.machines):
        own = name if index == 0 else f"{name}_{index + 1}"
        presets[own] = folder / f"{own}.yaml"
        presets[own].write_text(preset_yaml(machine_words(machine), source, machine_op(machine)), encoding="utf-8")
        lines.append(f"{own}: {machine_words(machine)}")
    if len(found.machines) > 1:
        loudest = found.machines[0].level_db
        parts = [
            {"op": "periodic_tone", "level_db": round(m.level_db - loudest, 2)} | machine_op(m) for m in found.machines
        ]
        presets[f"{name}_all"] = folder / f"{name}_all.yaml"
        text = preset_yaml("All machines of the recording together", source, {"op": "mix", "parts": parts})
        presets[f"{name}_all"].write_text(text, encoding="utf-8")
    presets[f"{name}_loop"] = _write_loop(recording, name, folder, source)
    figures = {"background_db": found.background_db, "machines": [machine_figures(m) for m in found.machines]}
    return _finish(recording, "equipment", name, folder, presets, lines, figures, equipment=found)


def _write_loop(recording: PlaceRecording, name: str, folder: Path, source: str) -> Path:
    copy = folder / f"{name}_recorded{recording.path.suffix.lower()}"
    if recording.path.resolve() != copy.resolve():
        shutil.copyfile(recording.path, copy)
    path = folder / f"{name}_loop.yaml"
    text = preset_yaml("The recording itself, looped", source, {"op": "recording", "path": copy.name})
    path.write_text(text, encoding="utf-8")
    return path


def _write_noise(recording: PlaceRecording, name: str, folder: Path) -> Written:
    found = measure_noise(recording.samples, recording.sample_rate_hz)
    source = _source(recording)
    title = f"Background noise, L10 {found.l10_db:.1f}, L50 {found.l50_db:.1f}, L90 {found.l90_db:.1f} dB re full scale"
    presets = {name: folder / f"{name}.yaml"}
    presets[name].write_text(preset_yaml(title, source, noise_op(found)), encoding="utf-8")
    loop = folder / f"{name}_loop.yaml"
    copy = folder / f"{name}_recorded{recording.path.suffix.lower()}"
    if recording.path.resolve() != copy.resolve():
        shutil.copyfile(recording.path, copy)
    loop.write_text(
        preset_yaml("The recording itself, looped", source, {"op": "recordings", "path": copy.name}), encoding="utf-8"
    )
    presets[f"{name}_loop"] = loop
    lines = [*recording.notes, f"{name}: {title}"]
    if not found.steady:
        lines.append(
            f"the level moves by {found.l10_db - found.l90_db:.0f} dB; {name} moves by chance at the rates measured, {name}_loop as recorded"
        )
    return _finish(recording, "noise", name, folder, presets, lines, noise_figures(found))


def _write_room(
    recording: PlaceRecording,
    name: str,
    folder: Path,
    sweep: np.ndarray | None,
    dimensions_m: tuple[float, float, float] | None,
    talker_distance_m: tuple[float, float],
) -> Written:
    found = measure_room(recording.samples, recording.sample_rate_hz, sweep=sweep)
    source = _source(recording)
    size = dimensions_m or ASSUMED_M
    assumed = "" if dimensions_m else " (assumed, not measured)"
    title = f"Room of {found.t60_s:.2f} s, {size[0]:g} x {size[1]:g} x {size[2]:g} m{assumed}"
    presets = {name: folder / f"{name}.yaml"}
    presets[name].write_text(preset_yaml(title, source, room_op(found, size, talker_distance_m)), encoding="utf-8")
    how = f"fit from -5 to {found.fit_db:.0f} dB, the decay can be followed for {found.range_db:.0f} dB"
    lines = [
        *recording.notes,
        f"{name}: T {found.t60_s:.3f} s ({how}), C50 {found.c50_db:.1f} dB{'; size' + assumed if assumed else ''}",
    ]
    if found.range_db >= 45.0:
        presets[f"{name}_recorded"] = _write_response(found, recording, name, folder, source)
    else:
        lines.append(f"no recorded response is written: 45 dB of decay are needed, {found.range_db:.0f} dB are there")
    figures = {
        "t60_s": found.t60_s, "bands_s": {str(hz): value for hz, value in found.bands_s.items()}, "c50_db": found.c50_db,
        "range_db": found.range_db, "fit_db": found.fit_db, "dimensions_m": list(size), "dimensions_assumed": dimensions_m is None,
    }  # fmt: skip
    from roomtone.augment.rooms.acoustics import decay_db

    decay = decay_db(found.response, found.direct)
    times = np.arange(decay.size) / recording.sample_rate_hz
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
) -> Written:
    """Write figures and picture, and have every preset read back by the loader that will read it."""
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
    return Written(kind, dict(presets), tuple(lines), figures)
