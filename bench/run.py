"""What `make bench` runs: every bench that ends within a quarter of an hour, each printing a Markdown table of speed and error.

    python -P bench/run.py [--all]

`--all` adds the long ones: 20,000 samples with a kill in the middle, and the manifest of 100 million rows.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

#: Title, script and arguments.
QUICK = (
    ("Rendering: speed and error", ("augment_speed.py", "--rounds", "3")),
    ("Rendering: memory and start-up", ("augment_memory.py",)),
    ("Machines measured back", ("measure_round_trip.py",)),
    ("Two machines at once", ("measure_pairs.py",)),
    ("Fairness: verdicts, intervals and detectable sizes", ("fairness_calibration.py", "100")),
    ("Fairness: thresholds", ("fairness_thresholds.py", "1000")),
    ("Fairness: two versions", ("fairness_versions.py", "200")),
    ("Fairness: the subgroup search", ("fairness_search.py",)),
)
LONG = (
    ("20,000 samples with a kill in the middle", ("augment_twenty_thousand.py",)),
    ("A manifest of 100 million rows", ("coverage_scale.py",)),
)


def machine() -> str:
    """Return the machine in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores} cores ({model}), {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def main() -> int:
    """Run the benches one after another and return how many failed."""
    print(f"# Benches\n\n{machine()}; load when begun: {os.getloadavg()[0]:.1f}.", flush=True)
    failed = 0
    for title, words in QUICK + (LONG if "--all" in sys.argv else ()):
        print(f"\n## {title}\n", flush=True)
        failed += (
            subprocess.run([sys.executable, "-W", "ignore", str(HERE / words[0]), *words[1:]], check=False).returncode
            != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
