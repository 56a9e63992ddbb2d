"""A wheel holds what the tree holds: every folder with code is listed, and every file beside the code is package data."""

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
FOLDERS = {name.rpartition(".")[2]: name for name in SETUP["package-dir"] if "." in name}


def packaged(path: Path) -> str:
    """Return the package that a folder of the tree is."""
    return ".".join((FOLDERS[path.parts[0]], *path.parts[1:]))


def test_every_folder_with_code_is_a_package():
    found = {packaged(file.parent.relative_to(ROOT)) for top in FOLDERS for file in (ROOT / top).rglob("*.py")}
    found.discard(packaged(Path(SETUP["package-dir"]["roomtone"])))  # it is `roomtone` itself
    assert found - set(SETUP["packages"]) == set()
    assert set(SETUP["packages"]) - found <= {"roomtone", "roomtone.conf"}


def test_every_other_file_is_package_data():
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    missing = []
    for file in (Path(line) for line in listed.splitlines() if not line.endswith(".py") and "namespace" not in line):
        homes = [(packaged(p), file.relative_to(p)) for p in file.parents if p.parts]
        patterns = ((rest, pattern) for name, rest in homes for pattern in SETUP["package-data"].get(name, ()))
        if not any(
            rest in {Path(f).relative_to(base) for base in [_base(file, rest)] for f in base.glob(pattern)}
            for rest, pattern in patterns
        ):
            missing.append(str(file))
    assert missing == []


def _base(file: Path, rest: Path) -> Path:
    """Return the folder of the package that a file lies in, `rest` below it."""
    return ROOT / Path(*file.parts[: len(file.parts) - len(rest.parts)])
