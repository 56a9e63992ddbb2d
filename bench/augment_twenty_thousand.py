"""20,000 samples in one set, the whole process group killed with SIGKILL half way, resumed by the same command; do the counts reconcile?

python bench/augment_twenty_thousand.py [--utterances 1540]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from augment_common import STAGES, make_corpus, make_sounds, overrides


def main() -> None:
    """Make the corpus, kill the first run, finish it with a second, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--utterances", type=int, default=1540)
    utterances = parser.parse_args().utterances
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        make_sounds(folder / "sounds")
        table = make_corpus(folder / "corpus", utterances, 1.0)
        out = folder / "set"
        words = [
            sys.executable, "-P", "-m", "roomtone.cli.main", "generate", *overrides(table, out, *STAGES), "executor.workers=2",
            "--config-dir", str(folder / "sounds"),
        ]  # fmt: skip
        planned = 13 * utterances
        begun = time.monotonic()
        first = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list((out / "manifest").glob("part-*"))) < planned / 91 / 2 and first.poll() is None:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        killed, parts = time.monotonic() - begun, len(list((out / "manifest").glob("part-*")))
        begun = time.monotonic()
        second = subprocess.run(words, capture_output=True, text=True, check=False)
        resumed = time.monotonic() - begun
        _report(out, planned, parts, killed, resumed, second)


def _report(
    out: Path, planned: int, parts: int, killed: float, resumed: float, second: subprocess.CompletedProcess[str]
) -> None:
    from roomtone.core.dataset.manifest import read_manifest

    rows = read_manifest(out, columns=["sample_id", "pcm_sha256", "audio_path"])
    files = {f"audio/{p.parent.name}/{p.name}" for p in (out / "audio").rglob("*.flac")}
    temporary = [p for p in out.rglob("*") if "tmp" in p.name]
    closing = next((line for line in second.stdout.splitlines() if " samples in " in line), second.stderr[-300:])
    said = closing.replace(str(out), "stress-set")
    print("| 20,000 samples, a kill in the middle | |\n|---|--:|")
    print(f"| samples planned | {planned:,} |")
    print(f"| killed with SIGKILL after | {killed:.0f} s, {parts} shards published |")
    print(f"| second run | {resumed:.0f} s, exit {second.returncode} |")
    print(f"| rows, distinct ids, files | {len(rows):,}, {rows['sample_id'].nunique():,}, {len(files):,} |")
    whole = len(rows) == planned == rows["sample_id"].nunique() and files == set(rows["audio_path"]) and not temporary
    print(f"| planned = rendered, files = rows, no temporary file | {'yes' if whole else 'NO'} |")
    print(f"\nThe second run said: {said}")
    sys.exit(0 if whole and second.returncode == 0 else 1)


if __name__ == "__main__":
    main()
