"""What can be measured of a recording without any label: level, noise floor, bandwidth, clipping, duration.

* `duration_s`: of the file, or of the segment.
* `active_level_dbov`: ITU-T P.56 active speech level, dB re full scale; null where nothing is active.
* `measured_noise_floor_dbov`: level of the quietest tenth of 20 ms frames, in which hardly anybody speaks.
* `measured_bandwidth_hz`: the frequency above which the long-term spectrum stays 45 dB below its peak; half the rate
  where it never does. A telephone band reads 3.4 to 4 kHz whatever the file's rate.
* `clipped_share`: samples in runs of at least three at the file's largest magnitude, where that is above -1 dBFS.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from roomtone.core.audio.reading import inspect, read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.errors import RoomtoneError

#: Columns that measuring fills.
MEASURED = ("duration_s", "active_level_dbov", "measured_noise_floor_dbov", "measured_bandwidth_hz", "clipped_share")
#: Edges of the bins of these columns where an axis names none.
BINS: dict[str, tuple[float, ...]] = {
    "duration_s": (0, 1, 2, 5, 10, 20, 60),
    "active_level_dbov": (-60, -40, -30, -26, -20, -10, 0),
    "measured_noise_floor_dbov": (-120, -80, -70, -60, -50, -40, -20),
    "measured_bandwidth_hz": (0, 4_200, 8_500, 12_000, 24_000, 48_000),
    "clipped_share": (0, 1e-6, 1e-4, 1e-2, 1),
}
_FRAME_S = 0.02
_QUIET_SHARE = 0.1
_BELOW_PEAK_DB = 45.0
#: Longest stretch that is looked at; the middle of a longer recording.
_MOST_S = 600.0


def measure_all(refs: Sequence[AudioRef | None]) -> tuple[list[dict[str, float | None]], list[str]]:
    """Return the figures of each recording, and why some have none, a line each.

    Args:
        refs: recordings; None is one that no file is known of.
    """
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = list(pool.map(_measured, refs))
    return [figures for figures, _ in found], [reason for _, reason in found if reason]


def _measured(ref: AudioRef | None) -> tuple[dict[str, float | None], str | None]:
    nothing: dict[str, float | None] = dict.fromkeys(MEASURED)
    if ref is None:
        return nothing, None
    try:
        info = inspect(ref.path)
        whole_s = ref.duration_s or info.duration_s - ref.offset_s
        heard_s = min(whole_s, _MOST_S)
        begin_s = ref.offset_s + (whole_s - heard_s) / 2
        samples = read_audio(AudioRef(ref.path, begin_s, heard_s), info.sample_rate_hz)
        return {**measure_samples(samples, info.sample_rate_hz), "duration_s": whole_s}, None
    except (RoomtoneError, OSError) as error:
        return nothing, f"{ref.path}: {error}"


def measure_samples(samples: np.ndarray, sample_rate_hz: int) -> dict[str, float | None]:
    """Return the figures of one signal.

    Args:
        samples: mono, full scale +-1.0 [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
    """
    if samples.size == 0:
        return dict.fromkeys(MEASURED)
    level = active_speech_level(samples, sample_rate_hz)
    return {
        "duration_s": samples.size / sample_rate_hz,
        "active_level_dbov": level.level_dbov if level.activity > 0 else None,
        "measured_noise_floor_dbov": _noise_floor_dbov(samples, sample_rate_hz),
        "measured_bandwidth_hz": bandwidth_hz(samples, sample_rate_hz),
        "clipped_share": clipped_share(samples),
    }


def _noise_floor_dbov(samples: np.ndarray, sample_rate_hz: int) -> float | None:
    size = max(1, int(_FRAME_S * sample_rate_hz))
    frames = samples[: samples.size // size * size].astype(np.float64).reshape(-1, size)
    if len(frames) < 10:
        return None
    power = np.sort((frames**2).mean(axis=1))
    quiet = float(power[: max(1, int(_QUIET_SHARE * len(power)))].mean())
    return max(-120.0, 10.0 * float(np.log10(quiet + 1e-30)))


def bandwidth_hz(samples: np.ndarray, sample_rate_hz: int) -> float | None:
    """Return the frequency above which the long-term spectrum stays 45 dB below its peak.

    Args:
        samples: mono [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
    """
    from scipy.signal import welch

    size = min(2048, samples.size)
    hz, density = welch(samples.astype(np.float64), sample_rate_hz, nperseg=size)
    if density.max() <= 0:
        return None
    smooth = np.convolve(density, np.ones(5) / 5, mode="same")
    above = np.flatnonzero(smooth > smooth.max() * 10 ** (-_BELOW_PEAK_DB / 10))
    last = int(above[-1])
    return float(sample_rate_hz / 2 if last >= len(hz) - 3 else hz[last])


def clipped_share(samples: np.ndarray) -> float:
    """Return the share of samples in runs of three or more at the largest magnitude, where that is above -1 dBFS.

    >>> clipped_share(np.array([0.1, 1.0, 1.0, 1.0, 0.2], dtype=np.float32))
    0.6
    """
    magnitude = np.abs(samples)
    peak = float(magnitude.max(initial=0.0))
    if peak < 10 ** (-1 / 20):
        return 0.0
    at_peak = (magnitude >= peak * (1 - 1e-4)).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_peak, [0]])))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= 3].sum() / samples.size)


def with_bins(axes: Any) -> Any:
    """Return axes in which a measured column that is named alone gets its usual bins.

    Args:
        axes: as `parse_axes` takes them.
    """
    listed = [axes] if isinstance(axes, str) else list(axes)
    return [{item: BINS[item]} if isinstance(item, str) and item in BINS else item for item in listed]
