"""The telephone's standard filters, designed from published tables: `op: telephone_filter`.

Sources. IRS and modified IRS: the tables of ITU-T P.48 and P.830 Annex D (dB re V/Pa to send, Pa/V to receive). Half-tilt
IRS, MSIN, P.341, flat and 50 Hz to 5 kHz: the gains that the filters of the ITU-T G.191 software tool library were
measured to have at these frequencies. Where a table leaves a steep slope open, the measured gain of G.191's realisation
is used (marked). All are linear-phase here, as P.48 leaves the phase open; delay is compensated exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from roomtone.augment.ops.channel.filters import LinearFilter, Points, design_fir

TelephoneFilterName = Literal[
    "irs_send",
    "irs_receive",
    "modified_irs_send",
    "modified_irs_receive",
    "half_tilt_irs",
    "msin",
    "p341_send",
    "flat_300_3400",
    "bandpass_50_5000",
]

# Frequencies of P.48, Hz, up to 8 kHz.
_P48_HZ = (100, 125, 160, 200, 250, 300, 315, 400, 500, 600, 630, 800, 1000, 1250, 1600, 2000, 2500, 3000, 3150)

_IRS_SEND = (
    *(-45.8, -36.1, -25.6, -19.2, -14.3, -11.3, -10.8, -8.4, -6.9, -6.3, -6.1, -4.9, -3.7, -2.3, -0.6, 0.3, 1.8),
    *(1.5, 1.8),
)
_IRS_RECEIVE = (
    *(-27.2, -18.8, -10.8, -2.7, 2.7, 6.4, 7.2, 9.9, 11.3, 11.8, 11.9, 12.3, 12.6, 12.5, 13.0, 13.1, 13.1),
    *(12.5, 12.6),
)
_MODIFIED_SEND = (
    *(-31.7, -24.7, -17.2, -13.3, -10.3, -8.5, -8.3, -7.0, -6.3, -6.0, -5.9, -4.9, -3.7, -2.3, -0.5, 0.1, 1.3),
    *(2.0, 2.1),
)
_MODIFIED_RECEIVE = (
    *(-13.4, -7.4, -2.4, 3.2, 6.7, 9.2, 9.7, 11.3, 11.9, 12.1, 12.1, 12.3, 12.6, 12.5, 13.1, 12.9, 12.6),
    *(13.0, 12.9),
)

# The next four begin at 50 Hz: gains of G.191's filters in dB.
_G191_HZ = (50, 63, 80, 100, 125, 160, 200, 250, 300, 315, 400, 500, 600, 800, 1000)


def _table(frequencies: tuple[float, ...], gains: tuple[float, ...], *more: tuple[float, float]) -> Points:
    """Return the points, with the lowest slope carried on down to 10 Hz so that the filter does not open again at 0 Hz."""
    points = [(float(hz), float(db)) for hz, db in (*zip(frequencies, gains, strict=True), *more)]
    (first_hz, first_db), (second_hz, second_db) = points[0], points[1]
    slope = (second_db - first_db) / np.log2(second_hz / first_hz)
    below = [(hz, float(first_db - max(slope, 0.0) * np.log2(first_hz / hz))) for hz in (10.0, 20.0, 40.0)]
    return tuple([point for point in below if point[0] < first_hz] + points)


#: Points in (Hz, dB) of each filter. The receive sides are held at 0 dB at 1 kHz, because Pa/V means nothing here.
TELEPHONE_FILTERS: dict[str, Points] = {
    "irs_send": _table(
        _P48_HZ,
        _IRS_SEND,
        (3400, -2.3),  # G.191's realisation: the table leaves 3150 to 3500 Hz open
        *((3500, -7.3), (3600, -13.1), (3800, -25.1), (4000, -37.2), (5000, -52.2), (6300, -73.6), (8000, -90.0)),
    ),
    "irs_receive": _table(
        _P48_HZ,
        tuple(db - 12.6 for db in _IRS_RECEIVE),
        *((3500, 3.9 - 12.6), (4000, -31.6 - 12.6), (5000, -54.9 - 12.6), (6300, -67.5 - 12.6), (8000, -90.0 - 12.6)),
    ),
    "modified_irs_send": _table(
        _P48_HZ,
        _MODIFIED_SEND,
        *((3500, -0.3), (4000, -3.5), (5000, -9.0)),
        *((5500, -13.2), (6000, -19.5), (6300, -23.7), (7000, -33.3), (8000, -40.0)),  # G.191's realisation
    ),
    "modified_irs_receive": _table(
        _P48_HZ,
        tuple(db - 12.6 for db in _MODIFIED_RECEIVE),
        *((3500, 10.9 - 12.6), (4000, 2.1 - 12.6), (5000, -11.7 - 12.6)),
        (8000, -60.0),  # the table ends at 5 kHz; its last slope carried on
    ),
    "half_tilt_irs": _table(
        (50, 63, 80, 100, 125, 160, 200, 250, 300, 315, 400, 500, 600, 630, 800, 1000),
        (-57.7, -55.1, -51.7, -45.2, -35.6, -25.2, -18.0, -13.85, -11.75, -11.0, -7.0, -6.1, -4.3, -4.4, -3.8, -3.4),
        *((1250, -2.5), (1500, -2.45), (1600, -2.0), (2000, -1.75), (2500, -1.2), (3000, -0.75), (3150, -0.7)),
        *((3400, -0.5), (3500, -6.4), (3600, -9.6), (3800, -37.6), (4000, -44.5), (4500, -47.6), (5000, -60.0)),
    ),
    "msin": _table(
        _G191_HZ, (-25.1, -21.1, -17.0, -13.1, -9.4, -5.6, -2.7, -0.8, -0.13, -0.05, 0.0, 0.0, 0.0, 0.0, 0.0)
    ),
    "p341_send": _table(
        (20, 50, 63, 80, 100, 1000), (-24.0, -2.7, -0.3, 0.0, 0.0, 0.0), (6800, 0.1), (7000, -3.3), (7200, -80.0)
    ),
    "flat_300_3400": _table(
        (50, 63, 80, 100, 125, 160, 200, 1000),
        (-12.1, -8.6, -5.3, -2.8, -0.9, 0.0, 0.0, 0.0),
        *((3400, 0.0), (3500, -7.3), (3600, -42.0), (3800, -60.0)),
    ),
    "bandpass_50_5000": _table(
        (20, 50, 63, 80, 100, 1000), (-24.0, -2.7, -0.3, 0.0, 0.0, 0.0), (4900, 0.0), (5000, -3.3), (5200, -60.0)
    ),
}
assert set(TELEPHONE_FILTERS) == set(get_args(TelephoneFilterName))


@dataclass(frozen=True)
class TelephoneFilter(LinearFilter):
    """One of the telephone's standard filters.

    Attributes:
        name: `irs_send` is the classic analogue telephone (P.48); `modified_irs_send` is a digital handset before its
            coder (P.830); `msin` is a mobile's input high-pass; `p341_send` is a wideband handset; `flat_300_3400` is
            the flat telephone band as G.191 has it (it reaches down to 100 Hz).
    """

    op: ClassVar[str] = "telephone_filter"
    name: TelephoneFilterName

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        return design_fir(TELEPHONE_FILTERS[self.name], sample_rate_hz)
