"""A picture beside each measurement: spectrum, spectrogram and envelope with the machines marked, and each preset against the recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from roomtone.measure.machine import EquipmentFound, Machine
    from roomtone.measure.recording import PlaceRecording

_COLOURS = ("#c1272d", "#0b7a75", "#7b3fa0")
_SHOWN_S = 20.0


def draw(
    path: Path, recording: PlaceRecording, title: str, equipment: EquipmentFound | None = None, decay: Any = None
) -> None:
    """Write the picture of a measurement as PNG.

    Args:
        path: the file.
        recording: what was measured.
        title: of the picture.
        equipment: machines to mark; None for noises and rooms.
        decay: `(times in s, level in dB)` to show instead of the envelope, for a room.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    proved = [(k, machine) for k, machine in enumerate(equipment.machines if equipment else ()) if machine.proof]
    figure = Figure(figsize=(10, 12 if proved else 9), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    top, middle, bottom, *rest = figure.subplots(4 if proved else 3, 1)
    for axes in rest:
        _proofs(axes, proved)
    _spectrum(top, recording, equipment)
    _spectrogram(middle, recording, equipment)
    if decay is None:
        _envelope(bottom, recording, equipment)
    else:
        bottom.plot(*decay, color="#333333", lw=1)
        bottom.set(xlabel="time after the impulse (s)", ylabel="decay (dB)", ylim=(-60, 3))
    figure.savefig(path, dpi=110)


def _proofs(axes: Any, machines: Sequence[tuple[int, Machine]]) -> None:
    """Draw the level over one cycle: recorded as a thin line, the preset rendered in its room as a thick one."""
    top_db = -200.0
    for index, machine in machines:
        proof = machine.proof
        if proof is None or proof.course is None:
            continue
        level_db = 10.0 * np.log10(np.maximum(proof.course, 1e-20))
        times, colour = np.arange(level_db.shape[1]) * proof.hop_s, _COLOURS[index % len(_COLOURS)]
        what = "synthesised" if machine.recorded is None else "recorded cycle"
        label = f"preset {index + 1} ({what}): {100 * proof.explained:.0f} % explained"
        axes.plot(times, level_db[1], color=colour, lw=3, alpha=0.4, label=label)
        axes.plot(times, level_db[0], color=colour, lw=0.8)
        top_db = max(top_db, float(level_db.max()))
    axes.set(
        xlabel="time in one cycle (s)", ylabel="recorded (thin), preset (thick), dB", ylim=(top_db - 50, top_db + 3)
    )
    axes.legend(loc="upper right", fontsize="small")


def _spectrum(axes: Any, recording: PlaceRecording, found: EquipmentFound | None) -> None:
    from scipy import signal

    rate = recording.sample_rate_hz
    hz, density = signal.welch(recording.samples, rate, nperseg=min(recording.samples.size, rate))
    axes.semilogx(hz[1:], 10 * np.log10(density[1:] + 1e-20), color="#333333", lw=0.7)
    for machine, colour in zip(found.machines if found else (), _COLOURS * 2):
        for partial in machine.partials[:10]:
            axes.axvline(partial.hz, color=colour, lw=0.8, alpha=0.6)
    axes.set(xlim=(20, rate / 2), xlabel="frequency (Hz)", ylabel="density (dB re full scale per Hz)")


def _spectrogram(axes: Any, recording: PlaceRecording, found: EquipmentFound | None) -> None:
    from roomtone.measure.spectra.spectrogram import spectrogram

    rate = recording.sample_rate_hz
    samples = recording.samples[: round(_SHOWN_S * rate)]
    view = spectrogram(samples, rate, window_s=0.064, hop_s=0.016)
    level = 10 * np.log10(view.power + 1e-20)
    top = float(level.max())
    extent = (0.0, samples.size / rate, 0.0, rate / 2000.0)
    axes.imshow(level, origin="lower", aspect="auto", extent=extent, vmin=top - 80, vmax=top, cmap="magma")
    for machine, colour in zip(found.machines if found else (), _COLOURS * 2):
        for partial in machine.partials[:5]:
            axes.axhline(partial.hz / 1000, color=colour, lw=0.6, ls=":")
    axes.set(xlabel="time (s)", ylabel="frequency (kHz)")


def _envelope(axes: Any, recording: PlaceRecording, found: EquipmentFound | None) -> None:
    rate = recording.sample_rate_hz
    samples = recording.samples[: round(_SHOWN_S * rate)]
    block = max(1, rate // 200)
    power = (samples[: samples.size // block * block].reshape(-1, block) ** 2).mean(axis=1)
    axes.plot(np.arange(power.size) * block / rate, 10 * np.log10(power + 1e-20), color="#333333", lw=0.6)
    for machine, colour in zip(found.machines if found else (), _COLOURS * 2):
        for start in machine.cycle.starts_s if machine.cycle else ():
            for pulse in machine.cycle.pulses:  # type: ignore[union-attr]
                if 0 <= start + pulse.onset_s < samples.size / rate:
                    axes.axvspan(
                        start + pulse.onset_s, start + pulse.onset_s + pulse.length_s, color=colour, alpha=0.15, lw=0
                    )
    axes.set(xlabel="time (s)", ylabel="level of 5 ms (dB re full scale)", xlim=(0, samples.size / rate))
