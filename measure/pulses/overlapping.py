"""Pulses that start while another sounds: a beep over a whirr, a note over the end of the last one.

Their levels overlap in one rough span; but a partial that starts late in it belongs to another pulse. In a room a constant tone reaches its
level within 0.18 s, so a later rise is not that of the room.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Partial

#: Shortest span considered.
_LEAST_S = 0.3
#: Half the bandwidth around a partial, and the least power of a partial re the strongest (-25 dB).
_HALF_HZ = 20.0
_WEAKEST = 3e-3
#: A partial is late where it starts so long after the first ...
_LATE_S = 0.18
#: ... and had at most this share of its power before; partials that start and end within so long of one another are one pulse.
_BEFORE = 0.1
_TOGETHER_S = 0.1
_HOP_S = 0.002

LatePulse = tuple[tuple[float, float], list[Partial]]


def find_late_pulses(
    bands: Basebands, starts_s: np.ndarray, span: tuple[float, float], partials: Sequence[Partial]
) -> list[LatePulse]:
    """Return the pulses that start within a span: `(onset, length)` in seconds and the partials of each, strongest first.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        span: onset from the start of the cycle, and length.
        partials: of everything in it, strongest first.
    """
    if span[1] < _LEAST_S or len(partials) < 2:
        return []
    strong = [p for p in partials if p.power > _WEAKEST * partials[0].power]
    spans = [_own_span(bands, starts_s, span, p.hz) for p in strong]
    first = min((own[0] for own in spans if own is not None), default=0.0)
    found: list[LatePulse] = []
    for partial, own in zip(strong, spans):
        if own is None or own[0] < first + _LATE_S:
            continue
        same = next((one for one in found if _together(one[0], own)), None)
        if same is None:
            found.append((own, [partial]))
        else:
            same[1].append(partial)
    return found


def without_late_pulses(partials: Sequence[Partial], late: Sequence[LatePulse]) -> list[Partial]:
    """Return partials without those of late pulses and of their skirts.

    Args:
        partials: all that were found.
        late: the late pulses.
    """
    gone = [(p.hz, 4.0 / span[1]) for span, own in late for p in own]
    return [p for p in partials if all(abs(p.hz - hz) > max(width, 0.004 * hz) for hz, width in gone)]


def _own_span(
    bands: Basebands, starts_s: np.ndarray, span: tuple[float, float], hz: float
) -> tuple[float, float] | None:
    """Return when one partial sounds within a span; None where sound at its start masks it."""
    power = np.abs(bands.at(hz, _HALF_HZ)) ** 2
    step = round(_HOP_S * 1000.0)
    size = round((span[1] + 0.1) / _HOP_S)
    level = fold(power[None, ::step], (starts_s + span[0]) / _HOP_S, size)[0]
    smooth = np.convolve(np.pad(level, 6, mode="edge"), np.full(13, 1.0 / 13.0), mode="valid")
    loud = float(np.quantile(smooth, 0.9))
    above = np.flatnonzero(smooth > 0.35 * loud)
    begin, end = int(above[0]), int(above[-1])
    if not begin:
        return span
    before = float(smooth[: max(begin - round(0.03 / _HOP_S), 1)].mean())
    if before > _BEFORE * loud or end - begin < round(0.05 / _HOP_S):
        return None
    return span[0] + begin * _HOP_S, (end - begin) * _HOP_S


def _together(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < _TOGETHER_S and abs(sum(one) - sum(other)) < 2.0 * _TOGETHER_S
