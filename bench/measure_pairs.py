"""Prints how well two machines are measured that sound at once: a slow alarm over a fast scanner, three rooms, three levels, 20 s each.

    python bench/measure_pairs.py [--stretch] [ALARM+SCANNER …]

Each is checked by the bounds of `measure_round_trip`, against one machine of those found: the one that holds most of them, so that no figure
is borrowed from the other (a mix of two parts, a ventilator, against all). The alarm sounds 0, 6 and -6 dB re the scanner, RMS while each
sounds; pink noise lies 20 dB below the louder. `both` counts recordings in which each figure of each machine holds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from measure_round_trip import CHECKS, RATE, ROOMS, check_found, drawn_stem, pink

ALARMS, SCANNERS = ("alarm_medium", "alarm_high"), ("mri_epi",)
MORE_ALARMS, MORE_SCANNERS = ("smoke_t3", "pulse_oximeter", "scanner_800hz"), ("mri_gre", "ventilator")
LEVELS_DB = (0, 6, -6)
SEEDS = (0, 1)
BELOW_DB = 20.0

Task = tuple[str, str, str, int, int]


def mixed(alarm: str, scanner: str, room: str, level_db: float, seed: int) -> tuple[list[tuple[Any, Any]], np.ndarray]:
    """Return `(op, tonal stem)` of both machines, and the recording, float64 [shape=(samples,)]."""
    rng = np.random.Generator(np.random.PCG64([13, seed, *map(ord, alarm + scanner)]))
    gain = 10.0 ** (level_db / 20.0)
    truths, total = [], pink(rng, 0.1 * max(gain, 1.0) * 10.0 ** (-BELOW_DB / 20.0))
    for preset, factor in ((alarm, gain), (scanner, 1.0)):
        op, tonal, stem = drawn_stem(preset, room, rng)
        truths.append((op, factor * tonal))
        total = total + factor * stem
    return truths, total


def best_check(op: Any, tonal: np.ndarray, found: Any) -> dict[str, bool | None]:
    """Return which figures the best one of the machines found holds."""
    sets = [[machine] for machine in found] + ([list(found)] if op.op == "mix" else [])
    return max((check_found(op, tonal, one) for one in sets or [[]]), key=lambda r: sum(v is True for v in r.values()))


def run(task: Task) -> tuple[list[dict[str, bool | None]], int, float]:
    """Return the checks of both machines of a recording, the number of machines found, and the seconds that measuring took."""
    from roomtone.measure.detection.machines import measure_equipment

    truths, recording = mixed(*task)
    begin = time.perf_counter()
    found = measure_equipment(recording, RATE).machines
    took_s = time.perf_counter() - begin
    return [best_check(op, tonal, found) for op, tonal in truths], len(found), took_s


def tasks(pairs: list[tuple[str, str]]) -> Iterator[Task]:
    """Yield every combination of pair, level, room and seed."""
    return ((*pair, room, level, seed) for pair in pairs for level in LEVELS_DB for room in ROOMS for seed in SEEDS)


def holds(result: dict[str, bool | None]) -> bool:
    """Return whether all that can be told of a machine was."""
    return all(value is not False for value in result.values())


def main(arguments: list[str]) -> None:
    """Measure all pairs, print a line for each recording, then the shares."""
    named = [tuple(one.split("+")) for one in arguments if "+" in one]
    alarms, scanners = (
        (ALARMS + MORE_ALARMS, SCANNERS + MORE_SCANNERS) if "--stretch" in arguments else (ALARMS, SCANNERS)
    )
    pairs = named or [(alarm, scanner) for alarm in alarms for scanner in scanners]
    results = {}
    for task in tasks(pairs):  # type: ignore[arg-type]
        results[task] = checks, count, took_s = run(task)
        said = "   ".join(
            f"{name}: " + " ".join(f"{c}{'-' if r[c] is None else '+' if r[c] else ' NO'}" for c in CHECKS)
            for name, r in zip(task[:2], checks)
        )
        print(f"{task[2]:<14}{task[3]:>3} dB  seed {task[4]}  {count} found, {took_s:4.1f} s   {said}", flush=True)
    for pair in pairs:
        for level in LEVELS_DB:
            got = [checks for task, (checks, *_) in results.items() if task[:2] == pair and task[3] == level]
            share = "   ".join(
                f"{pair[k]} {name} {sum(c[k][name] is not False for c in got)}" for k in (0, 1) for name in CHECKS
            )
            both = sum(holds(a) and holds(b) for a, b in got)
            print(f"{'+'.join(pair)} at {level} dB, of {len(got)}: both {both}   {share}")


if __name__ == "__main__":
    main(sys.argv[1:])
