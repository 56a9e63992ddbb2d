"""The delay of a stage, found once with a signal made for it, so that no recording has to tell it.

What happens to pass a codec may be too short, too quiet or too monotonous to show a delay of one sample. The probe is neither.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from roomtone.core.audio.delay import measured_lag
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

_SECONDS = 1.0
_LEVEL = 0.05
#: Noise that comes and goes four times a second with falling power above 500 Hz: codecs take it for speech.
_CORNER_HZ = 500.0
_SYLLABLES_HZ = 4.0
#: A codec of few bits smears its output over some neighbouring delays, none of which stands out: one sample of telephone speech.
_SMEARED_S = 1.0 / 8000.0


@functools.lru_cache(maxsize=16)
def probe_signal(sample_rate_hz: int) -> Samples:
    """Return a second of noise in syllables with about the spectrum of speech, float32 [shape=(sample_rate_hz,)], read-only."""
    from scipy.signal import lfilter

    count = round(_SECONDS * sample_rate_hz)
    noise = np.random.Generator(np.random.Philox(key=0)).standard_normal(count)
    pole = np.exp(-2.0 * np.pi * _CORNER_HZ / sample_rate_hz)
    syllables = 0.1 + np.clip(np.sin(2.0 * np.pi * _SYLLABLES_HZ * np.arange(count) / sample_rate_hz), 0.0, None)
    samples = lfilter([1.0], [1.0, -pole], noise) * syllables
    samples = (_LEVEL / np.sqrt((samples**2).mean()) * samples).astype(np.float32)
    samples.flags.writeable = False
    return samples


def probed_delay(
    process: Callable[[Samples], Samples],
    sample_rate_hz: int,
    *,
    what: str,
    reference: Callable[[Samples], Samples] | None = None,
) -> int:
    """Return by how many samples a stage delays; of neighbouring delays that explain its output as well, the best.

    Args:
        process: the stage, from samples to as many samples.
        sample_rate_hz: rate at which it runs, in Hz.
        what: names the stage in the message.
        reference: the linear part of the stage, without delay; None is the identity.

    Raises:
        RoomtoneError: the delay does not show on the probe either.
    """
    probe = probe_signal(sample_rate_hz)
    before = probe if reference is None else reference(probe)
    lag = measured_lag(before, process(probe), sample_rate_hz, whole=True)
    reach = round(_SMEARED_S * sample_rate_hz)
    if lag.best is None or any(abs(rival - lag.best) > reach for rival in lag.rivals):
        raise RoomtoneError(f"{what}: its delay cannot be found with a probe signal: {lag.reason}")
    return lag.best
