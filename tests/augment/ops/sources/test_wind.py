"""Wind measured back: its spectrum by a second way from line spectral frequencies, its level against its speed, its gusts, and no room."""

import numpy as np
import pytest
import scipy.signal

from roomtone.augment.condition import Condition
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.wind import WindNoise, all_pole_response
from roomtone.core.errors import RoomtoneError

# radians at 48 kHz and 4 m/s, of the published regressions evaluated by hand
LSF_AT_4 = (0.0360, 0.1302, 0.6215, 1.6218, 2.5976)


def rendered(op, seconds, rate, seed=1):
    drawn = op.draw(np.random.default_rng(seed), DrawContext(int(seconds * rate), rate))
    return drawn, drawn.render(int(seconds * rate), rate, None)


def all_pole(frequencies):
    """The textbook's polynomials by their roots: P of the odd frequencies, Q of the even ones with roots at 1 and -1."""
    p = np.poly([np.exp(s * 1j * w) for w in frequencies[0::2] for s in (1, -1)]).real
    q = np.convolve(np.poly([np.exp(s * 1j * w) for w in frequencies[1::2] for s in (1, -1)]).real, [1, 0, -1])
    return (0.5 * (p + q))[:-1]


@pytest.mark.parametrize("rate", [16000, 48000])
def test_the_spectrum_at_a_constant_speed_is_that_of_the_published_regressions(rate):
    """Within 2.5 dB in octaves from 63 Hz: the short-term gain changes faster than a filter, and the windows are 43 ms."""
    _, noise = rendered(WindNoise(speed_m_s=4.0, gust_s=0.0), 20, rate)
    frequency, density = scipy.signal.welch(noise, rate, nperseg=rate // 4)
    _, response = scipy.signal.freqz(1.0, all_pole(LSF_AT_4), worN=frequency, fs=48000)
    bands = [(frequency >= f / 2**0.5) & (frequency < f * 2**0.5) for f in (63, 125, 250, 500, 1000, 2000, 4000)]
    found, wanted = (
        np.array([10 * np.log10(x[band].sum()) for band in bands]) for x in (density, np.abs(response) ** 2)
    )
    difference = (found - wanted) - (found - wanted)[:3].mean()
    assert np.abs(difference).max() < 2.5
    assert found[0] - found[5] > 15  # a rumble


def test_the_level_follows_the_speed_by_eight_decibels_a_metre_per_second():
    op, noise = rendered(WindNoise(speed_m_s=3.5, gust_s=1.5), 30, 48000, seed=2)
    speed = op.speed_profile(30.0)[: 30 * 750].reshape(-1, 150).mean(axis=1)  # 0.2 s each
    # the filter's own gain moves with speed, too
    filters = np.array([10 * np.log10(np.mean(np.abs(all_pole_response(v, 4096)) ** 2)) for v in speed])
    level = 10 * np.log10((noise.reshape(-1, 9600) ** 2).mean(axis=1)) - filters
    slope, _ = np.polyfit(speed, level, 1)
    assert slope == pytest.approx(8.0, abs=1.5), slope
    assert np.ptp(speed) > 3.0


def test_speeds_are_weibull_of_shape_2_around_their_mean():
    """The mean of 600 independent speeds of standard deviation 0.52 is within 3 standard errors; their spread within 10 %."""
    op, _ = rendered(WindNoise(speed_m_s=2.0, gust_s=1.0), 1, 16000)
    points = op.speed_profile(600.0)[:-1].reshape(600, 750)[:, 0]
    assert points.mean() == pytest.approx(2.0, abs=0.13)
    assert points.std() == pytest.approx(2.0 * 0.5227, rel=0.1)


def test_no_room_changes_the_wind(speech):
    plain, roomy = (
        Condition(room=room, noise="wind@5dB").render(speech, 16000, key="a") for room in ("none", "office")
    )
    seeds = [WindNoise(speed_m_s=3.0, seed=7).render(16000, 16000, None) for _ in range(2)]
    np.testing.assert_array_equal(*seeds)
    assert plain.measured["measured_snr_db"] == pytest.approx(5.0, abs=0.1)
    assert roomy.measured["measured_snr_db"] == pytest.approx(5.0, abs=0.1)
    # the gusts' envelope would be smeared by 0.6 s of reverberation; unchanged, the noise is the op's own render, scaled
    again = Condition(room="office", noise="wind@5dB").recipe(speech.size, 16000, key="a").noise
    own = WindNoise(**{k: v for k, v in again.items() if k != "op"}).render(speech.size, 16000, None)
    assert np.corrcoef(own, roomy.stems.noise)[0, 1] > 0.999999


@pytest.mark.parametrize(("fields", "match"), [({"speed_m_s": 20.0}, "in km/h"), ({"gust_s": 0.05}, "0.2 or more")])
def test_speeds_outside_of_the_regressions_are_refused(fields, match):
    with pytest.raises(RoomtoneError, match=match):
        WindNoise(**fields)
