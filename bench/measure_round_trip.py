"""Prints how well machines are measured back: every equipment preset that keeps its place and its clock, three rooms, noise 20 and 10 dB below, 20 s each.

    python bench/measure_round_trip.py [--plain-rooms] [--log FILE] [PRESET …]

With `--plain-rooms` the rooms have no materials, only their reverberation time: the recordings of the tables before rooms had materials, the same bits.
Each result is written to the log as a line of JSON as soon as it is there; what the log holds already is not measured again, so that a run can
be stopped and goes on. BENCH_WORKERS=1 measures one recording at a time; else there are as many workers as cores.

Period: of the drawn preset, where two bursts fit into the recording (of a swelling: one over its rate), within 2 %.

Pitch: the fundamental of the drawn preset, within 0.5 %, of each pulse pitch it has, against the fundamentals found (of a machine, or of a
pulse). Tones that sound at once without a common fundamental (a telephone's two, written as ratios to 1 Hz or as pulses of one onset) stand
each for itself and are looked for among the partials. Only a glide has a dash: it has no one frequency.

Levels: the three strongest partials of the tonal part at the microphone (the stem rendered without its broadband part, which is no harmonic
but lies in the same bands: up to 5 dB of a fan's lowest line), energy in a band over the whole recording, each counted alike; re one another
within 2 dB. A sum over the recording, not a Hann-windowed one, which would count a burst in the middle for more than one at the end.

Length: between half heights of the dry pulse, median over the pulses of a burst, within 15 ms; of a mix that of its pulsed part.
A dash is what the preset does not have (a steady tone has no pulse), or what 20 s cannot tell (a period of 25 s).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16000
SECONDS = 20.0
ROOMS = ("exam_room", "imaging_suite", "ward")
NOISE_BELOW_DB = (20, 10)
CHECKS = ("period", "pitch", "length", "levels")


Task = tuple[str, str, float]


def render(preset: str, room: str, below_db: float, *, plain_rooms: bool = False) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the drawn op, the tonal part of its reverberant stem, and all of it in pink noise, float64 [shape=(samples,)] each."""
    rng = np.random.Generator(np.random.PCG64([7, *map(ord, preset)]))
    op, tonal, stem = drawn_stem(preset, room, rng, plain_rooms=plain_rooms)
    return op, tonal, stem + pink(rng, 0.1 * 10.0 ** (-below_db / 20.0))


def drawn_stem(
    preset: str, room: str, rng: np.random.Generator, *, plain_rooms: bool = False
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a drawn op, the tonal part of its reverberant stem, and the stem, -20 dB re full scale while it sounds."""
    from scipy.signal import fftconvolve

    from roomtone.augment.ops.draw_context import DrawContext
    from roomtone.augment.rooms.bank import DIRECT_SAMPLE, build_bank
    from roomtone.augment.scenarios.presets import load_preset, parse_preset

    count = round(SECONDS * RATE)
    op = parse_preset("equipment", preset, load_preset("equipment", preset)).draw(rng, DrawContext(count, RATE))
    walls = {key: value for key, value in load_preset("room", room).items() if not (plain_rooms and key == "materials")}
    response = build_bank(parse_preset("room", room, walls), RATE).entry(0).equipment  # type: ignore[arg-type]

    def heard(sounds: list[Any]) -> np.ndarray:
        dry = sum(
            (one.render(count, RATE, _no_fetch, preroll_samples=RATE).astype(np.float64) for one in sounds),
            np.zeros(RATE + count),
        )
        return np.asarray(fftconvolve(dry, np.asarray(response, dtype=np.float64))[RATE + DIRECT_SAMPLE :][:count])

    stem, tonal = heard([op]), heard(tonal_parts(op))
    gain = 0.1 / np.sqrt((stem[op.sounding(count, RATE)] ** 2).mean())  # type: ignore[attr-defined]
    return op, gain * tonal, gain * stem


def pink(rng: np.random.Generator, rms: float) -> np.ndarray:
    """Return pink noise of an RMS, float64 [shape=(samples,)]."""
    from roomtone.augment.ops.draw_context import DrawContext
    from roomtone.augment.ops.sources.noise import ColouredNoise

    count = round(SECONDS * RATE)
    op = ColouredNoise(slope_db_per_octave=-3.01).draw(rng, DrawContext(count, RATE))
    noise = op.render(count, RATE, _no_fetch).astype(np.float64)
    return np.asarray(noise * (rms / np.sqrt((noise**2).mean())))


def _no_fetch(asset: str, start: int, frames: int) -> np.ndarray:
    raise LookupError(asset)


def parts(op: Any) -> list[Any]:
    """Return the `periodic_tone`s of an op, a mix taken apart."""
    from roomtone.augment.ops.table import Source, parse_op

    if op.op != "mix":
        return [op]
    plain = [{key: value for key, value in part.items() if key != "level_db"} for part in op.parts]
    return [parse_op(part, Source, where="mix") for part in plain]


def tonal_parts(op: Any) -> list[Any]:
    """Return an op without its broadband parts, as ops to be summed."""
    import dataclasses

    from roomtone.augment.ops.table import Source, parse_op

    if op.op != "mix":
        return [dataclasses.replace(op, noise_db=None)] if op.harmonics else []
    plain = [dict(part) | {"noise_db": None} for part in op.parts if part["harmonics"]]
    return [parse_op({"op": "mix", "parts": plain}, Source, where="mix")] if plain else []


def check(preset: str, room: str, below_db: float, *, plain_rooms: bool = False) -> dict[str, Any]:
    """Return which figures of one recording were measured back, None where there is nothing to measure; what was found and in how many seconds."""
    from roomtone.measure.detection.machines import measure_equipment

    op, tonal, mixed = render(preset, room, below_db, plain_rooms=plain_rooms)
    start = time.perf_counter()
    machines = measure_equipment(mixed, RATE).machines
    seconds = round(time.perf_counter() - start, 1)
    return check_found(op, tonal, machines) | {"found": [_brief(machine) for machine in machines], "seconds": seconds}


def _brief(machine: Any) -> str:
    """Return what a machine is, in a few words."""
    kind = "cycle" if machine.recorded is not None else machine.kind
    pulses = len(machine.cycle.pulses) if machine.cycle else 0
    swell = f", swells at {machine.am_hz:.2f} Hz" if machine.am_hz else ""
    return (
        f"{kind} {machine.fundamental_hz:.1f} Hz, {len(machine.partials)} partials, {pulses} pulses each "
        f"{machine.period_s:.4f} s{swell}, {machine.level_db:.1f} dB"
    )


def check_found(op: Any, tonal: np.ndarray, found: Any) -> dict[str, bool | None]:
    """Return which figures of an op the machines found hold, its tonal stem given; None where there is nothing to measure."""
    strongest = strongest_partials(parts(op), tonal)
    pulsed = [part for part in parts(op) if part.pulses]
    return {
        "period": _period(parts(op), found),
        "pitch": _pitch(parts(op), found),
        "length": _length(pulsed, found),
        "levels": _levels(strongest, found),
    }


def strongest_partials(tones: list[Any], stem: np.ndarray) -> list[tuple[float, float]]:
    """Return (Hz, energy in dB) of the three strongest partials of the stem; empty for glides, which have no one frequency."""
    wanted: set[float] = set()
    for tone in tones:
        rows = [row for row in tone.pulses] or [(0.0, 0.0, 1.0, 0.0, 1.0)]
        if any(len(row) > 4 and row[4] != 1.0 for row in rows):
            return []
        pitches = {row[2] if len(row) > 2 else 1.0 for row in rows}
        wanted |= {round(tone.fundamental_hz * p * ratio, 3) for p in pitches for ratio, _ in tone.harmonics}
    spectrum = np.abs(np.fft.rfft(stem)) ** 2
    hz = np.arange(spectrum.size) * RATE / stem.size
    merged: list[float] = []
    for f in sorted(f for f in wanted if f < 0.45 * RATE):
        if not merged or f - merged[-1] > 0.01 * f:
            merged.append(f)
    energy = [(f, float(10 * np.log10(spectrum[np.abs(hz - f) < max(12.0, 0.012 * f)].sum()))) for f in merged]
    return sorted(energy, key=lambda pair: -pair[1])[:3]


def _period(tones: list[Any], found: Any) -> bool | None:
    truths = [tone.period_s for tone in tones if tone.pulses and 0 < tone.period_s <= SECONDS / 2]
    truths += [1.0 / tone.am_hz for tone in tones if tone.am_depth]
    if not truths and tones[0].pulses and len(tones[0].pulses) > 3 and not tones[0].period_s:
        truths = [tones[0].pulses[1][0] - tones[0].pulses[0][0]]  # one burst of equal pulses: they repeat themselves
    if not truths:
        return None
    measured = [m.period_s or (1.0 / m.am_hz if m.am_hz else 0.0) for m in found]
    return all(any(abs(one / truth - 1.0) < 0.02 for one in measured) for truth in truths)


def _pitch(tones: list[Any], found: Any) -> bool | None:
    from roomtone.measure.detection.machines import burst_pitch

    single, at_once = pitches(tones)
    if not single and not at_once:
        return None
    pulses = [pulse for machine in found if machine.cycle for pulse in machine.cycle.pulses]
    said = [machine.fundamental_hz for machine in found] + [burst_pitch([pulse]) for pulse in pulses]
    partials = [p.hz for machine in found for p in machine.partials]
    return all(any(_same(one, hz) for one in said for hz in either) for either in single) and all(
        any(_same(one, hz) for one in partials) for hz in at_once
    )


def pitches(tones: list[Any]) -> tuple[list[list[float]], list[float]]:
    """Return the fundamentals of all pulse pitches, and the tones that sound at once and have none in common; glides have neither.

    Partials below the fundamental at a whole fraction of it (a shaft under its blades) make that fraction a fundamental of the same set.
    """
    single: list[list[float]] = []
    at_once: list[float] = []
    for tone in tones:
        ratios = [ratio for ratio, _ in tone.harmonics]
        plain = (0.0, 0.0, 1.0, 0.0, 1.0)
        rows = [(*row, *plain[len(row) :]) for row in tone.pulses] or [plain]
        held = [row for row in rows if row[4] == 1.0] if ratios else []
        for pitch in sorted({row[2] for row in held}):
            onsets = {row[0] for row in held if row[2] == pitch}
            chord = any(row[0] in onsets and row[2] != pitch for row in held)
            hz = tone.fundamental_hz * pitch
            if chord or 1.0 not in ratios:
                at_once += [hz * ratio for ratio in ratios]
            else:
                below = [hz * ratio for ratio in ratios if ratio < 1.0 and abs(1.0 / ratio - round(1.0 / ratio)) < 1e-6]
                single.append([hz, *below])
    return single, at_once


def _same(one: float, other: float) -> bool:
    return abs(one / other - 1.0) < 0.005


def _levels(strongest: list[tuple[float, float]], found: Any) -> bool | None:
    if len(strongest) < 2:
        return None
    off = []
    for hz, energy_db in strongest:
        power = sum(_energy(m) * p.power for m in found for p in m.partials if abs(p.hz / hz - 1.0) < 0.012)
        if not power:
            return False
        off.append(10 * np.log10(power) - energy_db)
    return bool(np.ptp(off) <= 4.0 and np.abs(np.array(off) - np.median(off)).max() <= 2.0)


def _energy(machine: Any) -> float:
    """Return the share of the time for which a machine sounds."""
    if machine.cycle is None:
        return 1.0
    return sum(pulse.length_s for pulse in machine.cycle.pulses) / machine.cycle.span_s


def _length(tones: list[Any], found: Any) -> bool | None:
    if not tones:
        return None
    tone = tones[0]
    truth = [row[1] * tone.stretch - 0.5 * (tone.rise_s + tone.fall_s) for row in tone.pulses]
    if tone.decay_s:
        truth = [tone.decay_s * np.log(2.0) + 0.5 * tone.rise_s for _ in truth]
    lengths = [p.length_s for m in found if m.cycle for p in m.cycle.pulses]
    if not lengths:
        return False
    return bool(np.median([min(abs(one - length) for one in lengths) for length in truth]) <= 0.015)


def _one(task: Task, plain_rooms: bool) -> tuple[Task, dict[str, Any]]:
    return task, check(*task, plain_rooms=plain_rooms)


def tasks(presets: list[str]) -> Iterator[Task]:
    """Yield every combination of preset, room and noise."""
    return ((preset, room, below) for preset in presets for room in ROOMS for below in NOISE_BELOW_DB)


def _has_a_clock(preset: Any) -> bool:
    return preset["op"] != "pass_by" and preset.get("timing", "grid") == "grid"


def main(presets: list[str], log: Path, *, plain_rooms: bool) -> None:
    """Measure all combinations, each a line in the log, and print the table."""
    from roomtone.augment.scenarios.presets import load_preset, preset_names

    named = presets or [name for name in preset_names("equipment") if _has_a_clock(load_preset("equipment", name))]
    wanted = list(tasks(named))
    done = _logged(log)
    left = [task for task in wanted if task not in done]
    with ProcessPoolExecutor(int(os.environ.get("BENCH_WORKERS", "0")) or None) as pool, log.open("a") as lines:
        for task, result in pool.map(_one, left, [plain_rooms] * len(left)):
            done[task] = result
            print(json.dumps([*task, result]), file=lines, flush=True)
    print_table({task: done[task] for task in sorted(wanted)})


def _logged(log: Path) -> dict[Task, dict[str, Any]]:
    """Return the results that a log holds."""
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    return {(preset, room, below): result for preset, room, below, result in rows}


def print_table(results: dict[Task, dict[str, Any]]) -> None:
    """Print how many recordings of each preset are right, and the sums."""
    print(f"{'preset':<20}" + "".join(f"{c:>9}{below:>3} dB" for below in NOISE_BELOW_DB for c in CHECKS))
    for preset in dict.fromkeys(task[0] for task in results):
        cells = []
        for below in NOISE_BELOW_DB:
            for name in CHECKS:
                got = [result[name] for task, result in results.items() if task[0] == preset and task[2] == below]
                told = [one for one in got if one is not None]
                cells.append(f"{sum(told)} of {len(told)}" if told else "-")
        print(f"{preset:<20}" + "".join(f"{cell:>15}" for cell in cells))
    for below in NOISE_BELOW_DB:
        for name in (*CHECKS, "all four"):
            got = [_told(result, name) for task, result in results.items() if task[2] == below]
            told = [one for one in got if one is not None]
            print(
                f"noise {below} dB below, {name:<9}: {sum(told)} of {len(told)} ({100 * sum(told) / max(len(told), 1):.0f} %)"
            )


def _told(result: dict[str, Any], name: str) -> bool | None:
    if name != "all four":
        return None if result[name] is None else bool(result[name])
    told = [result[check] for check in CHECKS if result[check] is not None]
    return all(told) if told else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET")
    parser.add_argument("--plain-rooms", action="store_true", help="rooms without their materials")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="where results are kept as they come")
    given = parser.parse_args()
    main(given.presets, given.log, plain_rooms=given.plain_rooms)
