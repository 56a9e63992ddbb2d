"""Vocal effort: in a raised voice high frequencies rise more than low ones.

The spectra are the standard speech spectra of ANSI S3.5-1997, table 4 (octave bands, in a free field, 1 m in front of the lips),
for normal, raised, loud and shouted speech, read in several programs that agree. Between two of them the band levels are
interpolated by the overall level. Recorded speech is taken to be normal. The level of the file stays what its label says; what
changes is the spectrum, with the recording's own noise floor in it. Pitch, vowels' lengths and formants, which change too when
people raise their voices, stay as they were recorded.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import numpy as np

from roomtone.augment.ops.channel.filters import design_fir
from roomtone.augment.ops.sources.noise import wu2018_rise_db
from roomtone.core.errors import RoomtoneError, nearest

_OCTAVES_HZ = np.array([250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])
#: Spectrum levels in dB SPL per Hz.
_SPECTRA_DB = {
    "normal": np.array([34.75, 34.27, 25.01, 17.32, 9.33, 1.13]),
    "raised": np.array([38.98, 40.15, 33.86, 25.32, 16.78, 5.07]),
    "loud": np.array([41.55, 44.85, 42.16, 34.39, 25.41, 11.39]),
    "shout": np.array([42.50, 49.24, 51.31, 44.32, 34.41, 20.72]),
}


#: A stated effort and the one of an environment may be this far apart before it is said.
_AGREES_DB = 3.0


def _overall_db(spectrum_db: np.ndarray) -> float:
    return float(10.0 * np.log10((10.0 ** (spectrum_db / 10.0) * _OCTAVES_HZ / np.sqrt(2.0)).sum()))


#: By how many dB each effort is louder overall than normal speech.
RISES_DB = {name: _overall_db(levels) - _overall_db(_SPECTRA_DB["normal"]) for name, levels in _SPECTRA_DB.items()}


def effort_db(environments_dba: Iterable[float], stated: str | None = None) -> float | None:
    """Return by how many dB a talker is louder than in normal speech, None where the voice stays as recorded.

    Args:
        environments_dba: noise levels of the environments that a condition names, as `babble@env65dBA` does, in dBA.
        stated: `raised`, `loud` or `shout` for every condition, or None.

    Raises:
        RoomtoneError: another effort.
    """
    if stated is not None and stated not in RISES_DB:
        raise RoomtoneError(f"effort: {stated!r} is none of {', '.join(RISES_DB)}; {nearest(stated, RISES_DB)}")
    rises = [*map(wu2018_rise_db, environments_dba), *([] if stated is None else [RISES_DB[stated]])]
    return round(max(rises), 3) or None if rises else None


def effort_notes(environments_dba: Mapping[str, float], stated: str | None) -> list[str]:
    """Return where a stated effort contradicts the environments that levels name, a line each.

    Args:
        environments_dba: noise level in dBA by the name of the level, e.g. `babble@env65dBA`.
        stated: `raised`, `loud` or `shout` for every condition, or None.
    """
    if stated is None:
        return []
    rises = {name: wu2018_rise_db(dba) for name, dba in environments_dba.items()}
    spoken = f"effort={stated} is {RISES_DB[stated]:.1f} dB above normal speech"
    notes = []
    for name, rise_db in rises.items():
        above_db = RISES_DB[stated] - rise_db
        if above_db > _AGREES_DB:
            notes.append(
                f"{spoken}, and {name} draws the SNR of people who raise their voices by {rise_db:.1f} dB there: it is about {above_db:.0f} dB "
                f"too low for this voice; give an SNR ({name.partition('@')[0]}@10dB), or leave effort out"
            )
        elif above_db < -_AGREES_DB:
            notes.append(f"{spoken}, but in {name} people raise their voices by {rise_db:.1f} dB, and that is rendered")
    return notes


def tilt_db(rise_db: float) -> np.ndarray:
    """Return by how many dB each octave band rises, 250 Hz to 8 kHz.

    Args:
        rise_db: overall rise above normal speech in dB, up to that of a shout.

    Returns:
        dB [shape=(6,)].

    >>> tilt_db(RISES_DB["loud"]).round(2).tolist()
    [6.8, 10.58, 17.15, 17.07, 16.08, 10.26]
    """
    rises = list(RISES_DB.values())
    bands = np.array([levels - _SPECTRA_DB["normal"] for levels in _SPECTRA_DB.values()])
    return np.array([np.interp(rise_db, rises, band) for band in bands.T])


@functools.lru_cache(maxsize=32)
def effort_fir(rise_db: float, sample_rate_hz: int) -> np.ndarray:
    """Return the linear-phase filter that makes normal speech a raised voice, float64 [shape=(odd taps,)].

    Args:
        rise_db: overall rise above normal speech in dB.
        sample_rate_hz: in Hz.
    """
    points = tuple((float(hz), float(gain_db)) for hz, gain_db in zip(_OCTAVES_HZ, tilt_db(rise_db)))
    return design_fir(points, sample_rate_hz)
