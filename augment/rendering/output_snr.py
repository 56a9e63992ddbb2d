"""The SNR behind a handset: speech over all background that was put in, where the output can tell it.

Behind a linear handset both are known. Behind any other, the output is compared with the speech that passed it alone and with the
background behind its linear part, in blocks of 20 ms with gains of their own (an automatic gain moves both), by least squares. What
neither explains is the handset's own: distortion, codec noise, concealment. Where there is more of that than of background, the
background cannot be told from it.
"""

from __future__ import annotations

import math

from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.levels import LevelledSpeech
from roomtone.augment.rendering.stem_fit import rms_db

_BLOCK_S = 0.02


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
