"""The README beside this file counts the attacks by kind, and is right."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent


def test_the_readme_counts_the_attacks():
    stated = dict(re.findall(r"`(test_\w+\.py)` \| (\d+)", (HERE / "README.md").read_text(encoding="utf-8")))
    others = [str(path) for path in sorted(HERE.glob("test_*.py")) if path.name != Path(__file__).name]
    words = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "--collect-only",
        "-qq",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *others,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HERE.parents[1])
    counts = Counter(
        {Path(name).name: int(count) for name, count in re.findall(r"^(\S+\.py): (\d+)$", done.stdout, re.MULTILINE)}
    )
    assert counts, done.stdout[-500:] + done.stderr[-500:]
    assert {name: int(count) for name, count in stated.items()} == counts
