"""A folder of many files as a corpus, and a set with as many foreign files in it: time and peak memory of `corpus` and `verify`.

    python -P bench/many_files.py [--files 100000] [--folder DIR]

The corpus is one folder of recordings, hard links to a few of the bundled ones; the set holds 12 samples and the foreign files beside them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NONE = [f"scenario.factors.{name}=[none]" for name in ("room", "noise", "equipment", "handset")]
#: Runs the words as a command and prints its exit status, the seconds and its own peak memory in kilobytes.
RUN = """
import re, sys, time
if __name__ == "__main__":
    from roomtone.cli.main import main
    begun = time.perf_counter()
    status = main(sys.argv[1:])
    seconds = time.perf_counter() - begun
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
    print(f"RAN {status} {seconds:.0f} {peak}")
"""


def fill(folder: Path, sources: list[Path], count: int) -> None:
    """Fill a folder with links to copies of the sources, a thousand a copy."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = folder / f"clip-{number:07d}{sources[0].suffix}"
        if number % 1000 == 0:
            copy = name
            shutil.copy(sources[number // 1000 % len(sources)], copy)
        else:
            os.link(copy, name)


def run(work: Path, *words: str) -> str:
    """Run a command; return its line of the table and what it said last."""
    script = work / "run.py"
    script.write_text(RUN)
    done = subprocess.run(
        [sys.executable, "-P", str(script), *words], capture_output=True, text=True, check=False, cwd=work
    )  # fmt: skip
    *said, last = done.stdout.splitlines() or [done.stderr[-300:]]
    if not last.startswith("RAN "):
        return f"ended: {last} {done.stderr[-300:]}"
    _, status, seconds, peak = last.split()
    findings = " ".join([*said[-1:], *done.stderr.splitlines()[-1:]])[:160]
    return f"{status} | {seconds} s | {int(peak) / 1024:.0f} MB | {findings}"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the files are made; default a temporary folder")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="many-files-", dir=asked.folder))
    try:
        print(f"| {asked.files:,} files | exit status | time | peak memory | said |\n|---|--:|--:|--:|---|", flush=True)
        made = run(
            work, "generate", *NONE, "corpus.select.max_per_accent=1", "executor=serial", f"output.dir={work / 'set'}"
        )
        sources = sorted((work / "set").rglob("*.flac"))
        assert sources, made
        fill(work / "corpus", sources, asked.files)
        said = run(work, "corpus", "corpus=folder", "corpus.accent=a", f"corpus.path={work / 'corpus'}")
        print(f"| `corpus`, a folder of them | {said} |", flush=True)
        fill(work / "set" / "audio" / "00000", sources, asked.files)
        fill(work / "set" / "manifest", sources, asked.files)
        for command in ("verify", "coverage"):
            said = run(work, command, f"dataset={work / 'set'}")
            print(f"| `{command}`, a set with them in `audio/` and `manifest/` | {said} |", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
