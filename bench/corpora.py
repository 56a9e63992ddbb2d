"""Prints how fast corpora are read and recordings decoded, resampled and measured.

    python bench/corpora.py

Rows are those of a Common Voice table of 100,000 rows without its clips (each costs one look at the file system).
"""

from __future__ import annotations

import functools
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from roomtone.augment.corpora import open_corpus
from roomtone.augment.corpora.recording_quality import measure_quality
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef

ROWS = 100_000


def main() -> None:
    """Print one line a measurement."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        _rows(home)
        _recordings(home)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _rows(home: Path) -> None:
    (home / "en" / "clips").mkdir(parents=True)
    with open(home / "en" / "test.tsv", "w", encoding="utf-8") as file:
        file.write("client_id\tpath\tsentence\taccents\tlocale\n")
        file.writelines(f"{i:064x}\tcv_{i}.mp3\tWords {i}\tUnited States English\ten\n" for i in range(ROWS))
    corpus = open_corpus({"reader": "common_voice", "path": str(home / "en"), "accents": "common_voice"})
    seconds = _seconds(lambda: sum(1 for _ in corpus))
    print(f"{'Common Voice table':<34} {ROWS / seconds:10,.0f} rows/s")


def _recordings(home: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(60 * 48000)
    for name, rate in (("a.wav", 16000), ("a.flac", 16000), ("b.wav", 44100), ("b.flac", 48000), ("b.mp3", 48000)):
        soundfile.write(home / name, noise[: 60 * rate], rate)
        ref = AudioRef(str(home / name))
        seconds = _seconds(functools.partial(read_audio, ref, 16000))
        print(f"{f'{name} at {rate} Hz read at 16 kHz':<34} {60 / seconds:10,.0f} x real time")
    samples = read_audio(AudioRef(str(home / "a.flac")), 16000)
    print(f"{'quality of 16 kHz':<34} {60 / _seconds(lambda: measure_quality(samples, 16000)):10,.0f} x real time")


def _seconds(work: Callable[[], object]) -> float:
    """Return the shortest of three runs."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    main()
