"""Pulses that set in while another sounds: a beep over a whirr, a note over the last one's end.

Their level is one, and so is their rough span; but a partial that is heard only from some time on is another pulse's. In a room a held tone is as
strong at its end as after its first tenths of a second, so a late rise is no room's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Partial

#: Only so long a pulse is asked.
_LEAST_S = 0.3
#: Half the band around a partial, and how far below the strongest it may be (25 dB) and still be asked.
_HALF_HZ = 20.0
_WEAKEST = 3e-3
#: A partial is late that rises so long after the first does ...
_LATE_S = 0.18
#: ... from this share of its power, at most; partials that rise and fall within so long of one another are one pulse's.
_BEFORE = 0.1
_TOGETHER_S = 0.1
_HOP_S = 0.002

Parted = tuple[tuple[float, float], list[Partial]]


def late_partials(
    bands: Basebands, starts_s: np.ndarray, span: tuple[float, float], partials: Sequence[Partial]
) -> list[Parted]:
    """Return pulses that set in within a span: `(onset, length)` and the partials of each, strongest first.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        span: onset from the start of the cycle, and length.
        partials: of all that sounds in it, strongest first.
    """
    if span[1] < _LEAST_S or len(partials) < 2:
        return []
    strong = [p for p in partials if p.power > _WEAKEST * partials[0].power]
    spans = [_own_span(bands, starts_s, span, p.hz) for p in strong]
    first = min((own[0] for own in spans if own is not None), default=0.0)
    found: list[Parted] = []
    for partial, own in zip(strong, spans):
        if own is None or own[0] < first + _LATE_S:
            continue
        same = next((one for one in found if _together(one[0], own)), None)
        if same is None:
            found.append((own, [partial]))
        else:
            same[1].append(partial)
    return found


def without(partials: Sequence[Partial], parted: Sequence[Parted]) -> list[Partial]:
    """Return partials without those of the pulses parted, skirts and all."""
    gone = [(p.hz, 4.0 / span[1]) for span, own in parted for p in own]
    return [p for p in partials if all(abs(p.hz - hz) > max(width, 0.004 * hz) for hz, width in gone)]


def _own_span(
    bands: Basebands, starts_s: np.ndarray, span: tuple[float, float], hz: float
) -> tuple[float, float] | None:
    """Return when one partial sounds within a span; None where what is there at its start hides it."""
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
