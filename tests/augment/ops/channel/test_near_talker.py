"""A close voice in a directional microphone: the gain of two pressures a millimetre apart, on the voice alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from roomtone.augment.condition import Condition
from roomtone.augment.ops.channel.near_talker import NearTalker
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op
from roomtone.core.errors import RoomtoneError

RATE = 16000


def gain_of(fir: np.ndarray, hertz: float) -> float:
    return float(np.abs(np.exp(-2j * np.pi * hertz / RATE * np.arange(fir.size)) @ fir))


@pytest.mark.parametrize("distance_m", [0.02, 0.05, 0.5])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.75])
def test_bass_is_that_of_a_point_source(distance_m: float, share: float) -> None:
    """Pressure exp(-jkr) / r at two places 0.1 mm apart, against the same in a plane wave; 0.2 dB is the filter's length."""
    op = NearTalker(distance_m, share)
    for hertz in (80.0, 150.0, 400.0, 1000.0, 4000.0):
        k = 2 * np.pi * hertz / 343.0
        apart = 1e-4
        spherical = lambda r: np.exp(-1j * k * r) / r * distance_m  # noqa: E731, B023
        plane = lambda r: np.exp(-1j * k * (r - distance_m))  # noqa: E731, B023
        heard = []
        for wave in (spherical, plane):
            difference = (wave(distance_m + apart / 2) - wave(distance_m - apart / 2)) / (-1j * k * apart)
            heard.append(abs(share * wave(distance_m) + (1 - share) * difference))
        found_db = 20 * np.log10(gain_of(op.talker_fir(RATE), hertz))
        assert found_db == pytest.approx(20 * np.log10(heard[0] / heard[1]), abs=0.2)


def test_only_the_voice_has_it_and_the_snr_holds(tmp_path) -> None:
    """The stage alone as a handset: noise and its draws are those without it, the voice's bass is 14 dB up, and 5 dB are 5 dB."""
    speech = np.random.default_rng(3).standard_normal(2 * RATE).astype(np.float32)
    speech *= np.repeat(np.random.default_rng(5).random(20) > 0.3, RATE // 10)
    made = []
    for share in (0.5, 1.0):
        (tmp_path / f"{share}" / "handset").mkdir(parents=True)
        preset = {"description": "d", "source": "s", "op": "near_talker", "talker_distance_m": 0.05}
        text = json.dumps(preset | {"pressure_share": share})
        (tmp_path / f"{share}" / "handset" / "close.yaml").write_text(text)
        made.append(Condition("pink@5dB+close", config_dir=tmp_path / f"{share}").render(speech, RATE, key="a"))
    near, omni = made
    shape = near.stems.noise / np.abs(near.stems.noise).max(), omni.stems.noise / np.abs(omni.stems.noise).max()
    np.testing.assert_allclose(*shape, atol=1e-5)
    spectra = [np.abs(np.fft.rfft(made.stems.speech.astype(float))) ** 2 for made in (near, omni)]
    hertz = np.fft.rfftfreq(speech.size, 1 / RATE)
    bass, treble = (hertz > 95) & (hertz < 105), (hertz > 3000) & (hertz < 7000)
    rise_db = 10 * np.log10(
        spectra[0][bass].sum() / spectra[1][bass].sum() * spectra[1][treble].sum() / spectra[0][treble].sum()
    )
    assert rise_db == pytest.approx(10 * np.log10(1 + (0.5 * 343 / (2 * np.pi * 100 * 0.05)) ** 2), abs=0.3)
    assert near.measured["measured_snr_db"] == pytest.approx(5.0, abs=0.1)
    assert near.measured["delay_samples"] == 0


def test_keys_are_checked_and_a_chain_passes_it_on() -> None:
    with pytest.raises(RoomtoneError, match=r"talker_distance_m must be 0.005 to 2 \(metres\), got 3"):
        NearTalker(3.0)
    with pytest.raises(RoomtoneError, match="pressure_share must be a share from 0 to 1"):
        NearTalker(0.03, 1.5)
    stages = [{"op": "level", "gain_db": 3.0}, {"op": "near_talker", "talker_distance_m": [0.02, 0.05]}]
    chain = parse_op({"op": "chain", "stages": stages}, Processor, where="test")
    drawn = chain.draw(np.random.default_rng(1), DrawContext(RATE, RATE))
    assert gain_of(drawn.talker_fir(RATE), 100.0) > 5.0
    assert drawn.fir is not None
    assert parse_op({"op": "chain", "stages": stages[:1]}, Processor, where="test").talker_fir(RATE) is None
