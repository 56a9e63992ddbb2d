"""A preset as a picture: a spectrogram and a spectrum, the decay of a room, the response of a handset; as PNG or in blocks of text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roomtone.augment.gallery.info import PresetInfo
from roomtone.augment.gallery.sound import SAMPLE_RATE_HZ, PresetSound, band_levels_db, frequency_response_db
from roomtone.augment.rooms.acoustics import decay_db

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCKS = " ▁▂▃▄▅▆▇█"
#: Third-octave centres from 31 Hz (below mains hum) to 6.3 kHz: what 16 kHz hold.
_CENTRES_HZ = 1000.0 * 2.0 ** (np.arange(-15, 9) / 3)
#: What a picture shows below the loudest, dB.
_RANGE_DB = 50.0


def curve(
    info: PresetInfo, sound: PresetSound, search: tuple[Path, ...] = ()
) -> tuple[str, str, np.ndarray, np.ndarray]:
    """Return the one curve that says most of a preset.

    Args:
        info: which preset.
        sound: `preset_sound` of it.
        search: folders of the user's own presets.

    Returns:
        what it shows, the unit of its x axis, x and y in dB, both [shape=(points,)]; 0 dB is the loudest.
    """
    if sound.response is not None:
        level = decay_db(sound.response, 0)
        step = SAMPLE_RATE_HZ // 100
        y = level[::step]
        keep = y > -65.0
        return "decay (Schroeder)", "s", np.arange(y.size)[keep] / 100, y[keep]
    response = frequency_response_db(info, search) if info.factor == "handset" else None
    if response is not None:
        return "response to white noise, third-octaves", "Hz", *response
    levels = band_levels_db(sound.samples, SAMPLE_RATE_HZ, _CENTRES_HZ)
    return "spectrum, third-octaves", "Hz", _CENTRES_HZ, levels - levels.max()


def as_text(info: PresetInfo, sound: PresetSound, search: tuple[Path, ...] = (), width: int = 70) -> str:
    """Return the curve of a preset in blocks of text, four lines: what it shows, blocks, x axis.

    Args:
        info: which preset.
        sound: `preset_sound` of it.
        search: folders of the user's own presets.
        width: of the blocks in characters, at most.
    """
    what, unit, x, y = curve(info, sound, search)
    places = np.linspace(0, len(y) - 1, min(width, 3 * len(y) - 2))
    heights = np.interp(places, np.arange(len(y)), y)
    share = np.clip(1 + heights / _RANGE_DB, 0, 1)
    blocks = "".join(_BLOCKS[round(float(s) * (len(_BLOCKS) - 1))] for s in share)
    ends = f"{x[0]:g} {unit}", f"{x[-1]:.4g} {unit}"
    axis = ends[0] + " " * max(len(blocks) - len(ends[0]) - len(ends[1]), 1) + ends[1]
    return f"{what} ({_RANGE_DB:g} dB from bottom to top)\n{blocks}\n{axis}"


def as_svg(info: PresetInfo, sound: PresetSound, search: tuple[Path, ...] = (), width: int = 360) -> str:
    """Return the curve of a preset as an SVG in the colour of the text around it, made in a millisecond.

    Args:
        info: which preset.
        sound: `preset_sound` of it.
        search: folders of the user's own presets.
        width: of the picture in pixels; it is 120 high.
    """
    what, unit, x, y = curve(info, sound, search)
    if unit == "s":
        x, y = x[y > -_RANGE_DB], y[y > -_RANGE_DB]
    ticks = np.array([50.0, 125.0, 500.0, 2000.0, 8000.0]) if unit == "Hz" else np.linspace(0.0, float(x[-1]), 5)
    shown = ticks[(ticks >= x[0]) & (ticks <= x[-1])]
    scale = np.log if unit == "Hz" else np.asarray
    ends = scale(x[[0, -1]])

    def across(values: np.ndarray) -> np.ndarray:
        return 32 + (scale(values) - ends[0]) / (ends[1] - ends[0]) * (width - 48)

    down = 18 + np.clip(-y / _RANGE_DB, 0.0, 1.0) * 80
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across(x), down, strict=True))
    lines = [f'<path d="M{a:.1f} 18V98" opacity=".2"/>' for a in across(shown)]
    words = [f'<text x="{a:.1f}" y="111">{v:.3g}</text>' for a, v in zip(across(shown), shown, strict=True)]
    words += [f'<text x="14" y="{y}">{label}</text>' for y, label in ((22, "0 dB"), (101, f"-{_RANGE_DB:.0f}"))]
    words.append(f'<text x="{width / 2:.0f}" y="11">{what}, {unit}</text>')
    return (
        f'<svg viewBox="0 0 {width} 120" width="{width}" height="120" role="img" aria-label="{info.name}: {what}">'
        f'<g fill="none" stroke="currentColor"><path d="M32 18V98H{width - 16}"/>{"".join(lines)}'
        f'<polyline points="{points}" stroke-width="1.6"/></g>'
        f'<g fill="currentColor" font-size="10" text-anchor="middle">{"".join(words)}</g></svg>'
    )


def as_png(info: PresetInfo, sound: PresetSound, search: tuple[Path, ...] = ()) -> bytes:
    """Return a picture of a preset: its sound over time and frequency, and the curve that says most of it.

    Args:
        info: which preset.
        sound: `preset_sound` of it.
        search: folders of the user's own presets.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _spectrogram(left, sound)
    what, unit, x, y = curve(info, sound, search)
    right.plot(x, y, color="#1f5fa8", linewidth=1.6)
    right.set(title=what, xlabel=unit, ylabel="dB", ylim=(-_RANGE_DB - 15, 3))
    if unit == "Hz":
        right.set_xscale("log")
        right.set_xticks([50, 125, 500, 2000, 8000], ["50", "125", "500", "2k", "8k"])
        right.set_xticks([], minor=True)
    right.grid(alpha=0.3)
    for axes in (left, right):
        axes.title.set_fontsize(9)
        axes.tick_params(labelsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _spectrogram(axes: Axes, sound: PresetSound) -> None:
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    transform = ShortTimeFFT(hann(512), 160, SAMPLE_RATE_HZ)
    power = transform.spectrogram(sound.samples.astype(np.float64))
    level = 10 * np.log10(np.maximum(power, 1e-12))
    top = float(level.max())
    seconds = sound.samples.size / SAMPLE_RATE_HZ
    axes.imshow(
        level,
        origin="lower",
        aspect="auto",
        extent=(0.0, seconds, 0.0, SAMPLE_RATE_HZ / 2000),
        vmin=top - 60,
        vmax=top,
        cmap="magma",
    )
    axes.set(title="what it sounds like", xlabel="s", ylabel="kHz")
