"""Build a release: a wheel of the same bytes every time, a software bill of materials (CycloneDX 1.5) and their hashes.

    python -P .ci/release.py FOLDER

The wheel is built twice, from copies of the tree in folders of other names and dates. Its entries are then written again in one order, with one
date and one mode, so that it depends on the files alone; where the two differ, nothing is left behind and the exit status is 1. Run it from
the environment in which the package is installed: the bill names the versions that are there.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: The date of every entry; what the entries hold says what they are.
_DATE = (2020, 1, 1, 0, 0, 0)
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "stress-set"
)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")


def build_wheel(work: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of a wheel that is built from a copy of the tree.

    Args:
        work: an empty folder.
    """
    copy = shutil.copytree(ROOT, work / "tree", ignore=_LEFT_OUT, symlinks=True)
    words = [sys.executable, "-P", "-m", "build", "--wheel", "--outdir", str(work / "wheels"), str(copy)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (work / "wheels").glob("*.whl")
    again = work / "again.whl"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name.endswith(".dist-info/RECORD"), name)):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return wheel.name, again.read_bytes()


def bill_of_materials(package: str) -> dict[str, Any]:
    """Return the packages that a package needs, and those that they need in turn, as a CycloneDX document.

    Args:
        package: installed here.
    """
    needed: dict[str, list[str]] = {}
    waiting = [package]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = sorted(set(_requirements(name)))
            waiting += needed[name]
    own = _component(package, "application")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own},
        "components": [_component(name, "library") for name in sorted(needed) if name != package],
        "dependencies": [
            {"ref": _reference(name), "dependsOn": [_reference(one) for one in needed[name]]} for name in sorted(needed)
        ],
    }


def _requirements(name: str) -> Iterator[str]:
    """Yield what a package needs on this machine, without its extras but for those that we name ourselves."""
    from packaging.requirements import Requirement

    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        extras = {"", "extras"} if name == "audiomentations" else {""}
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield re.sub(r"[-_.]+", "-", requirement.name).lower()


def _component(name: str, kind: str) -> dict[str, Any]:
    found = metadata.metadata(name)
    licence = found.get("License-Expression") or found.get("License") or ""
    classifiers = [
        line.rpartition(" :: ")[2] for line in found.get_all("Classifier") or () if line.startswith("License ::")
    ]
    named = licence if 0 < len(licence) <= 60 else ", ".join(classifiers)
    component = {
        "type": kind,
        "bom-ref": _reference(name),
        "name": name,
        "version": found["Version"],
        "purl": _reference(name),
    }
    return component | ({"licenses": [{"license": {"name": named}}]} if named else {})


def _reference(name: str) -> str:
    return f"pkg:pypi/{name}@{metadata.version(name)}"


def main() -> int:
    """Build into the folder that was named, and return 1 where two builds differ."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 1
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory(suffix="-of-another-name") as second:
        (name, data), (_, other) = build_wheel(Path(first)), build_wheel(Path(second))
    if data != other:
        print(f"{name}: two builds differ; nothing was written")
        return 1
    bill = json.dumps(bill_of_materials("roomtone"), indent=1, sort_keys=True) + "\n"
    files = {name: data, f"{name.split('-py3')[0]}.cdx.json": bill.encode()}
    target.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (target / file).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {file}\n" for file, content in sorted(files.items()))
    (target / "SHA256SUMS").write_text(sums)
    print(sums, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
