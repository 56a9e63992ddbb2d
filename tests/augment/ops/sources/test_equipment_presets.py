"""Every machine, measured back: pitch, repetition, partials, aliases, alarm timings, and that it is there at all.

Tones are measured without their broadband part, which would hide weak partials; it has a test of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Source, parse_op, to_dict

RATES = (16000, 48000)
BAND_LIMIT = 0.45


def no_fetch(*_: object) -> np.ndarray:
    raise AssertionError("a synthetic machine reads no recording")


def steady_stretches(op: Any, seconds: float) -> list[tuple[float, float, list[tuple[float, float, float]]]]:
    """Return (begin, end, lines) of stretches in which the set of pulses is constant and no edge falls.

    A line is (lowest Hz, highest Hz, level dB) of one partial, by the preset's numbers alone.
    """
    if not op.pulses:
        return [(0.0, seconds, [(r * op.fundamental_hz, r * op.fundamental_hz, db) for r, db in op.harmonics])]
    rows = [tuple(row) + (0.0, 0.0, 1.0, 0.0, 1.0)[len(row) :] for row in op.pulses]
    rows = [(o * op.stretch, length * op.stretch, *rest) for o, length, *rest in rows]
    burst = 0 if not op.period_s else max(0, int(np.ceil(-op.start_s / op.period_s)))
    begin = op.start_s + burst * op.period_s
    found = []
    for onset, length, *_ in rows:
        low, high = onset + op.rise_s, onset + length - op.fall_s
        together = [row for row in rows if row[0] < high and row[0] + row[1] > low]
        if any((r[0], r[1]) != (onset, length) for r in together):
            continue  # a pulse begins or ends meanwhile
        lines = [
            (r * op.fundamental_hz * row[2], r * op.fundamental_hz * row[2] * row[4], row[3] + db)
            for row in together
            for r, db in op.harmonics
        ]
        found.append((begin + low, begin + high, lines))
    return [stretch for stretch in found if stretch[1] < seconds]


def shown(line: tuple[float, float, float], rate: int, op: Any) -> bool:
    """Return whether the preset's line is below the band limit: above it, leaving it out is the rule."""
    return max(line[:2]) * (1 + op.drift) <= BAND_LIMIT * rate - (op.am_hz if op.am_depth else 0.0)


def tone_alone(tones: Any, drawn: Any, name: str, rate: int, seconds: float, **changes: Any) -> tuple[Any, np.ndarray]:
    op = drawn(tones[name], seconds, rate, seed=11, noise_db=None, jitter_s=0.0, **changes)
    return op, op.render(round(seconds * rate), rate, no_fetch)


@pytest.mark.parametrize("rate", RATES)
def test_steady_tones_have_the_presets_pitch_and_partials_and_nothing_else(
    tones, drawn, power_spectrum, steady_name, rate
):
    """Pitch within 0.1 %, partials within 0.5 dB of each other's stated levels, all else 60 dB down (aliases)."""
    seconds = 10.0
    op, samples = tone_alone(tones, drawn, steady_name, rate, seconds)
    stretches = steady_stretches(op, seconds)
    assert stretches
    for begin, end, lines in stretches[:8]:
        part = samples[int(np.ceil(begin * rate)) + 1 : int(end * rate) - 1]
        frequency, power = power_spectrum(part, rate)
        spread = 4.5 * rate / part.size + (op.am_hz if op.am_depth else 0.0)  # half a main lobe, and sidebands
        lines = [line for line in lines if shown(line, rate, op)]
        named = np.zeros(frequency.size, dtype=bool)
        measured = []
        for low, high, _ in lines:
            low, high = sorted((low, high))
            near = (frequency > low * (1 - op.drift) - spread) & (frequency < high * (1 + op.drift) + spread)
            assert not named[near].any() or low != high, "two lines too close to be told apart"
            named |= near
            measured.append((power[near].sum(), (power[near] * frequency[near]).sum() / power[near].sum(), low == high))
        levels = 10 * np.log10([m[0] for m in measured])
        stated = np.array([line[2] for line in lines])
        if all(m[2] for m in measured):  # the partials of a glide overlap: its pitch has its own test
            assert np.abs((levels - levels[np.argmax(stated)]) - (stated - stated.max())).max() < 0.5
            for (_, centre, _), (low, _, _) in zip(measured, lines):
                assert centre == pytest.approx(low, rel=1e-3)
        assert 10 * np.log10(power[~named].max() / power[named].max()) < -60


@pytest.mark.parametrize("name", ["evacuation_whoop", "xray_rotor", "mri_cold_head"])
@pytest.mark.parametrize("rate", RATES)
def test_a_glide_starts_and_ends_on_its_pitches(tones, drawn, name, rate):
    """Measured on the analytic signal of the fundamental: a straight line in Hz from one stated pitch to the other."""
    from scipy.signal import hilbert

    # edges as short as they may be, so that the whole glide can be seen
    op, samples = tone_alone(
        tones, drawn, name, rate, 12.0, harmonics=((1.0, 0.0),), rise_s=0.0005, fall_s=0.0005, start_s=0.5
    )
    onset, length, pitch, _, glide = (*op.pulses[0], 0.0, 1.0)[:5]
    begin, end = 0.5 + onset, 0.5 + onset + length
    if name == "xray_rotor":
        end -= 0.05  # the next pulse begins before this one ends
    part = samples[int(begin * rate) : int(end * rate)]
    phase = np.unwrap(np.angle(hilbert(part.astype(np.float64)))) / (2 * np.pi)
    time = np.arange(part.size) / rate + int(begin * rate) / rate - (0.5 + onset)
    inner = slice(part.size // 10, -part.size // 10)
    curve = np.polynomial.Polynomial.fit(time[inner], phase[inner], 2).deriv()
    assert curve(0.0) == pytest.approx(op.fundamental_hz * pitch, rel=5e-3)
    assert curve(length) == pytest.approx(op.fundamental_hz * pitch * glide, rel=5e-3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", ["infusion_pump", "mri_spin_echo"])
def test_knocks_ring_at_their_modes_and_die_away(tones, drawn, name, rate):
    """A least-squares fit of damped sines with the preset's numbers: levels within 0.5 dB, pitch within 0.1 %, no rest."""
    op, samples = tone_alone(tones, drawn, name, rate, 4.0, start_s=0.3)
    assert op.decay_s > 0
    onset, length = op.pulses[0][:2]
    begin, end = 0.3 + onset + op.rise_s, 0.3 + onset + length - op.fall_s
    index = np.arange(int(np.ceil(begin * rate)), int(end * rate))
    time = index / rate - 0.3 - onset
    heard = samples[index].astype(np.float64)

    def fit(scale: float) -> tuple[np.ndarray, float]:
        decay = np.exp(-time / op.decay_s)
        angle = [2 * np.pi * ratio * op.fundamental_hz * scale * time for ratio, _ in op.harmonics]
        basis = np.stack([decay * f(a) for a in angle for f in (np.cos, np.sin)], axis=1)
        weights = np.linalg.lstsq(basis, heard, rcond=None)[0]
        rest = heard - basis @ weights
        return np.hypot(weights[::2], weights[1::2]), float((rest**2).sum() / (heard**2).sum())

    scales = 1 + np.linspace(-0.005, 0.005, 101)
    best = scales[int(np.argmin([fit(scale)[1] for scale in scales]))]
    assert best == pytest.approx(1.0, abs=1e-3)
    amplitudes, rest = fit(1.0)
    levels = 20 * np.log10(amplitudes / amplitudes[0])
    np.testing.assert_allclose(levels, [db - op.harmonics[0][1] for _, db in op.harmonics], atol=0.5)
    assert rest < 1e-6  # nothing that the preset does not name, 60 dB down


@pytest.mark.parametrize("rate", RATES)
def test_repetition_is_that_of_the_preset(tones, drawn, pulsed_name, rate):
    """Onsets, where sound follows silence, lie within 1 ms of the pattern; each pulse's end as well."""
    seconds = 20.0
    op, samples = tone_alone(tones, drawn, pulsed_name, rate, seconds)
    rows = sorted({(row[0] * op.stretch, row[1] * op.stretch) for row in op.pulses})
    groups: list[list[float]] = []  # pulses that touch or overlap have no silence between
    for onset, length in rows:
        if groups and onset <= groups[-1][1]:
            groups[-1][1] = max(groups[-1][1], onset + length)
        else:
            groups.append([onset, onset + length])
    bursts = np.arange(-int(20 / op.period_s) - 2, int(20 / op.period_s) + 2) if op.period_s else np.zeros(1)
    expected = np.array([[op.start_s + n * op.period_s + t for t in group] for n in bursts for group in groups])
    expected = expected[(expected[:, 0] > 0.01) & (expected[:, 1] < seconds - 0.01)]
    loud = np.flatnonzero(np.abs(samples) > 1e-5 * np.abs(samples).max())
    gaps = np.flatnonzero(
        np.diff(loud) > 0.006 * rate
    )  # longer than any zero crossing of these pitches at low amplitude
    starts, ends = loud[np.append(0, gaps + 1)] / rate, loud[np.append(gaps, loud.size - 1)] / rate
    assert expected.size
    # a fade is quadratic at its foot: 1e-5 of full height is passed 0.2 % of the fade later
    for begin, end in expected:
        assert np.abs(starts - begin).min() < 1e-3
        assert np.abs(ends - end).min() < 1e-3
    inside = (starts > 0.02) & (starts < seconds - 0.02 - max(g[1] - g[0] for g in groups))
    assert all(np.abs(expected[:, 0] - start).min() < 1e-3 for start in starts[inside]), (
        "sound that the preset does not name"
    )


IEC = {  # IEC 60601-1-8: pulse, spacing, interburst [s]; as read second-hand, see the presets
    "alarm_high": ((0.075, 0.200), (0.050, 0.125), (2.5, 15.0), 10),
    "alarm_high_oxygen": ((0.075, 0.200), (0.050, 0.125), (2.5, 15.0), 10),
    "alarm_medium": ((0.125, 0.250), (0.125, 0.250), (2.5, 30.0), 3),
    "alarm_low": ((0.125, 0.250), (0.125, 0.250), (15.0, np.inf), 2),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", sorted(IEC))
def test_alarm_timings_are_inside_the_iec_ranges(tones, drawn, name, seed):
    """Measured on the envelope at 90 % (durations, spacings) and 10 to 90 % (rise), over two bursts."""
    from scipy.signal import hilbert

    rate, seconds = 16000, 70.0
    duration, spacing, interburst, count = IEC[name]
    op = drawn(tones[name], seconds, rate, seed, harmonics=((1.0, 0.0),), start_s=0.5)
    samples = op.render(int(seconds * rate), rate, no_fetch).astype(np.float64)
    envelope = np.abs(hilbert(np.append(samples, np.zeros(rate))))[: samples.size]  # the transform is circular
    envelope /= np.sort(envelope)[-rate // 4]
    high, low = envelope > 0.9, envelope > 0.1
    rises, falls = (np.flatnonzero(np.diff(high.astype(int)) == step) / rate for step in (1, -1))
    feet = np.flatnonzero(np.diff(low.astype(int)) == 1) / rate
    rises, falls, feet = rises[: 2 * count], falls[: 2 * count], feet[: 2 * count]
    assert rises.size == falls.size == feet.size == 2 * count
    lengths, gaps = falls - rises, rises[1:] - falls[:-1]
    assert duration[0] <= lengths.min()
    assert lengths.max() <= duration[1]
    assert interburst[0] <= gaps[count - 1] <= interburst[1]
    # 10 to 20 % of the pulse satisfies both readings of the standard (10-20 %, 10-40 %)
    assert ((rises - feet) / lengths).min() > 0.10
    assert ((rises - feet) / lengths).max() < 0.20
    within = np.delete(gaps, count - 1)
    if count == 10:
        within = within.reshape(2, 9)
        assert ((within[:, 4] >= 0.35) & (within[:, 4] <= 1.3)).all()  # 5th to 6th pulse
        x, td = within[0, 0], lengths[0]
        np.testing.assert_allclose(within[:, [2, 7]], 2 * x + td, atol=0.005)  # 3rd to 4th and 8th to 9th
        within = np.delete(within, [2, 4, 7], axis=1)
    assert spacing[0] <= within.min()
    assert within.max() <= spacing[1]


@pytest.mark.parametrize("name", sorted(IEC))
def test_alarm_spectra_are_inside_the_iec_ranges(tones, name):
    op = tones[name]
    for row in op.pulses:
        f0 = op.fundamental_hz * (row[2] if len(row) > 2 else 1.0)
        assert 150 <= f0 <= 1000
        inside = [db for ratio, db in op.harmonics if 300 <= ratio * f0 <= 4000 and abs(db - op.harmonics[0][1]) <= 15]
        assert len(inside) >= 4


@pytest.mark.parametrize("rate", RATES)
def test_broadband_parts_keep_their_level_and_band(tones, drawn, noisy_name, rate):
    """The noise alone against the tones alone: the stated level, within the stated band."""
    preset = tones[noisy_name]
    seconds = 40.0  # enough noise for 0.3 dB
    both = drawn(preset, seconds, rate, decay_s=0.0, am_depth=0.0)
    size = int(seconds * rate)
    mask = both.sounding(size, rate)
    noise = both.render(size, rate, no_fetch).astype(np.float64)
    tones_alone = np.zeros(size)
    if preset.harmonics:
        quiet = drawn(preset, seconds, rate, decay_s=0.0, am_depth=0.0, noise_db=None)
        tones_alone = quiet.render(size, rate, no_fetch).astype(np.float64)
    noise -= tones_alone
    frequency = np.fft.rfftfreq(size, 1 / rate)
    power = np.abs(np.fft.rfft(noise)) ** 2
    low, high = preset.noise_band_hz
    inside = (frequency > low - 60) & (frequency < high + 60)  # gating by pulses widens the edges
    assert power[~inside].sum() < 0.02 * power.sum()
    kept = [shown((r * both.fundamental_hz, r * both.fundamental_hz, db), rate, both) for r, db in preset.harmonics]
    if preset.harmonics and all(kept) and both.noise_band_hz[1] < 0.5 * rate:
        level = 20 * np.log10(noise[mask].std() / tones_alone[mask].std())
        assert level == pytest.approx(preset.noise_db, abs=0.5 if preset.pulses else 0.3)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_the_mask_is_where_the_sound_is(drawn, load_preset, equipment_name, rate):
    for seed in range(3):
        op = drawn(load_preset("equipment", equipment_name), 5.0, rate, seed)
        samples, mask = op.render(5 * rate, rate, no_fetch), op.sounding(5 * rate, rate)
        assert mask.dtype == bool
        assert mask.any()
        assert not samples[~mask].any()
        # inside, no more than a few ms around the feet of the fades are inaudible
        edges = np.flatnonzero(np.diff(mask.astype(int)))
        loud = np.abs(samples) > 1e-5 * np.abs(samples).max()
        for edge in edges:
            assert loud[max(0, edge - rate // 100) : edge + rate // 100].any()


@pytest.mark.parametrize("seconds", [0.3, 0.7, 1.5, 3.0, 10.0])
def test_the_machine_sounds_in_every_file(drawn, load_preset, equipment_name, seconds):
    """Or a short utterance would bear the label of a machine that nobody hears in it."""
    rate = 16000
    size = int(seconds * rate)
    for seed in range(25):
        op = drawn(load_preset("equipment", equipment_name), seconds, rate, seed)
        mask = op.sounding(size, rate)
        assert mask.any()
        if seed < 2:
            samples = op.render(size, rate, no_fetch)
            assert 20 * np.log10(samples[mask].std()) > -60
        if not hasattr(op, "pulses") or not op.pulses:
            continue
        lengths = [row[1] * op.stretch for row in op.pulses]
        if min(lengths) > seconds:
            assert mask.all(), "a file shorter than every pulse lies inside one"
        else:
            runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]]))))[::2]
            assert runs.max() >= (min(lengths) - 2 / rate) * rate, "no whole pulse inside the file"


def test_same_seed_same_sound_and_the_record_gives_it_back(load_preset, equipment_name):
    context = DrawContext(32000, 16000)
    op = load_preset("equipment", equipment_name)
    first = op.draw(np.random.default_rng(3), context)
    again = op.draw(np.random.default_rng(3), context)
    other = op.draw(np.random.default_rng(4), context)
    read = parse_op(json.loads(json.dumps(to_dict(first))), Source, where="record")
    assert to_dict(read) == to_dict(first) == to_dict(again)
    samples = first.render(32000, 16000, no_fetch)
    assert samples.dtype == np.float32
    assert samples.shape == (32000,)
    assert np.isfinite(samples).all()
    for same in (first, again, read):
        np.testing.assert_array_equal(same.render(32000, 16000, no_fetch), samples)
    assert not np.array_equal(other.render(32000, 16000, no_fetch), samples)


def test_other_processes_and_thread_counts_give_the_same_bits():
    """One hash over several machines and noises, from fresh interpreters that are told of one or four threads."""
    program = """
import hashlib, sys, yaml, numpy as np
from roomtone.augment.ops.sources import mix, noise, periodic_tone
from roomtone.augment.ops.table import DrawContext, Source, parse_op
total = hashlib.sha256()
for name in ("equipment/mri_epi", "equipment/fan", "equipment/ventilator", "noise/modulated", "noise/rain"):
    mapping = yaml.safe_load(open(f"{sys.argv[1]}/{name}.yaml").read())
    op = parse_op({k: v for k, v in mapping.items() if k not in ("description", "source")}, Source, where=name)
    drawn = op.draw(np.random.default_rng(1), DrawContext(160000, 16000))
    total.update(drawn.render(160000, 16000, None).tobytes())
print(total.hexdigest())
"""
    conf = str(Path(__file__).parents[4] / "conf")
    hashes = []
    for threads in ("1", "4"):
        environment = os.environ | {
            f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "NUMBA", "MKL")
        }
        command = [sys.executable, "-P", "-c", program, conf]
        hashes.append(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(hashes[0].strip()) == 64
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("group", ["equipment", "noise"])
def test_every_preset_says_where_its_numbers_come_from(group):
    """First line a comment; description and source; every number of the top level says where it is from."""
    files = sorted((Path(__file__).parents[4] / "conf" / group).glob("*.yaml"))
    assert len(files) >= (20 if group == "equipment" else 12)
    for file in files:
        text = file.read_text()
        mapping = yaml.safe_load(text)
        assert text.startswith("# "), file.name
        assert len(mapping["description"]) > 10, file.name
        assert len(mapping["source"]) > 10, file.name
        for key, value in mapping.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                line = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
                assert "#" in line, f"{file.name}: {key} says nothing of its source"
