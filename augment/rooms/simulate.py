"""One source and one microphone in a rectangular room: image sources first, traced rays after, by pyroomacoustics.

Pinned here, because the library leaves it open: its two random generators, its threads (the bits of a response change
with their number), and its high-pass (on since 0.9.0, zero-phase, so it sounds before the direct sound). Its constant delay of 40
samples and the travel time of the direct sound are taken out by geometry, never by a search for the peak: in a small live room a
late reflection may be the largest sample.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rooms.talker.directivity import departures_deg, gains, mean_gains
from roomtone.core.random_streams import stream

#: Index of the direct sound in every response of every bank, at every rate.
DIRECT_SAMPLE = 40
#: Half of pyroomacoustics' fractional delay filter: its responses begin this many samples late.
_LIBRARY_DELAY = 40
_PINNED = {"num_threads": 1, "rir_hpf_enable": False, "frac_delay_length": 81, "sinc_lut_granularity": 20, "c": 343.0}
#: Rays that pass the receiver in one bin of the decay histogram, on average.
_HITS = 25
_RAYS = (2000, 20000)


@dataclass(frozen=True)
class Scene:
    """A room with a microphone in it; lengths in metres, walls all alike."""

    dimensions_m: tuple[float, ...]
    microphone_m: tuple[float, ...]
    absorption: float
    scattering: float
    image_order: int
    temperature_c: float
    humidity_percent: float
    bin_s: float
    sample_rate_hz: int


def speed_of_sound(temperature_c: float, humidity_percent: float) -> float:
    """Return the speed of sound in m/s, by the formula of pyroomacoustics, so that both agree to the last digit.

    Args:
        temperature_c: of the air, degrees Celsius.
        humidity_percent: relative humidity.
    """
    return 331.4 + 0.6 * temperature_c + 0.0124 * humidity_percent


def trace(
    scene: Scene, source_m: tuple[float, ...], *, seed: int, blocked: bool = False, rays: bool = True
) -> np.ndarray:
    """Return the response from a source to the microphone, float64 [shape=(samples,)], time 0 at `DIRECT_SAMPLE`.

    Its scale makes the direct sound 1; distances that are whole samples of travel make it one clean sample.

    Args:
        scene: the room.
        source_m: place of the source.
        seed: of the rays and of the fine structure of the tail.
        blocked: leaves the direct sound out (and keeps its time).
        rays: whether to trace rays for the late part, which takes nearly all of the time.
    """
    images, tail, start, direct_m = _traced(scene, source_m, seed, blocked, rays, None)
    if not rays:
        return images[0][start:] * direct_m
    return _joined(images[0], tail, 1.0)[start:] * direct_m


def trace_facing(scene: Scene, source_m: tuple[float, ...], axis: Sequence[float], *, seed: int) -> np.ndarray:
    """Return the response of a talker who faces along an axis, as each octave hears it, float64 [shape=(octaves, samples)].

    Each is the whole response with the directivity of one octave (`bands.ALL_CENTRES_HZ`), to be read in that octave. Scale and time are those
    of `trace`: straight ahead the direct sound is 1.

    Args:
        scene: the room.
        source_m: place of the mouth.
        axis: unit vector in which it faces.
        seed: of the rays and of the fine structure of the tail.
    """
    images, tail, start, direct_m = _traced(scene, source_m, seed, False, True, axis)
    whole = [_joined(heard, tail, gain) for heard, gain in zip(images, mean_gains(), strict=True)]
    return np.stack(whole)[:, start:] * direct_m


def _traced(
    scene: Scene, source_m: tuple[float, ...], seed: int, blocked: bool, rays: bool, axis: Sequence[float] | None
) -> tuple[list[np.ndarray], np.ndarray, int, float]:
    """Return the image sources' response (one an octave for a directive source), the traced tail, where time 0 is, and the distance."""
    with _pinned(seed):
        room = _room(scene, source_m)
        room.image_source_model()
        source = room.sources[0]
        if blocked:
            source.damping[:, source.orders == 0] = 0.0
        if rays:
            room.ray_tracing()
        room.simulator_state["rt_needed"] = False
        images = [_images(room)] if axis is None else _facing_images(room, scene, source_m, axis)
    direct_m = math.dist(source_m, scene.microphone_m)
    start = round(direct_m / room.c * scene.sample_rate_hz) + _LIBRARY_DELAY - DIRECT_SAMPLE
    if not rays:
        return images, np.zeros(0), start, direct_m
    distances = np.sqrt(((source.images - np.array(scene.microphone_m)[:, None]) ** 2).sum(axis=0))
    first_s = float(distances[source.orders == 1].min()) / room.c
    histogram = np.asarray(room.rt_histograms[0][0][0][0], dtype=np.float64)
    tail = _tail(histogram, room.rt_args["hist_bin_size"], first_s, scene, stream(seed, "room tail"))
    return images, tail, start, direct_m


def _images(room: Any) -> np.ndarray:
    room.compute_rir()
    return np.asarray(room.rir[0][0], dtype=np.float64)


def _facing_images(room: Any, scene: Scene, source_m: tuple[float, ...], axis: Sequence[float]) -> list[np.ndarray]:
    """Return the image sources' response with the directivity of each octave."""
    source = room.sources[0]
    plain = source.damping.copy()
    angles = departures_deg(source.images, source_m, scene.microphone_m, scene.dimensions_m, axis)
    heard = []
    for gain in gains(angles):
        source.damping[:] = plain * gain
        heard.append(_images(room))
    return heard


def _joined(images: np.ndarray, tail: np.ndarray, tail_gain: float) -> np.ndarray:
    response = np.zeros(max(tail.size + _LIBRARY_DELAY, images.size))
    response[: images.size] = images
    response[_LIBRARY_DELAY : _LIBRARY_DELAY + tail.size] += tail * tail_gain
    return response


def _tail(histogram: np.ndarray, bin_s: float, first_s: float, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Return pulses of random sign whose energy follows the ray tracer's histogram, float64 [shape=(samples,)].

    Pulses come as often as reflections do in a room of this volume, `4 pi c^3 t^2 / V` a second, yet on at least a tenth of the
    samples. The library's own tail draws each interval from the density at its start, which for a source nearer than a metre
    in a large room leaves gaps of up to 0.2 s. Nothing diffuse comes before the first reflection.
    """
    rate_hz = scene.sample_rate_hz
    histogram = histogram[: int(np.flatnonzero(histogram)[-1]) + 1] if histogram.any() else histogram[:1]
    times = np.arange(round(histogram.size * bin_s * rate_hz)) / rate_hz
    centres = (np.arange(histogram.size) + 0.5) * bin_s
    power = np.interp(times, centres, histogram) / (bin_s * rate_hz)
    speed = speed_of_sound(scene.temperature_c, scene.humidity_percent)
    density = 4.0 * math.pi * speed**3 * times**2 / math.prod(scene.dimensions_m)
    share = np.clip(density / rate_hz, 0.1, 1.0)
    pulses = np.where(rng.random(times.size) < share, rng.choice([-1.0, 1.0], times.size), 0.0)
    pulses[times < first_s] = 0.0
    return pulses * np.sqrt(power / share)


def _room(scene: Scene, source_m: tuple[float, ...]) -> Any:
    import pyroomacoustics as pra

    room = pra.ShoeBox(
        list(scene.dimensions_m),
        fs=scene.sample_rate_hz,
        materials=pra.Material(scene.absorption, scene.scattering),
        max_order=scene.image_order,
        temperature=scene.temperature_c,
        humidity=scene.humidity_percent,
        air_absorption=False,
        ray_tracing=True,
    )
    volume = math.prod(scene.dimensions_m)
    # A receiver of half a metre, the library's default, would fill a car.
    radius = min(0.5, 0.12 * volume ** (1.0 / 3.0))
    rays = _HITS * volume / (math.pi * radius**2 * room.c * scene.bin_s)
    room.set_ray_tracing(
        receiver_radius=radius,
        n_rays=int(min(max(rays, _RAYS[0]), _RAYS[1])),
        hist_bin_size=scene.bin_s,
        energy_thres=1e-7,
        time_thres=20.0,
    )
    room.add_source(list(source_m))
    room.add_microphone(list(scene.microphone_m))
    return room


@contextlib.contextmanager
def _pinned(seed: int) -> Iterator[None]:
    """Seed and pin pyroomacoustics, and put back what was there.

    The state of its C++ generator cannot be read; it is left seeded from the Python one, as the library itself does it.
    """
    import pyroomacoustics as pra

    before = {name: pra.constants.get(name) for name in _PINNED}
    generator = pra.random.get_rng()
    state = generator.bit_generator.state
    try:
        for name, value in _PINNED.items():
            pra.constants.set(name, value)
        pra.random.seed(numpy=seed, libroom=seed)
        yield
    finally:
        for name, value in before.items():
            pra.constants.set(name, value)
        pra.random.seed(numpy=generator)
        generator.bit_generator.state = state
