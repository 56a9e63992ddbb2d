"""Each telephone filter against published tables and the measured gains of the ITU-T G.191 filters."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from roomtone.augment.ops.channel.telephone_filter import TELEPHONE_FILTERS, TelephoneFilter

GAINS = Path(__file__).parents[5] / "shared" / "reference" / "telephone_filter_gains_db.csv"
TOLERANCE_DB = 0.5  # ITU-T P.48's own tolerance for a realisation
GainDb = Callable[..., np.ndarray]

# ITU-T P.48 and P.830 Annex D, dB, written out here a second time.
P48_HZ = [100, 125, 160, 200, 250, 300, 315, 400, 500, 600, 630, 800, 1000, 1250, 1600, 2000, 2500, 3000, 3150, 3500]
P48_SEND = [
    *(-45.8, -36.1, -25.6, -19.2, -14.3, -11.3, -10.8, -8.4, -6.9, -6.3, -6.1, -4.9, -3.7, -2.3, -0.6, 0.3, 1.8, 1.5),
    *(1.8, -7.3),
]
MODIFIED_SEND = [
    *(-31.7, -24.7, -17.2, -13.3, -10.3, -8.5, -8.3, -7.0, -6.3, -6.0, -5.9, -4.9, -3.7, -2.3, -0.5, 0.1, 1.3, 2.0),
    *(2.1, -0.3),
]
P48_RECEIVE = [
    *(-27.2, -18.8, -10.8, -2.7, 2.7, 6.4, 7.2, 9.9, 11.3, 11.8, 11.9, 12.3, 12.6, 12.5, 13.0, 13.1, 13.1, 12.5),
    *(12.6, 3.9),
]
MODIFIED_RECEIVE = [
    *(-13.4, -7.4, -2.4, 3.2, 6.7, 9.2, 9.7, 11.3, 11.9, 12.1, 12.1, 12.3, 12.6, 12.5, 13.1, 12.9, 12.6, 13.0),
    *(12.9, 10.9),
]


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("irs_send", P48_SEND),
        ("modified_irs_send", MODIFIED_SEND),
        ("irs_receive", [db - 12.6 for db in P48_RECEIVE]),
        ("modified_irs_receive", [db - 12.6 for db in MODIFIED_RECEIVE]),
    ],
)
def test_irs_follows_the_published_table_at_any_rate(
    name: str, table: list[float], sample_rate_hz: int, gain_db: GainDb
) -> None:
    measured = gain_db(TelephoneFilter(name).fir(sample_rate_hz), sample_rate_hz, np.array(P48_HZ))
    wanted = np.array(table)
    assert np.abs(measured - wanted)[wanted > -20].max() < TOLERANCE_DB
    assert (measured[wanted < -30] < -15).all()


def _columns() -> list[str]:
    if not GAINS.is_file():
        return []
    with GAINS.open() as file:
        return [name for name in next(csv.reader(file)) if name != "frequency_hz"]


@pytest.mark.skipif(not GAINS.is_file(), reason="the table of measured gains is not at hand")
def test_the_table_of_measured_gains_is_not_empty() -> None:
    assert len(_columns()) >= 8


@pytest.mark.parametrize("column", _columns())
def test_each_filter_matches_the_measured_gains_at_its_native_rate(column: str, gain_db: GainDb) -> None:
    name, rate = column.rsplit("_", 1)
    sample_rate_hz = int(rate.removesuffix("k")) * 1000
    with GAINS.open() as file:
        rows = [(float(row["frequency_hz"]), float(row[column])) for row in csv.DictReader(file) if row[column]]
    frequency_hz, wanted = np.array(rows).T
    measured = gain_db(TelephoneFilter(name).fir(sample_rate_hz), sample_rate_hz, frequency_hz)
    assert np.abs(measured - wanted)[wanted > -20].max() < TOLERANCE_DB
    assert (measured[wanted < -30] < -15).all()


@pytest.mark.parametrize("sample_rate_hz", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("name", sorted(TELEPHONE_FILTERS))
def test_taps_are_odd_symmetric_and_the_delay_is_gone(name: str, sample_rate_hz: int) -> None:
    op = TelephoneFilter(name)
    fir = op.fir(sample_rate_hz)
    assert fir.size % 2 == 1
    np.testing.assert_allclose(fir, fir[::-1], rtol=0, atol=1e-12)
    impulse = np.zeros(sample_rate_hz, dtype=np.float32)
    impulse[sample_rate_hz // 2] = 1.0
    response = op.apply(impulse, sample_rate_hz)
    assert response.shape == impulse.shape
    assert response.dtype == np.float32
    assert int(np.argmax(np.abs(response))) == sample_rate_hz // 2


def test_sound_below_the_telephone_band_is_gone_and_the_band_itself_is_there(gain_db: GainDb) -> None:
    fir = TelephoneFilter("irs_send").fir(16000)
    assert (gain_db(fir, 16000, np.array([0.0, 10.0, 50.0, 5000.0, 7999.0])) < -45).all()
    assert abs(gain_db(fir, 16000, np.array([1000.0]))[0] + 3.7) < 0.1
