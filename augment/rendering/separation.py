"""How much of what leaves a handset is speech, how much is background, and how much is neither.

A linear handset maps a sum to the sum of its outputs. Any other is sent the same draws once more with the background inverted (Hagerman and
Olofsson, Acta Acustica 90, 356, 2004): half the sum of the two outputs is the speech as it is in the file, suppression and gain control
included, and half their difference is the background. Each holds also half the power of what the handset did differently in the two: its
codec noise, its decisions. Where the background behind the linear part explains half the difference in blocks of 20 ms, what it leaves
bounds that power. Where it does not, as behind noise suppression, a third pass with the background turned by 90 degrees shows it (Olofsson and
Hansen, JASA 120, 3809, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.mixing import Stems
from roomtone.augment.rendering.stem_fit import rms_db
from roomtone.core.audio.types import Samples

_BLOCK_S = 0.02
#: What the handset does differently may have this share of the power of the background for an SNR to be told: 2.2 dB of it.
HIGHEST_BACKGROUND_SHARE = 0.4
#: And this share of the power of the speech for its level to be told: 1 dB of it.
HIGHEST_SPEECH_SHARE = 0.2
#: Below these shares the bound by blocks will do (0.04 dB of the level, 0.2 dB of the background).
_SMALL_SPEECH_SHARE, _SMALL_BACKGROUND_SHARE = 0.01, 0.05


@dataclass(frozen=True)
class Separation:
    """Mean squares of the parts of a handset's output, re full scale 1.

    Attributes:
        speech: of the speech in it (half the sum).
        background: of the background in it (half the difference).
        other: of what the handset did differently, in either of them; 0 behind a linear handset.
    """

    speech: float
    background: float
    other: float = 0.0

    @property
    def level_doubt_db(self) -> float:
        """By how much the level of the speech may be too high, dB."""
        share = self.other / self.speech if self.speech > 0.0 else 1.0
        return -10.0 * math.log10(1.0 - share) if share < 1.0 else math.inf

    def level_reason(self) -> str | None:
        """Return why the level of the speech in the file cannot be told, or None where it can."""
        if self.other <= HIGHEST_SPEECH_SHARE * self.speech:
            return None
        return "what the handset did differently for another phase of the background lies " + _beyond(
            self.other, self.speech, "speech", HIGHEST_SPEECH_SHARE
        )

    def snr_db(self, level_dbov: float) -> tuple[float | None, str | None]:
        """Return the active level of the speech less the RMS level of the background, in dB and None; or None and the reason.

        Where the level of the speech cannot be told, no SNR can, for the same reason.

        Args:
            level_dbov: active level of the half sum.
        """
        reason = self.level_reason()
        if reason is not None:
            return None, reason
        if not self.other <= HIGHEST_BACKGROUND_SHARE * self.background or self.background == 0.0:
            return None, "distortion and noise of the handset's own lie " + _beyond(
                self.other, self.background, "background", HIGHEST_BACKGROUND_SHARE
            )
        return level_dbov - self.level_doubt_db - 10.0 * math.log10(self.background - self.other), None


def separation(
    output: HandsetOutput, stems: Stems, handset: Callable[[Samples], Samples] | None, sample_rate_hz: int
) -> Separation | None:
    """Return how much of a handset's output is speech, background and neither; None where there is no background.

    Args:
        output: the signals behind the handset.
        stems: the parts at the microphone.
        handset: sends a signal, as long as the stems with their reserve, through the drawn handset; None where there is none.
        sample_rate_hz: in Hz.
    """
    if output.background is None:
        return None
    if output.linear or handset is None:
        return Separation(_power(output.speech), 10.0 ** (rms_db(output.background) / 10.0))
    from roomtone.core.audio._kernels import two_stem_powers

    behind = output.samples - output.speech
    speech, background = _power(output.speech), _power(behind)
    size = max(round(_BLOCK_S * sample_rate_hz), 16)
    unexplained = two_stem_powers(output.samples, output.speech, output.background, size)[3] / output.samples.size
    if unexplained <= _SMALL_SPEECH_SHARE * speech and unexplained <= _SMALL_BACKGROUND_SHARE * background:
        return Separation(speech, background, unexplained)
    sent = stems.lasting()
    turned = handset(sent.speech + turned_by_90_degrees(sent.background()).astype(np.float32))
    lasting = behind if output.lasting_background is None else output.lasting_background
    other = _power(turned - output.speech - turned_by_90_degrees(lasting)[: turned.size]) / 4.0
    return Separation(speech, background, other)


def _power(samples: np.ndarray) -> float:
    return float((samples.astype(np.float64) ** 2).mean())


def _beyond(power: float, reference: float, what: str, share: float) -> str:
    """Return in words how far one power lies from another, of which it may have a share; with the decimals that tell it from the limit."""
    limit_db = 10.0 * math.log10(share)
    if not (power > 0.0 and reference > 0.0):
        return f"far above the {what} behind it (limit: {-limit_db:.1f} dB below)"
    above_db = 10.0 * math.log10(power / reference)
    digits = next((n for n in range(1, 9) if f"{above_db:.{n}f}" != f"{limit_db:.{n}f}"), 9)
    side = "above" if above_db > 0.0 else "below"
    return f"{abs(above_db):.{digits}f} dB {side} the {what} behind it (limit: {-limit_db:.{digits}f} dB below)"


def turned_by_90_degrees(samples: Samples) -> np.ndarray:
    """Return samples with every frequency turned by 90 degrees (Hilbert), float64 [shape=(samples,)].

    Args:
        samples: float [shape=(samples,)].
    """
    from scipy.fft import next_fast_len
    from scipy.signal import hilbert

    return np.asarray(hilbert(samples.astype(np.float64), next_fast_len(samples.size)).imag[: samples.size])
