"""Realisations of a rectangular room: positions, wall absorption, and the responses that follow.

`draw_parameters` draws and calibrates one realisation and returns it as plain numbers; `responses` makes the samples from those
numbers alone. Calibration goes by measurement: from Eyring's formula, the wall absorption is corrected until the simulated T30 is
near, then losses per octave band (`bands`) bring the T30 of the talker's response onto its target, in each octave where the
walls are of materials.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from roomtone.augment.ops.table import Drawn
from roomtone.augment.rooms.acoustics import decay_db, decay_time_s
from roomtone.augment.rooms.bands import (
    ALL_CENTRES_HZ,
    NEPER_60_DB,
    air_losses,
    apply_losses,
    centres_hz,
    decays,
    losses_for_times,
    split_bands,
)
from roomtone.augment.rooms.coupled import check_door, returned_sound
from roomtone.augment.rooms.diffuse_field import wave_responses
from roomtone.augment.rooms.materials import band_times_s
from roomtone.augment.rooms.op import ShoeBoxRoom, low_high
from roomtone.augment.rooms.placing import draw, place, size_text, spread
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE, Scene, speed_of_sound, trace, trace_facing
from roomtone.augment.rooms.talker.directivity import axis_of
from roomtone.augment.rooms.talker.moving import TalkerPath
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import stream

SOURCES = ("talker", "noise", "equipment")
#: A response ends where what is left of it lies this far below the whole.
_END_DB = -62.0
#: The same for each octave band, so that the slowest one can be measured as well.
_BAND_END_DB = -60.0
#: A direct sound stands out if no later sample is larger than this; how many placings are tried for it.
_DISTINCT = 0.6
_TRIES = 12
#: By how much later the response of coupled rooms ends, so that its late slope can be measured, dB.
_LATE_SPARE_DB = 13.0
_MAX_ABSORPTION = 0.95
#: Centre of an octave times its T60 from which a decay can be told from the ringing of few modes: the bandwidth times T60 is then 28.
_LEAST_PRODUCT = 40.0


def draw_parameters(op: ShoeBoxRoom, sample_rate_hz: int, seed: int, index: int) -> dict[str, Any]:
    """Return realisation `index` of a room as plain JSON numbers, calibrated.

    A placing in which early reflections pile up to more than `_DISTINCT` of the direct sound is drawn again, and after `_TRIES`
    the best is taken: with larger early reflections the time of arrival cannot be measured on speech.

    Args:
        op: the room with its ranges.
        sample_rate_hz: rate of the responses in Hz.
        seed: of all draws.
        index: number of the realisation in its bank.

    Raises:
        RoomtoneError: the distances do not fit into the room, or the walls cannot make it that dry.
    """
    best, least = _drawn(op, sample_rate_hz, seed, index, 0), math.inf
    for attempt in range(_TRIES):
        parameters = _drawn(op, sample_rate_hz, seed, index, attempt)
        pile = _pile(op, parameters, sample_rate_hz)
        if pile < least:
            best, least = parameters, pile
        if least <= _DISTINCT:
            break
    return _calibrated(op, best, sample_rate_hz)


def _pile(op: ShoeBoxRoom, parameters: dict[str, Any], sample_rate_hz: int) -> float:
    """Return the largest sample of the image sources after the direct sound, over the direct sound."""
    speed = speed_of_sound(op.temperature_c, op.humidity_percent)
    absorption = 1.0 - math.exp(-_eyring_exponent(parameters["dimensions_m"], speed) / parameters["t60_s"])
    scene = _scene(parameters | {"absorption": absorption}, sample_rate_hz)
    images = trace(scene, tuple(parameters["talker_m"]), seed=parameters["seed"], rays=False)
    return float(np.abs(images[DIRECT_SAMPLE + 2 :]).max() / images[DIRECT_SAMPLE])


def _drawn(op: ShoeBoxRoom, sample_rate_hz: int, seed: int, index: int, attempt: int) -> dict[str, Any]:
    """Return one attempt at a realisation before calibration."""
    rng = stream(seed, "room", index, "shape")
    dimensions = tuple(draw(rng, size) for size in op.dimensions_m)
    target_s = draw(rng, op.t60_s)
    low, high = low_high(op.talker_distance_m)
    # Not drawn anew with each attempt, which would prefer short ones.
    distance_m = low + (high - low) * ((spread(index) + stream(seed, "room", "distance").random()) % 1.0)
    parameters: dict[str, Any] = {
        "kind": op.op,
        "dimensions_m": list(dimensions),
        **place(op, dimensions, sample_rate_hz, distance_m, stream(seed, "room", index, "places", attempt)),
        **({"noise_directions": op.noise_directions} if op.noise_directions else {}),
        "t60_s": target_s,
        "scattering": op.scattering,
        "image_order": op.image_order,
        "temperature_c": op.temperature_c,
        "humidity_percent": op.humidity_percent,
        "bin_s": 0.004 if target_s > 0.2 else 0.002,
        "seed": int(stream(seed, "room", index, "rays").integers(2**31)),
    }
    if op.coupled_t60_s is not None and op.coupled_volume_m3 is not None:
        coupled_s = draw(stream(seed, "room", index, "coupled"), op.coupled_t60_s)
        speed = speed_of_sound(op.temperature_c, op.humidity_percent)
        volumes = (math.prod(dimensions), op.coupled_volume_m3)
        check_door(volumes, (target_s, coupled_s), op.door_area_m2, speed)
        parameters["coupled"] = {"t60_s": coupled_s, "volume_m3": op.coupled_volume_m3, "door_m2": op.door_area_m2}
    if op.path:
        parameters["path"] = [list(point) for point in op.path]
    if op.talker_facing_deg is not None:
        parameters |= _facing(op.talker_facing_deg, parameters, stream(seed, "room", index, "facing"))
    return parameters


def _facing(asked_deg: Drawn, parameters: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return how the talker is turned from the microphone."""
    angle, left = draw(rng, asked_deg), bool(rng.integers(2))
    axis = axis_of(parameters["talker_m"], parameters["microphone_m"], angle, to_the_left=left)
    return {"talker_facing_deg": angle, "talker_axis": axis}


def responses(parameters: dict[str, Any], sample_rate_hz: int, sources: Sequence[str] = SOURCES) -> np.ndarray:
    """Return the responses of talker, noise and equipment, the waves of a diffuse noise, and the places of a path, float32 [shape=(responses, samples)].

    Args:
        parameters: from `draw_parameters`.
        sample_rate_hz: rate of the responses in Hz.
        sources: the later ones may be left out; the scale is always the talker's.
    """
    scene = _scene(parameters, sample_rate_hz)
    losses = np.array(parameters["losses_neper_per_s"])
    rows, ends = [], []
    for offset, name in enumerate(sources):
        bands = _bands(parameters, scene, name, parameters["seed"] + offset, ALL_CENTRES_HZ[: losses.size])
        bands *= decays(losses, bands.shape[1], sample_rate_hz, DIRECT_SAMPLE)
        rows.append(bands.sum(axis=0))
        if "coupled" in parameters:
            back = returned_sound(
                parameters, parameters[f"{name}_m"], name, ALL_CENTRES_HZ[: losses.size], sample_rate_hz
            )
            rows[-1] = np.pad(rows[-1], (0, max(back.size - rows[-1].size, 0)))
            rows[-1][: back.size] += back
        spare_db = _LATE_SPARE_DB if "coupled" in parameters else 0.0
        band_ends = [_end(band, _BAND_END_DB) for band in bands]
        ends.append(max(_end(rows[-1], _END_DB - spare_db), *band_ends))
    out = np.zeros((len(rows), max(ends)), dtype=np.float32)
    for row, end, kept in zip(rows, ends, out):
        kept[: min(end, row.size)] = row[:end] / rows[0][DIRECT_SAMPLE]
    if sources is not SOURCES:
        return out
    if parameters.get("noise_directions"):
        out = np.concatenate([out, wave_responses(parameters, sample_rate_hz, out.shape[1])])
    if "path" in parameters:
        out = np.concatenate([out, _along_path(parameters, sample_rate_hz, out.shape[1])])
    return out


def _along_path(parameters: dict[str, Any], sample_rate_hz: int, num_samples: int) -> np.ndarray:
    """Return the responses at the places of a path without their direct sound, on the scale of the talker's first [shape=(places, samples)]."""
    path, scene = TalkerPath.of(parameters), _scene(parameters, sample_rate_hz)
    losses = np.array(parameters["losses_neper_per_s"])
    places = path.row_places_m()
    distances = np.linalg.norm(places - path.microphone_m, axis=1)
    out = np.zeros((len(places), num_samples), dtype=np.float32)
    for index, (row, place_m, distance) in enumerate(
        zip(out, places, distances)
    ):  # tails of their own, so that they fade by power
        moved = parameters | {"talker_m": place_m.tolist(), "blocked": [*parameters["blocked"], "talker"]}
        bands = _bands(moved, scene, "talker", parameters["seed"] + 1000 * index, ALL_CENTRES_HZ[: losses.size])
        heard = apply_losses(bands, losses, sample_rate_hz, DIRECT_SAMPLE) * (distances[0] / distance)
        row[: min(heard.size, num_samples)] = heard[:num_samples]
    return out


def _bands(
    parameters: dict[str, Any],
    scene: Scene,
    name: str,
    seed: int,
    centres: tuple[float, ...],
    traced: np.ndarray | None = None,
) -> np.ndarray:
    """Return the response of a source in octave bands before their losses, float64 [shape=(bands, samples)].

    A source that radiates alike in all directions need not be traced again if it is `traced` already.
    """
    place_m = tuple(parameters[f"{name}_m"])
    split = partial(
        split_bands, sample_rate_hz=scene.sample_rate_hz, centres=centres, sharp="t60_octaves_s" in parameters
    )
    if name == "talker" and "talker_axis" in parameters:
        heard = trace_facing(scene, place_m, parameters["talker_axis"], seed=seed)
        return np.stack([split(heard[index])[index] for index in range(len(centres))])
    if traced is None:
        traced = trace(scene, place_m, seed=seed, blocked=name in parameters["blocked"])
    return split(traced)


def _scene(parameters: dict[str, Any], sample_rate_hz: int) -> Scene:
    keys = ("absorption", "scattering", "image_order", "temperature_c", "humidity_percent", "bin_s")
    return Scene(
        tuple(parameters["dimensions_m"]),
        tuple(parameters["microphone_m"]),
        **{key: parameters[key] for key in keys},
        sample_rate_hz=sample_rate_hz,
    )


def _end(response: np.ndarray, level_db: float) -> int:
    """Return the index at which what is left of a response lies `level_db` below the whole."""
    return DIRECT_SAMPLE + int(np.searchsorted(-decay_db(response, DIRECT_SAMPLE), -level_db))


def _calibrated(op: ShoeBoxRoom, parameters: dict[str, Any], sample_rate_hz: int) -> dict[str, Any]:
    """Return the parameters with wall absorption and losses under which the talker's response meets the target."""
    centres = centres_hz(sample_rate_hz)
    shape = _band_shape(op, centres)
    speed = speed_of_sound(op.temperature_c, op.humidity_percent)
    air = air_losses(centres, op.humidity_percent, speed) if op.air_absorption else np.zeros(len(centres))
    target_s = parameters["t60_s"]
    times_s = _octave_times(op, parameters)
    grey_s = (
        max(times_s[: len(centres)]) if times_s else target_s * max(shape)
    ) * 1.03  # the losses can then mostly be losses
    log_reflected = -_eyring_exponent(parameters["dimensions_m"], speed) / grey_s
    for _ in range(5):
        absorption = 1.0 - math.exp(log_reflected)
        if absorption > _MAX_ABSORPTION:
            raise RoomtoneError(
                f"room: t60_s {target_s:g} is too short for {size_text(parameters['dimensions_m'])} m; the walls would "
                f"have to absorb {absorption:.0%} of the sound (at most {_MAX_ABSORPTION:.0%})"
            )
        tried = parameters | {"absorption": absorption}
        raw = trace(_scene(tried, sample_rate_hz), tuple(parameters["talker_m"]), seed=parameters["seed"])
        bare = _t30(raw, sample_rate_hz)
        if not bare > 0.0 or abs(bare / grey_s - 1.0) < 0.1:
            break
        log_reflected *= bare / grey_s
    scene, seed = _scene(tried, sample_rate_hz), parameters["seed"]
    if times_s:
        octaves = list(zip(centres_hz(sample_rate_hz, ALL_CENTRES_HZ), times_s))
        told = [centre * time_s >= _LEAST_PRODUCT for centre, time_s in octaves]
        tried["t60_octaves_s"] = [[centre, round(time_s, 4)] for (centre, time_s), known in zip(octaves, told) if known]
        bands = _bands(tried, scene, "talker", seed, tuple(centre for centre, _ in octaves), raw)
        losses = losses_for_times(bands, sample_rate_hz, DIRECT_SAMPLE, [time_s for _, time_s in octaves], told)
    else:
        losses = _fit_losses(_bands(tried, scene, "talker", seed, centres, raw), sample_rate_hz, air, target_s, shape)
    return tried | {"losses_neper_per_s": [float(loss) for loss in losses]}


def _octave_times(op: ShoeBoxRoom, parameters: dict[str, Any]) -> tuple[float, ...]:
    """Return T60 in `ALL_CENTRES_HZ` of a room of materials, and nothing of a grey one."""
    if not op.materials:
        return ()
    return band_times_s(
        op.materials,
        parameters["dimensions_m"],
        parameters["t60_s"],
        temperature_c=op.temperature_c,
        humidity_percent=op.humidity_percent,
        air_absorption=op.air_absorption,
    )


def _eyring_exponent(dimensions: list[float], speed_m_s: float) -> float:
    """Return `-T60 * ln(1 - absorption)` by Eyring's formula: 24 ln 10 V / (c S)."""
    length, width, height = dimensions
    surface = 2.0 * (length * width + length * height + width * height)
    return 24.0 * math.log(10.0) * length * width * height / (speed_m_s * surface)


def _band_shape(op: ShoeBoxRoom, centres: tuple[float, ...]) -> np.ndarray:
    """Return T60 of each band over the broadband one; bands that the preset does not name take the nearest one's."""
    if not op.t60_bands_s:
        return np.ones(len(centres))
    known = np.log2([centre for centre, _ in op.t60_bands_s])
    times = np.array([t60_s for _, t60_s in op.t60_bands_s])
    return np.interp(np.log2(centres), known, times) / (sum(low_high(op.t60_s)) / 2.0)


def _fit_losses(
    bands: np.ndarray, sample_rate_hz: int, air: np.ndarray, target_s: float, shape: np.ndarray
) -> np.ndarray:
    """Return the losses per band, neper per second, under which the T30 of the response is `target_s`.

    With a band shape, each band is brought to its own time first; then all are scaled until the broadband T30 is right.
    Without, one loss on top of that of the air serves all bands.
    """
    losses = air.copy()
    scale = 1.0
    shaped = bool(np.ptp(shape) > 0.0)
    for _ in range(12 if shaped else 0):
        for index, band in enumerate(bands):
            found = _t30(
                apply_losses(band[None], losses[index : index + 1], sample_rate_hz, DIRECT_SAMPLE), sample_rate_hz
            )
            losses[index] += NEPER_60_DB * (1.0 / (target_s * shape[index] * scale) - 1.0 / found)
        scale *= target_s / _t30(apply_losses(bands, losses, sample_rate_hz, DIRECT_SAMPLE), sample_rate_hz)
    for _ in range(12):
        found = _t30(apply_losses(bands, losses, sample_rate_hz, DIRECT_SAMPLE), sample_rate_hz)
        if abs(found / target_s - 1.0) < 1e-4:
            break
        losses += NEPER_60_DB * (1.0 / target_s - 1.0 / found)
    return losses


def _t30(response: np.ndarray, sample_rate_hz: int) -> float:
    """Return T30 without asking for a range: what is simulated has no noise."""
    return decay_time_s(decay_db(response, DIRECT_SAMPLE), sample_rate_hz, -5.0, -35.0)
