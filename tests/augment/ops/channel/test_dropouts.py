"""Dropouts: as much is missing as was asked, in as many stretches, apart from each other, and nothing else is changed."""

from __future__ import annotations

import numpy as np
import pytest

from roomtone.augment.ops.channel.dropouts import Dropouts
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.core.errors import RoomtoneError


@pytest.mark.parametrize(("share", "stretches"), [(0.1, 2), (0.3, 4), (0.9, 7)])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_as_much_is_missing_as_was_asked(share: float, stretches: int, rate: int) -> None:
    ones = np.ones(3 * rate + 7, np.float32)
    firsts = []
    for seed in range(20):
        op = Dropouts(share, stretches).draw(np.random.default_rng(seed), DrawContext(ones.size, rate))
        heard, report = op.apply_measured(ones, rate)
        silent = np.flatnonzero(np.diff(np.concatenate([[0], heard == 0, [0]])))
        assert silent.size == 2 * stretches  # separate, of one length
        lengths = silent[1::2] - silent[::2]
        assert np.ptp(lengths) == 0
        assert lengths.sum() / ones.size == pytest.approx(share, abs=stretches / ones.size)
        assert report["lost_share"] == lengths.sum() / ones.size
        faded = np.count_nonzero((heard > 0) & (heard < 1))
        assert faded == 2 * stretches * round(0.005 * rate)
        assert np.count_nonzero(heard == 1) == ones.size - lengths.sum() - faded
        firsts.append(silent[0] / ones.size)
    assert np.ptp(firsts) > 0.02  # anywhere


def test_short_files_and_wrong_shares() -> None:
    for size in (0, 1, 5, 40):
        op = Dropouts(0.3, 4).draw(np.random.default_rng(0), DrawContext(size, 16000))
        assert op.apply(np.ones(size, np.float32), 16000).shape == (size,)
    with pytest.raises(RoomtoneError, match="in per cent"):
        Dropouts(30.0)
    with pytest.raises(RoomtoneError, match="not drawn"):
        Dropouts(0.3).apply(np.ones(9, np.float32), 16000)
