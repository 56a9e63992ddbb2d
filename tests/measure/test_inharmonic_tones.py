"""Short pulses of a few tones at once that share no fundamental."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from roomtone.measure.detection.machines import measure_equipment
from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.pulses.inharmonic_tones import PulseNeighbours, fit_inharmonic_gate, is_inharmonic, tones_of_gate
from roomtone.measure.pulses.timing import are_harmonics, time_pulses
from roomtone.measure.spectra.spectrogram import Partial

RATE = 16000
DIGITS = ((770.0, 1336.0), (770.0, 1336.0), (941.0, 1336.0), (697.0, 1209.0), (697.0, 1477.0))


def test_each_digit_has_its_own_two_tones_and_its_length(ward):
    """In a room, 80 ms of two tones were read 5 to 7 Hz off, digits with one tone in common got the tones of the loudest, and some were one."""
    machine = {
        "op": "periodic_tone", "fundamental_hz": 1.0, "harmonics": [[1.0, 0.0]], "period_s": 3.1, "rise_s": 0.002, "fall_s": 0.002,
        "pulses": [[0.16 * k, 0.08, hz, 0.0] for k, pair in enumerate(DIGITS) for hz in pair],
    }  # fmt: skip
    _, recording = ward(machine)
    (found,) = measure_equipment(recording, RATE).machines
    pulses = found.cycle.pulses
    assert len(pulses) == len(DIGITS)
    for pulse, pair in zip(pulses, DIGITS):
        strong = sorted(p.hz for p in pulse.partials[:2])
        assert strong == pytest.approx(pair, rel=0.005)
        assert pulse.length_s == pytest.approx(0.078, abs=0.01)
    onsets = [pulse.onset_s - pulses[0].onset_s for pulse in pulses]
    assert onsets == pytest.approx(0.16 * np.arange(len(DIGITS)), abs=0.03)


def heard(response, rows, *, period_s=2.0, seconds=8, noise=1e-3, seed=0):
    """Return tones `(onset, length, Hz, amplitude or none for 1)` of a cycle heard in noise through a room of 0.4 s, and the starts of its cycles."""
    time = np.arange(seconds * RATE) / RATE
    since = time % period_s
    dry = sum(
        (size[0] if size else 1.0) * np.sin(2 * np.pi * hz * time) * ((since > on) & (since < on + length))
        for on, length, hz, *size in rows
    )
    wet = fftconvolve(dry, response(0.4, seed=seed))[: time.size]
    return Basebands(wet + noise * np.random.default_rng(seed).standard_normal(time.size), RATE), period_s * np.arange(
        4
    )


def test_gate_and_frequencies_are_told_together(response):
    bands, starts = heard(response, [(0.5, 0.08, 770.0), (0.5, 0.08, 1336.0)])
    rough = [Partial(1341.0, 1.0, 30.0), Partial(763.0, 0.5, 30.0)]
    (onset, length), told = fit_inharmonic_gate(bands, starts, (0.53, 0.14), rough, PulseNeighbours(1.3, 0.08, 1.9))
    assert (onset, length) == (pytest.approx(0.5, abs=0.012), pytest.approx(0.08, abs=0.012))
    assert [p.hz for p in told] == pytest.approx([1336.0, 770.0], abs=2.0)


def test_a_tone_that_the_next_pulse_has_too_is_one_tone(response):
    """A span that reached into the next digit had 697 Hz as two lines 12 Hz apart; filters so narrow rang for 40 ms, and three gates were found."""
    rows = [(0.5, 0.08, 697.0), (0.5, 0.08, 1336.0), (0.66, 0.08, 697.0), (0.66, 0.08, 1477.0)]
    bands, starts = heard(response, rows)
    rough = [Partial(hz, p, 30.0) for hz, p in ((690.0, 1.0), (702.6, 0.95), (1340.5, 0.7), (1406.4, 0.011))]
    around = PulseNeighbours(1.2, 0.08, 0.22)
    gate, told = fit_inharmonic_gate(bands, starts, (0.48, 0.25), rough, around)
    assert gate == (pytest.approx(0.5, abs=0.02), pytest.approx(0.08, abs=0.02))
    assert sorted(p.hz for p in told) == pytest.approx([697.0, 1336.0], abs=3.0)
    timed = time_pulses(bands, told, starts, [gate], 1.2, 0.66 - gate[0], apart=True)
    assert timed.onsets_s == pytest.approx([0.5], abs=0.02)
    assert timed.lengths_s == pytest.approx([0.08], abs=0.01)


@pytest.mark.parametrize("seed", [5, 14, 22])
def test_a_gate_that_was_told_is_left_for_a_likelier_one_only(response, seed):
    """In noise the search of one end after the other left it for gates of 22 to 40 ms and tones 11 to 14 Hz off, which are less likely."""
    rows = [(0.34, 0.08, 941.0, 0.8), (0.34, 0.08, 1336.0), (0.5, 0.08, 697.0, 0.3), (0.5, 0.08, 1209.0)]
    rows += [(0.66, 0.08, 697.0, 0.3), (0.66, 0.08, 1336.0)]
    bands, starts = heard(response, rows, noise=0.3, seed=seed)
    told = [Partial(1209.0, 1.0, 30.0), Partial(697.0, 0.09, 30.0)]
    timed = time_pulses(bands, told, starts, [(0.5, 0.08)], 0.08, 0.16, apart=True)
    assert (timed.onsets_s, timed.lengths_s) == (pytest.approx([0.5], abs=0.01), pytest.approx([0.08], abs=0.01))
    assert [p.hz for p in timed.partials] == pytest.approx([1209.0, 697.0], abs=2.0)


def test_a_knock_is_no_chord_that_was_held(response):
    """Its modes share no fundamental either, but it dies away, and so short a pulse tells little of each by itself."""
    time = np.arange(8 * RATE) / RATE
    since = time % 2.0 - 0.5
    dry = (
        sum(np.sin(2 * np.pi * hz * since) for hz in (330.0, 604.0))
        * np.exp(-np.maximum(since, 0.0) / 0.02)
        * (since > 0)
    )
    wet = fftconvolve(dry, response(0.4))[: time.size]
    bands = Basebands(wet + 1e-3 * np.random.default_rng(0).standard_normal(time.size), RATE)
    rough = [Partial(330.0, 1.0, 30.0), Partial(604.0, 0.8, 30.0)]
    assert is_inharmonic(rough)
    assert fit_inharmonic_gate(bands, 2.0 * np.arange(4), (0.51, 0.13), rough, PulseNeighbours(1.3, 0.13, 1.9)) is None


def test_what_only_rings_on_is_no_tone_of_the_next_pulse(response):
    tones = [(0.5, 0.08, 770.0), (0.5, 0.08, 1336.0), (0.66, 0.08, 941.0), (0.66, 0.08, 1477.0)]
    bands, starts = heard(response, tones)
    rough = [Partial(hz, 1.0, 30.0) for hz in (941.0, 1477.0, 1336.0, 770.0)]
    _, told = tones_of_gate(bands, starts, (0.66, 0.08), rough, PulseNeighbours(0.08, 0.08, 1.8))
    assert [p.hz for p in told] == pytest.approx([941.0, 1477.0], abs=2.0)


def test_two_tones_of_a_telephone_are_no_harmonics():
    """They were taken for such, and moved together: 770 Hz drawn up by 7 Hz moved 1336 Hz by 12."""
    pair = [Partial(1336.0, 1.0, 30.0), Partial(770.0, 0.6, 30.0)]
    assert is_inharmonic(pair)
    assert not are_harmonics(pair)
    octave = [Partial(440.0, 1.0, 30.0), Partial(880.0, 0.6, 30.0)]
    assert are_harmonics(octave)
    assert not is_inharmonic(octave)
    assert not is_inharmonic(pair[:1])
    assert not is_inharmonic([])
