"""CONTRIBUTING says which files a change touches; they are few and they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGES = (
    "noise source",
    "SNR",
    "container",
    "FLAC",
    "column",
    "heat map",
    "verdict",
    "accent map",
    "executor",
    "room simulator",
    "kind of room",
    "gate",
    "report",
)


def test_every_change_names_at_most_three_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where to change what")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) == len(CHANGES)
    for (change, files), words in zip(rows, CHANGES, strict=True):
        assert words in change
        named = set(re.findall(r"`([\w/]+\.(?:py|yaml|html))`", files))
        assert 1 <= len(named) <= 3, change
        assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_path_in_the_guide_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {n for n in re.findall(r"`([\w.]+/[\w./]*\w)`", text) if "NAME" not in n and not n.startswith("build/")}
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
