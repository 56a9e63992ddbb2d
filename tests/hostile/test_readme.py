"""The README beside this file counts the attacks by kind, and is right."""

import re
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class _Counted:
    """A plugin of a second run, which collects in this process and runs nothing."""

    def pytest_collection_finish(self, session):
        self.counts = Counter(item.path.name for item in session.items)


def test_the_readme_counts_the_attacks():
    stated = dict(re.findall(r"`(test_\w+\.py)` \| (\d+)", (HERE / "README.md").read_text(encoding="utf-8")))
    others = [str(path) for path in sorted(HERE.glob("test_*.py")) if path.name != Path(__file__).name]
    plugin = _Counted()
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest"]
    assert pytest.main(["--collect-only", *quiet, f"--rootdir={HERE.parents[1]}", *others], plugins=[plugin]) == 0
    assert {name: int(count) for name, count in stated.items()} == plugin.counts
