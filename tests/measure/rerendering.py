"""Written presets held against the truth: rendered by the ops of the set, compared with the machine alone at the microphone, by code of the tests."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.recordings.catalogue import recordings
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef

RATE = 16000
#: Bounds of what is right: third octaves, onsets, and the share of the energy from which a claim counts.
BAND_DB, ONSET_S, PHANTOM = 3.0, 0.005, 0.01


def written(folder, name):
    """What `roomtone measure` wrote: its figures, and the presets of the machines, without the loop of the recording."""
    home = Path(folder)
    figures = json.loads((home / "equipment" / f"{name}.measurement.json").read_text())
    names = [own for own in figures["presets"] if not own.endswith(("_loop", "_all"))]
    ordered = [name, *sorted(own for own in names if own != name)]
    return figures["machines"], {own: load_preset("equipment", own, (home,)) for own in ordered}


def rerendered(machine, preset, count, *, response=None, seed=0):
    """A preset as a set renders it, its first burst where the recording has it, at the measured level; heard through a response if it is dry."""
    op = parse_preset("equipment", "measured", {key: value for key, value in preset.items() if key != "jitter_s"})
    needed, assets, fetch = op.recordings_needed(), (), None
    if needed is not None:
        catalogue = recordings(needed.path, needed.layout, RATE)
        assets = catalogue.assets

        def fetch(asset, start, frames):
            return read_audio(AudioRef(catalogue.clips[asset].path), RATE)

    drawn = op.draw(np.random.default_rng(seed), DrawContext(count, RATE, assets))
    if "start_s" in machine:
        drawn = dataclasses.replace(drawn, start_s=machine["start_s"])
    lead = 2 * RATE
    sound = drawn.render(count, RATE, fetch, preroll_samples=lead).astype(np.float64)
    if response is not None and preset["op"] == "periodic_tone":
        from scipy.signal import fftconvolve

        sound = fftconvolve(sound, response)[: sound.size]
    return 10 ** (machine["level_db"] / 20) / 0.1 * sound[lead:]


def third_octaves(samples):
    """Energy in thirds of an octave from 63 Hz to 6.3 kHz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    centres = 1000 * 2.0 ** (np.arange(-12, 9) / 3)
    return np.array([power[(hz >= c * 2 ** (-1 / 6)) & (hz < c * 2 ** (1 / 6))].sum() for c in centres])


def band_errors_db(made, stem):
    """Differences of third-octave levels at equal energy, of the bands that hold a hundredth of it or more."""
    wanted, got = third_octaves(stem), third_octaves(made)
    strong = wanted > 0.01 * wanted.sum()
    return 10 * np.log10(np.maximum(got[strong] / got.sum(), 1e-12) / (wanted[strong] / wanted.sum()))


def onset_errors_s(made, stem, onsets_s):
    """By how much the rise at each onset is early or late, as a median over all its times in the recording.

    Each rise is read where it is clearest: in the bins of the stem that rise most, at the moment when half of the energy of the first 60 ms has come.
    """
    hop, size = 16, 320
    window = np.hanning(size)

    def picture(samples):
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size // 2), size)[::hop]
        return np.abs(np.fft.rfft(frames * window, axis=1)) ** 2

    own, other = picture(stem), picture(made)
    errors = {}
    for key, onset in onsets_s:
        k = round(onset * RATE / hop)
        if k < 150 or k + 150 > min(len(own), len(other)):
            continue
        rise = own[k + 20 : k + 80].mean(axis=0) / (
            own[k - 60 : k - 15].mean(axis=0) + 1e-6 * own[k - 60 : k + 80].mean()
        )
        loud = own[k + 20 : k + 80].mean(axis=0)
        bins = (rise > 4.0) & (loud > 0.03 * loud.max())
        if not bins.any():
            continue
        times = []
        for view in (own, other):
            course = np.cumsum(
                np.maximum(
                    view[k - 40 : k + 60][:, bins].sum(axis=1) - view[k - 60 : k - 40][:, bins].sum(axis=1).mean(), 0
                )
            )
            times.append(np.interp(0.5 * course[-1], course, np.arange(course.size)))
        errors.setdefault(key, []).append((times[1] - times[0]) * hop / RATE)
    return np.array([np.median(values) for values in errors.values()])


def claims(machines, presets):
    """Every `(machine, low Hz, high Hz, on, off, share of the machine's energy)` that a parametric preset claims, times from the first burst."""
    for machine, preset in zip(machines, presets.values()):
        if preset["op"] != "periodic_tone":
            continue
        rows = preset.get("pulses") or [[0.0, np.inf]]
        harmonics = preset["harmonics"] or [[0.0, 0.0]]
        energies = [
            min(row[1], 5.0 * preset.get("decay_s", np.inf), 1e3)
            * 10 ** ((row[3] if len(row) > 3 else 0.0) / 10 + level / 10)
            for row in rows
            for _, level in harmonics
        ]
        for k, energy in enumerate(energies):
            row, (ratio, _) = rows[k // len(harmonics)], harmonics[k % len(harmonics)]
            hz = preset.get("fundamental_hz", 0.0) * ratio * (row[2] if len(row) > 2 else 1.0)
            ends = sorted((hz, hz * (row[4] if len(row) > 4 else 1.0)))
            yield machine, *ends, row[0], row[0] + row[1], energy / sum(energies)


def phantoms(machines, presets, truth):
    """Claims with more than a hundredth of the energy that match nothing in truth."""
    found = []
    if len(machines) > truth.machines:
        found.append(f"{len(machines)} machines")
    for machine in machines:
        period = machine["period_s"] or (1 / machine["am_hz"] if machine["am_depth"] else 0.0)
        if period and not abs(period / truth.period_s - 1) < 0.01:
            found.append(f"period {period:.4f} for {truth.period_s:.4f}")
    for machine, low, high, on, off, share in claims(machines, presets):
        if share < PHANTOM:
            continue
        near = 0.01 * high + 5.0
        if high and not any(a - near <= low and high <= b + near for a, b in truth.tones):
            found.append(f"tone {low:.0f} to {high:.0f} Hz")
        if not high and not truth.bands:
            found.append("noise")
        if np.isfinite(off):
            start = machine["start_s"]
            gaps = [abs(start + on + k * machine["period_s"] - a) for a, _ in truth.gates for k in range(8)]
            if min(gaps, default=np.inf) > 0.03:
                found.append(f"gate at {on:.3f} s")
    return found


def measured(kinds, folder, kind, seed, below):
    """Measure one of the recordings into a folder; return phantoms, differences of bands and of onsets, ops, and the figures of the machines."""
    import soundfile

    from roomtone.measure import MeasureSettings, measure_recording

    recording, stem, truth = kinds.recording(kind, seed, below)
    path = Path(folder) / "machine.wav"
    soundfile.write(path, np.clip(recording, -1, 1), RATE, subtype="PCM_24")
    measure_recording(MeasureSettings(recording=str(path), kind="equipment", name="ours", to=str(folder)))
    machines, presets = written(folder, "ours")
    response = kinds.response_of(kind, seed)
    dry = [rerendered(m, p, stem.size) for m, p in zip(machines, presets.values())]
    wet = [rerendered(m, p, stem.size, response=response) for m, p in zip(machines, presets.values())]
    onsets = [(k % len(truth.onsets), on) for k, (on, _) in enumerate(truth.gates)] if truth.gates else []
    return (
        phantoms(machines, presets, truth),
        band_errors_db(sum(dry), stem),
        onset_errors_s(sum(wet), stem, onsets),
        [preset["op"] for preset in presets.values()],
        machines,
    )
