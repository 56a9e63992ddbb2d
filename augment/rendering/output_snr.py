"""The SNR behind a handset: speech over all background that was put in, where the output can tell it.

Behind a linear handset both are known. Behind any other, the output is compared with the speech that passed it alone and with the
background behind its linear part, in blocks of 20 ms with gains of their own (an automatic gain moves both), by least squares. What
neither explains is the handset's own: distortion, codec noise, concealment. Where there is more of that than of background, the
background cannot be told from it in this way.

Noise suppression gives each band and moment a gain of its own, and a codec leaves noise. There the handset is sent the same draws twice
more, once with the background inverted and once with it turned by 90 degrees (Hagerman and Olofsson 2004; Olofsson and Hansen 2006):
half the sum of the first two is the speech, half their difference the background, each with half the power of what the handset did
differently in them, which the third one shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.levels import LevelledSpeech
from roomtone.augment.rendering.mixing import Stems, summed
from roomtone.augment.rendering.stem_fit import rms_db
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.audio.types import Samples

_BLOCK_S = 0.02
#: What the handset does differently may have this share of the power of the difference, so that the estimate moves by 2 dB at most.
_HIGHEST_SHARE = 0.4


def output_snr_db(
    output: HandsetOutput, speech: LevelledSpeech, sample_rate_hz: int
) -> tuple[float | None, str | None]:
    """Return the active level of the speech behind the handset less the RMS level of the background there, in dB.

    Args:
        output: the signals behind the handset.
        speech: `output.speech` with the gain of the file.
        sample_rate_hz: in Hz.

    Returns:
        the SNR and None; or None with the reason where it cannot be told; None twice where there is no background.
    """
    if output.background is None:
        return None, None
    level_dbov = speech.level.level_dbov - 20.0 * math.log10(speech.gain)
    if "time_map" in output.report:
        return (
            None,
            "a jitter buffer moves the background, so that its samples cannot be compared with those at the microphone",
        )
    if output.linear:
        return level_dbov - rms_db(output.background), None
    from roomtone.core.audio._kernels import two_stem_powers

    size = max(round(_BLOCK_S * sample_rate_hz), 16)
    sums = two_stem_powers(output.samples, output.speech, output.background, size)
    speech_in, speech_out, background_out, rest = (float(value) for value in sums)
    if not background_out > rest:
        above_db = 10.0 * math.log10(rest / background_out) if background_out > 0.0 else math.inf
        return None, f"distortion and noise of the handset's own lie {above_db:.1f} dB above the background behind it"
    samples = output.samples.size
    gain_db = 10.0 * math.log10(speech_out / speech_in) if speech_out > 0.0 and speech_in > 0.0 else -math.inf
    return level_dbov + gain_db - 10.0 * math.log10(background_out / samples), None


def inverted_snr_db(
    handset: Callable[[Samples], Samples], stems: Stems, output: Samples, sample_rate_hz: int
) -> float | None:
    """Return the SNR behind a handset as phase inversion tells it, in dB; None where it cannot.

    Args:
        handset: sends a signal through the drawn handset, float32 [shape=(samples,)].
        stems: the parts at the microphone, a background among them.
        output: what it made of them together, float32 [shape=(samples,)].
        sample_rate_hz: in Hz.
    """
    background = summed(stems.present()[1:])
    sent = output.astype(np.float64)
    inverted = handset(stems.speech - background).astype(np.float64)
    turned = handset(stems.speech + _turned(background).astype(np.float32)).astype(np.float64)
    speech, behind = (sent + inverted) / 2.0, (sent - inverted) / 2.0
    power = float((behind**2).mean())
    other = float(((turned - speech - _turned(behind)) ** 2).mean()) / 4.0
    if not 0.0 <= other <= _HIGHEST_SHARE * power or power == 0.0:
        return None
    level = active_speech_level(speech.astype(np.float32), sample_rate_hz)
    return level.level_dbov - 10.0 * math.log10(power - other) if level.activity > 0.0 else None


def _turned(samples: Samples) -> np.ndarray:
    """Return samples with every frequency turned by 90 degrees (Hilbert), float64 [shape=(samples,)]."""
    from scipy.fft import next_fast_len
    from scipy.signal import hilbert

    return np.asarray(hilbert(samples.astype(np.float64), next_fast_len(samples.size)).imag[: samples.size])
