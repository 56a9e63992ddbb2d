"""(d) peak memory of each process at 1x and 10x the corpus, and (e) start-up.

python bench/augment_memory.py [--utterances 40]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from augment_common import STAGES, make_corpus, make_sounds, overrides

#: Runs in a process of its own: prints the peaks of the driver and of its largest worker, in kilobytes.
RUN = """
import json, resource, sys
if __name__ == "__main__":
    sys.path.insert(0, {here!r})
    from augment_common import configure
    from roomtone.augment.generation import generate
    summary = generate(configure(json.loads(sys.argv[1]), sys.argv[2]))
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps([summary.rendered, *peaks]))
"""


def peaks(folder: Path, utterances: int) -> tuple[int, float, float]:
    """Return samples rendered, and the peak memory in MB of the driver and of its worker."""
    table = make_corpus(folder / f"corpus-{utterances}", utterances, 4.0)
    script = folder / "run.py"
    script.write_text(RUN.format(here=str(Path(__file__).parent)))
    words = [*overrides(table, folder / f"set-{utterances}", *STAGES), "executor.workers=1"]
    done = subprocess.run(
        [sys.executable, "-P", str(script), json.dumps(words), str(folder / "sounds")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rendered, driver, worker = json.loads(done.stdout.splitlines()[-1])
    return rendered, driver / 1024, worker / 1024


def seconds(*words: str, rounds: int = 5) -> float:
    """Return the median time of a command."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--utterances", type=int, default=40)
    utterances = parser.parse_args().utterances
    print("| what | | |\n|---|--:|--:|")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        make_sounds(folder / "sounds")
        small, large = peaks(folder, utterances), peaks(folder, 10 * utterances)
    print(f"| (d) samples, 1x and 10x the corpus | {small[0]:,} | {large[0]:,} |")
    print(f"| (d) peak memory of the driver | {small[1]:.0f} MB | {large[1]:.0f} MB ({large[1] / small[1] - 1:+.0%}) |")
    print(f"| (d) peak memory of a worker | {small[2]:.0f} MB | {large[2]:.0f} MB ({large[2] / small[2] - 1:+.0%}) |")
    command = [sys.executable, "-P", "-m", "roomtone.cli.main"]
    print(f"| (e) `roomtone --help` | {seconds(*command, '--help'):.2f} s | |")
    print(f"| (e) `roomtone generate --cfg` | {seconds(*command, 'generate', '--cfg'):.2f} s | |")
    theirs = seconds(sys.executable, "-P", "-c", "import audiomentations")
    print(f"| (e) `import audiomentations` | {theirs:.2f} s | |")


if __name__ == "__main__":
    main()
