"""What is said of the SNR behind a handset, by the powers of its parts alone; what the powers are is measured in test_file_level."""

from __future__ import annotations

import math
import re

import pytest

from roomtone.augment.rendering.separation import HIGHEST_BACKGROUND_SHARE, HIGHEST_SPEECH_SHARE, Separation


@pytest.mark.parametrize("share", [0.0, 0.05, 0.199, 0.201, 0.25, 0.3, 0.399, 0.401, 0.9, 2.0])
@pytest.mark.parametrize("background", [0.1, 1.0, 10.0])
def test_no_snr_is_told_whose_speech_level_cannot_be(share: float, background: float) -> None:
    """The story: between -7 and -4 dB of the speech the level was null and the SNR, of the same level, was not."""
    parts = Separation(1.0, background, share)
    snr_db, reason = parts.snr_db(0.0)
    if parts.level_reason() is not None:
        assert (snr_db, reason) == (None, parts.level_reason())
    assert (
        (snr_db is None)
        == (reason is not None)
        == (share > min(HIGHEST_SPEECH_SHARE, HIGHEST_BACKGROUND_SHARE * background))
    )


def test_the_snr_is_that_of_the_parts() -> None:
    """Speech 1 and background 0.1, each measured with the handset's own 0.02 on top: 10 dB."""
    snr_db, reason = Separation(1.02, 0.12, 0.02).snr_db(10.0 * math.log10(1.02))
    assert reason is None
    assert snr_db == pytest.approx(10.0, abs=1e-9)


@pytest.mark.parametrize("excess", [1e-6, 1e-4, 1e-2, 0.05, 1.0, 100.0])
def test_what_lies_beyond_a_limit_is_not_printed_as_the_limit(excess: float) -> None:
    """The story: "lie 4.0 dB below the background behind it (limit: 4 dB below)"."""
    for parts in (
        Separation(100.0, 1.0, HIGHEST_BACKGROUND_SHARE * (1.0 + excess)),
        Separation(1.0, 100.0, HIGHEST_SPEECH_SHARE * (1.0 + excess)),
    ):
        reason = parts.snr_db(0.0)[1]
        assert reason is not None
        said = re.search(r"lies? ([\d.]+) dB (above|below) the \w+ behind it \(limit: ([\d.]+) dB below\)", reason)
        assert said is not None, reason
        level_db = float(said[1]) if said[2] == "above" else -float(said[1])
        assert level_db > -float(said[3])
