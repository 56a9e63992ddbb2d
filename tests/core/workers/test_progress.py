"""The time left is told from what was finished lately, and not at all from the first item, which loads a model."""

from __future__ import annotations

import pytest

from roomtone.core.workers import progress
from roomtone.core.workers.progress import Progress


def test_the_first_item_is_in_no_estimate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The first of 72 recordings took 35 s with the loading of Whisper: "about 36 min left" was told of a run of 6 min."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_silent", False)  # as a command before it in this process may have left it
    with Progress(72, "transcribing") as shown:
        for seconds in [35.0, *[5.0] * 71]:
            now[0] += seconds
            shown.add(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "transcribing: 1 of 72 samples"
    assert not any("left" in line for line in lines[:3])
    left = [line.split("about ")[1] for line in lines if "left" in line]
    assert left[0] == "5 min 25 s left"  # 65 of 5 s each
    assert lines[-1] == "transcribing: 72 of 72 samples, in 6 min 30 s"
