"""What the README shows must exist: its commands, its Python; `tests/docs` runs them."""

import re
from pathlib import Path

import pytest

from roomtone.cli.main import COMMANDS

README = Path(__file__).parents[2] / "README.md"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the repository's README is not beside the tests")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_every_command_in_the_readme_exists():
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    named = {line.split()[1] for line in lines if line.startswith("roomtone ")}
    assert named >= {"list", "show", "listen", "corpus", "generate", "coverage", "evaluate"}
    assert named <= set(COMMANDS)


def test_the_first_two_commands_are_targets_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text()
    first = [line.split()[1] for line in blocks("bash")[0].splitlines()]
    assert first == ["demo", "test"]
    assert all(f"\n{name}:" in makefile for name in first)


def test_every_public_name_in_the_readme_can_be_imported():
    import importlib

    found = re.findall(r"^from (roomtone\.\w+) import (.*)$", README.read_text(), re.MULTILINE)
    assert found
    for module, names in found:
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name)
