"""The bounds of a sampling rate, and that they hold at the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roomtone.augment import generate
from roomtone.core.audio.rates import check_rendered_rate, is_recorded_rate
from roomtone.core.errors import RoomtoneError


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 96000])
def test_rates_of_sets(rate: int) -> None:
    assert check_rendered_rate(rate) == rate
    assert is_recorded_rate(rate)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (16, r"sample_rate_hz: expected 8000 to 96000 Hz, got 16 \(in kHz\?\)"),
        (4000, "expected 8000 to 96000 Hz, got 4000$"),
        (192000, "got 192000$"),
        ("16k", "expected a whole number of Hz, got '16k'"),
        (True, "got True"),
        (16000.0, "got 16000.0"),
    ],
)
def test_other_rates_are_refused(value: object, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        check_rendered_rate(value)


def test_a_rate_that_rooms_cannot_have_writes_nothing(tmp_path: Path, composed: Any) -> None:
    """4000 Hz passed the door, wrote `dataset.json`, and died in the room bank."""
    cfg = composed("sample_rate_hz=4000", f"output.dir={tmp_path / 'set'}")
    with pytest.raises(RoomtoneError, match="sample_rate_hz: expected a whole number from 8000 to 96000, got 4000"):
        generate(cfg)
    assert not (tmp_path / "set").exists()
