"""Speed and error of rendering, side by side in one run, alternating; medians and ratios.

    python bench/augment_speed.py [--utterances 48] [--seconds 6] [--rounds 3]

(a) file to file, twelve conditions an utterance and clean, draws independent and in common (`draws=common`: what conditions share is
    rendered once), beside an audiomentations `Compose` of the same stages and beside the
    floor (decode once, encode every output that ours has); one worker, in one process, libraries warm. Everybody writes into a new folder.
(b) with simulated rooms, beside audiomentations' `RoomSimulator` called for each utterance.
(c) one and two workers, processes and Dask: samples a second once the workers are warm.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # one worker is one thread, for everybody

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from augment_common import RATE_HZ, STAGES, configure, make_corpus, make_sounds, overrides  # noqa: E402

SNRS_DB = [(near, far) for near in (0.0, 5.0, 10.0, 15.0) for far in (0.0, 5.0, 10.0)]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--utterances", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - progress lines
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        make_sounds(folder / "sounds")
        table = make_corpus(folder / "corpus", asked.utterances, asked.seconds)
        print(
            f"{asked.utterances} utterances of {asked.seconds:g} s at {RATE_HZ} Hz, {asked.rounds} rounds, alternating\n"
        )
        print("| what | samples a second | ratio | error |\n|---|--:|--:|---|")
        bench_stages(folder, table, asked.rounds)
        many = make_corpus(folder / "many", 168, asked.seconds)  # an even number of shards for two workers
        bench_rooms(folder, table, many, asked.rounds)
        bench_workers(folder, many, asked.rounds)


def bench_stages(folder: Path, table: Path, rounds: int) -> None:
    """Print (a): ours, audiomentations', the floor."""
    presets = str(folder / "sounds")
    cfg = configure([*overrides(table, folder / "ours", *STAGES), "executor=serial"], presets)
    from roomtone.augment.generation import generate

    generate(cfg)
    outputs = _outputs(folder)
    contenders: dict[str, Callable[[], int]] = {
        "ours": lambda: _generate(cfg),
        "common": lambda: _generate({**cfg, "draws": "common"}),
        "theirs": lambda: _audiomentations(folder, table),
        "floor": lambda: _floor(folder, table, outputs),
    }
    rates = alternate(contenders, rounds)
    ours, theirs = _snr_errors(folder)
    print(f"| (a) roomtone, one worker, file to file | {rates['ours']:.0f} | | SNR off by up to {ours:.3f} dB |")
    print(f"| (a) the same, draws in common | {rates['common']:.0f} | | the same |")
    ratio, common = (rates[which] / rates["theirs"] for which in ("ours", "common"))
    print(
        f"| (a) audiomentations, the same stages | {rates['theirs']:.0f} | roomtone {ratio:.1f}x, in common {common:.1f}x | {theirs} |"
    )
    ratio, common = (rates["floor"] / rates[which] for which in ("ours", "common"))
    print(
        f"| (a) floor: decode once, encode 13 | {rates['floor']:.0f} | roomtone takes {ratio:.1f}x its time, in common {common:.1f}x | |"
    )


def alternate(contenders: dict[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """Return the median samples a second of each, all taken in turn; a first turn warms them up and does not count."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, run in contenders.items():
            begun = time.perf_counter()
            samples = run()
            if turn:
                found[name].append(samples / (time.perf_counter() - begun))
    return {name: statistics.median(rates) for name, rates in found.items()}


def _fresh(folder: Path) -> Path:
    """Return a new folder; removing an earlier one, or writing over its files, would be timed."""
    return Path(tempfile.mkdtemp(dir=folder))


def _generate(cfg: dict[str, Any]) -> int:
    from roomtone.augment.generation import generate

    fresh = _fresh(Path(cfg["output"]["dir"]).parent) / "set"
    return generate({**cfg, "output": {**cfg["output"], "dir": str(fresh)}}).rendered


def _utterances(table: Path) -> Iterator[tuple[str, np.ndarray]]:
    for path in sorted(table.parent.glob("*.flac")):
        yield path.stem, soundfile.read(path, dtype="float32")[0]


def _compose(folder: Path, near_db: float, far_db: float) -> Any:
    import audiomentations as am

    sounds = folder / "sounds"
    return am.Compose(
        [
            am.ApplyImpulseResponse(str(sounds / "room" / "response"), p=1.0, leave_length_unchanged=True),
            am.AddBackgroundNoise(str(sounds / "noise" / "near"), min_snr_db=near_db, max_snr_db=near_db, p=1.0),
            am.AddBackgroundNoise(str(sounds / "equipment" / "far"), min_snr_db=far_db, max_snr_db=far_db, p=1.0),
            am.BandPassFilter(
                min_center_freq=1000.0, max_center_freq=1000.0, min_bandwidth_fraction=1.9, max_bandwidth_fraction=1.9,
                min_rolloff=36, max_rolloff=36, zero_phase=False, p=1.0,
            ),
            am.Normalize(p=1.0),
        ]
    )  # fmt: skip


def _audiomentations(folder: Path, table: Path) -> int:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - it draws from the global generator
    out = _fresh(folder)
    transforms = [_compose(folder, near, far) for near, far in SNRS_DB]
    count = 0
    for name, speech in _utterances(table):
        soundfile.write(out / f"{name}-clean.flac", speech, RATE_HZ, subtype="PCM_16")
        for i, transform in enumerate(transforms):
            soundfile.write(out / f"{name}-{i}.flac", transform(speech, RATE_HZ), RATE_HZ, subtype="PCM_16")
        count += 13
    return count


def _outputs(folder: Path) -> list[np.ndarray]:
    """Return the samples of every file of our set."""
    return [soundfile.read(path, dtype="int16")[0] for path in sorted((folder / "ours" / "audio").rglob("*.flac"))]


def _floor(folder: Path, table: Path, outputs: list[np.ndarray]) -> int:
    """Decode every recording once, and encode what is there already."""
    out = _fresh(folder)
    for path in sorted(table.parent.glob("*.flac")):
        soundfile.read(path, dtype="int16")
    for number, pcm in enumerate(outputs):
        soundfile.write(out / f"{number}.flac", pcm, RATE_HZ, subtype="PCM_16")
    return len(outputs)


def _snr_errors(folder: Path) -> tuple[float, str]:
    """Return the largest error of our SNRs, and the range of theirs: RMS over the whole file where P.56 was meant."""
    from roomtone.augment import active_speech_level
    from roomtone.core.dataset.manifest import read_manifest

    rows = read_manifest(folder / "ours")
    noisy = rows[rows["noise"] != "none"]
    ours = float((noisy["measured_snr_db"] - noisy["snr_db"]).abs().max())
    offsets = []
    for _, speech in _utterances(folder / "corpus" / "table.jsonl"):
        whole = 10 * np.log10(np.mean(speech.astype(np.float64) ** 2))
        offsets.append(active_speech_level(speech, RATE_HZ).level_dbov - whole)
    return (
        ours,
        f"its SNR, by RMS over the whole file, is {min(offsets):.1f} to {max(offsets):.1f} dB below the active one",
    )


def bench_rooms(folder: Path, table: Path, many: Path, rounds: int) -> None:
    """Print (b): our bank, built once, beside a simulation for each utterance."""
    import audiomentations as am

    rooms = (
        *("office", "small_room", "meeting_room", "ward"),
        *("exam_room", "patient_room", "kitchen", "imaging_control_room"),
    )
    base = [
        f"scenario.factors.room=[{','.join(rooms)}]", "scenario.factors.noise=[none]", "scenario.factors.equipment=[none]",
        "scenario.factors.handset=[none]", "executor=serial", f"cache_dir={folder / 'cache'}",
    ]  # fmt: skip
    cfg = configure(overrides(many, folder / "rooms", *base))
    begun = time.perf_counter()
    _generate(cfg)
    first = time.perf_counter() - begun
    simulate = am.RoomSimulator(
        min_size_x=4.83, max_size_x=4.83, min_size_y=3.32, max_size_y=3.32, min_size_z=2.95, max_size_z=2.95,
        calculation_mode="rt60", min_target_rt60=0.34, max_target_rt60=0.34, use_ray_tracing=True, p=1.0, leave_length_unchanged=True,
    )  # fmt: skip

    def theirs() -> int:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        out = _fresh(folder)
        count = 0
        for name, speech in _utterances(table):
            soundfile.write(out / f"{name}.flac", simulate(speech, RATE_HZ), RATE_HZ, subtype="PCM_16")
            count += 1
            if count == 8:
                break
        return count

    def ours() -> int:
        return _generate(cfg) * len(rooms) // (len(rooms) + 1)  # clean is rendered and not counted

    rates = alternate({"ours": ours, "theirs": theirs}, max(rounds // 2, 1))
    print(
        f"| (b) roomtone, a measured bank of rooms | {rates['ours']:.0f} | | the first run, which builds the banks, takes {first:.0f} s; T30 within 5 % |"
    )
    print(
        f"| (b) audiomentations RoomSimulator | {rates['theirs']:.2f} | roomtone {rates['ours'] / rates['theirs']:.0f}x | T60 asked, not measured |"
    )


def bench_workers(folder: Path, table: Path, rounds: int) -> None:
    """Print (c): the rate of finished shards once the workers are warm."""
    presets = str(folder / "sounds")

    def rate(engine: str, workers: int) -> float:
        from roomtone.augment.runs.resume import Run
        from roomtone.augment.runs.schedule import make_job, shards_of
        from roomtone.augment.runs.shard import render_shard
        from roomtone.augment.scenarios.planner import make_plan
        from roomtone.augment.settings import generate_settings
        from roomtone.core.dataset.storage import open_storage
        from roomtone.core.workers.executors import ExecutorSettings, engine_of

        out = folder / f"{engine}-{workers}"
        shutil.rmtree(out, ignore_errors=True)
        place = open_storage(str(out))
        settings = generate_settings(configure(overrides(table, out, *STAGES), presets))
        plan = make_plan(settings)
        place.write_text("dataset.json", "{}")
        with engine_of(ExecutorSettings(engine, workers)) as running:
            job = make_job(settings, plan, Run(place, 0, {}), running)
            ends: list[tuple[float, int]] = []
            for outcome in running.run(render_shard, shards_of(plan, job, 0, 96)):
                if outcome.error is not None:
                    raise outcome.error
                ends.append((time.perf_counter(), outcome.value.rendered))
        warm = 2 * workers
        return sum(count for _, count in ends[warm:]) / (ends[-1][0] - ends[warm - 1][0])

    settings = [("processes", 1), ("processes", 2), ("dask", 2)]
    found: dict[tuple[str, int], list[float]] = {setting: [] for setting in settings}
    for _ in range(rounds):
        for setting in settings:
            found[setting].append(rate(*setting))
    one, two, dask = (statistics.median(found[setting]) for setting in settings)
    print(f"| (c) processes, one worker | {one:.0f} | | |")
    print(f"| (c) processes, two workers | {two:.0f} | {two / one:.2f}x one | |")
    print(f"| (c) Dask, two workers on loopback | {dask:.0f} | {dask / two:.2f}x of processes | |")


if __name__ == "__main__":
    main()
