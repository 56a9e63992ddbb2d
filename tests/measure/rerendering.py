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
