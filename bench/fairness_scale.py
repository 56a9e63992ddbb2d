"""Prints what a large evaluation takes: time, processor time and memory of `roomtone evaluate asr=hypotheses`, from files to the report.

    python -P bench/fairness_scale.py [ROWS] [FOLDER]

30 accents, 200 conditions, 5,000 speakers; a million rows are one utterance of every speaker in every condition. The manifest is written without
audio, which an evaluation of hypotheses does not read.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ACCENTS, CONDITIONS, SPEAKERS = 30, 200, 5000
WORDS = np.array(["give", "ten", "units", "of", "saline", "every", "hour", "before", "noon", "please"])
_PART = 100_000


def write_set(folder: Path, rows: int) -> None:
    """Write a manifest of so many rows, and hypotheses in which words are wrong by accent, speaker and condition.

    Args:
        folder: to write `set/manifest` and `hypotheses.parquet` in.
        rows: of the manifest.
    """
    rng = np.random.default_rng(0)
    (folder / "set" / "manifest").mkdir(parents=True)
    at = np.arange(rows)
    speaker, condition = at // CONDITIONS % SPEAKERS, at % CONDITIONS
    utterance = at // CONDITIONS
    accent = speaker % ACCENTS
    rate = np.exp(rng.normal(-2.5, 0.35, SPEAKERS))[speaker] * (1 + condition / 60) * (1 + 0.5 * (accent == 3))
    ids = np.array([f"s{k:07d}" for k in at], dtype=object)
    heard = []
    for share in np.minimum(rate, 0.9):
        words = np.where(rng.random(len(WORDS)) < share, "wrong", WORDS)
        heard.append(" ".join(words))
    names = np.array(["clean", *(f"room{c % 10}+noise{c // 10}" for c in range(1, CONDITIONS))], dtype=object)
    frame = pd.DataFrame({
        "sample_id": ids, "utterance_id": np.char.add("u", utterance.astype(str)), "replicate": 0, "audio_path": "audio/none.flac",
        "sample_rate_hz": 16000, "num_samples": 64000, "duration_s": 4.0, "text": " ".join(WORDS), "words": len(WORDS), "language": "en",
        "speaker": np.char.add("p", speaker.astype(str)), "accent": np.char.add("accent", accent.astype(str)), "corpus": "made",
        "speech_origin": "synthetic", "condition": names[condition],
        "room": np.where(condition > 0, np.char.add("room", (condition % 10).astype(str)), "none"),
        "noise": np.where(condition > 0, np.char.add("noise", (condition // 10).astype(str)), "none"),
    })  # fmt: skip
    for k in range(0, rows, _PART):
        frame.iloc[k : k + _PART].to_parquet(
            folder / "set" / "manifest" / f"part-{k // _PART:05d}.parquet", index=False
        )
    pd.DataFrame({"sample_id": ids, "hypothesis": heard}).to_parquet(folder / "hypotheses.parquet", index=False)


def main(rows: int, folder: Path) -> int:
    """Write the set, evaluate it in a process of its own and print what that took."""
    write_set(folder, rows)
    command = [
        sys.executable,
        "-m",
        "roomtone",
        "evaluate",
        f"dataset={folder}/set",
        "asr=hypotheses",
        f"path={folder}/hypotheses.parquet",
    ]
    start = time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    page = folder / "set" / "evaluation" / "report.html"
    print(
        f"{rows:,} rows, {ACCENTS} accents x {CONDITIONS} conditions, {SPEAKERS:,} speakers: {wall:.0f} s, processor {used.ru_utime + used.ru_stime:.0f} s,"
        f" at most {used.ru_maxrss / 2**20:.1f} GiB; report {page.stat().st_size / 2**20 if page.exists() else 0:.1f} MiB; exit {done.returncode}"
    )
    return done.returncode


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        sys.exit(main(number, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(number, Path(temporary)))
