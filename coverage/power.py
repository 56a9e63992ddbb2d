"""How much speech a WER gap needs to be seen: words, speakers, design effect, minimum detectable gap.

Two-sided normal approximation. Errors of one speaker resemble each other, so words are worth less than their number: the
design effect says by how much (Kish 1965). WERs and gaps are shares (0.02 is two points), not per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from roomtone.core.errors import RoomtoneError


def kish_effective(amounts: Sequence[float] | np.ndarray) -> float:
    """Return Kish's effective number of speakers, (sum m)^2 / sum m^2; NaN where there is nothing.

    >>> round(kish_effective([100, 10, 10, 10, 10]), 4)
    1.8846
    """
    values = np.asarray(amounts, dtype=np.float64)
    squares = float((values * values).sum())
    return float(values.sum()) ** 2 / squares if squares > 0 else math.nan


def design_effect(amounts: Sequence[float] | np.ndarray, rho: float) -> float:
    """Return 1 + (m~ - 1) rho with m~ = sum m^2 / sum m, the size of the cluster that a typical word is in.

    Args:
        amounts: words (or utterances) of each speaker.
        rho: intra-speaker correlation, 0 to 1.
    """
    values = np.asarray(amounts, dtype=np.float64)
    total = float(values.sum())
    if total <= 0:
        return math.nan
    # fewer than one word a speaker cannot make data worth more than independent words
    return 1.0 + max(0.0, float((values * values).sum()) / total - 1.0) * rho


def effective_size(amounts: Sequence[float] | np.ndarray, rho: float) -> float:
    """Return how many independent words the words of these speakers are worth, sum m / design effect.

    Args:
        amounts: words (or utterances) of each speaker.
        rho: intra-speaker correlation, 0 to 1.
    """
    return float(np.asarray(amounts, dtype=np.float64).sum()) / design_effect(amounts, rho)


def critical_sum(alpha: float = 0.05, power: float = 0.8) -> float:
    """Return z(1 - alpha/2) + z(power), 2.8016 at 5 % and 80 %.

    Args:
        alpha: two-sided level of the test, a share.
        power: chance of seeing a true gap, a share.

    Raises:
        RoomtoneError: alpha or power is not between 0 and 1.
    """
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0 < value < 1:
            raise RoomtoneError(f"{name}: expected a share between 0 and 1, got {value!r} (in per cent?)")
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)


def minimum_detectable_gap(
    wer: float,
    words: float,
    other_words: float | None = None,
    *,
    deff: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Return the smallest WER gap that two groups of this many words would show.

    z sqrt(DEFF p (1-p) (1/n1 + 1/n2)), a share of words; NaN where a group is empty.

    Args:
        wer: the WER about which the groups lie, 0 to 1.
        words: words of the one group.
        other_words: words of the other, default as many.
        deff: design effect of the words within speakers.

    >>> round(100 * minimum_detectable_gap(0.10, 1000, deff=4), 2)
    7.52
    """
    other = words if other_words is None else other_words
    if words <= 0 or other <= 0:
        return math.nan
    return critical_sum(alpha, power) * math.sqrt(deff * wer * (1 - wer) * (1 / words + 1 / other))


def words_needed(wer: float, other_wer: float, *, deff: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the words each group needs to tell two WERs apart: DEFF z^2 (p1 q1 + p2 q2) / (p1 - p2)^2.

    Args:
        wer, other_wer: the two word error rates, shares between 0 and 1.
        deff: design effect of the words within speakers.
        alpha: two-sided level of the test.
        power: chance of seeing the gap.

    Raises:
        RoomtoneError: equal rates, or one that is no share between 0 and 1.

    >>> words_needed(0.10, 0.12)
    3839
    """
    _check_wer(wer)
    _check_wer(other_wer)
    if wer == other_wer:
        raise RoomtoneError(f"detect: two equal WERs ({wer}) cannot be told apart by any number of words")
    spread = wer * (1 - wer) + other_wer * (1 - other_wer)
    return math.ceil(deff * critical_sum(alpha, power) ** 2 * spread / (wer - other_wer) ** 2)


def speakers_needed(
    gap: float,
    *,
    speaker_sd: float = 0.05,
    word_variance: float = 0.09,
    words_per_speaker: float = 300,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Return the speakers each group needs: 2 z^2 (sb^2 + sw^2 / m) / gap^2.

    Args:
        gap: the WER gap to be seen, a share.
        speaker_sd: standard deviation of WER between speakers, a share.
        word_variance: variance within a speaker, p (1 - p).
        words_per_speaker: m.

    >>> speakers_needed(0.02), speakers_needed(0.05)
    (110, 18)
    """
    variance = speaker_sd**2 + word_variance / words_per_speaker
    return math.ceil(2 * critical_sum(alpha, power) ** 2 * variance / gap**2)


#: What a goal takes for granted that does not say.
ASSUMED = {"power": 0.8, "alpha": 0.05, "wer": 0.10, "speaker_sd": 0.05, "words_per_speaker": 300}


def words_and_speakers(
    detect: float,
    *,
    power: float = ASSUMED["power"],
    alpha: float = ASSUMED["alpha"],
    wer: float = ASSUMED["wer"],
    speaker_sd: float = ASSUMED["speaker_sd"],
    words_per_speaker: float = ASSUMED["words_per_speaker"],
) -> dict[str, float]:
    """Return the goal `{words, speakers}` of a cell that must be able to show a WER gap of `detect`.

    The correlation that the words' design effect needs follows from the spread between speakers: sb^2 / (sb^2 + p (1-p)).

    Args:
        detect: the gap to be seen, a share (0.02 is two points).
        power: chance of seeing it.
        alpha: two-sided level of the test.
        wer: the rate about which the groups lie, a share.
        speaker_sd: standard deviation of WER between speakers, a share.
        words_per_speaker: words of one speaker.

    Raises:
        RoomtoneError: a gap or rate that is no share between 0 and 1.
    """
    if not 0 < detect < 1:
        raise RoomtoneError(f"detect: a WER gap is a share between 0 and 1, got {detect!r} (in points?)")
    _check_wer(wer)
    within = wer * (1 - wer)
    rho = speaker_sd**2 / (speaker_sd**2 + within)
    deff = 1 + max(0.0, words_per_speaker - 1) * rho
    other = wer + detect if wer + detect < 1 else wer - detect
    return {
        "words": words_needed(wer, other, deff=deff, alpha=alpha, power=power),
        "speakers": speakers_needed(
            detect,
            speaker_sd=speaker_sd,
            word_variance=within,
            words_per_speaker=words_per_speaker,
            alpha=alpha,
            power=power,
        ),
    }


def zero_failures_upper(n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the upper bounds (Wilson, Clopper-Pearson) of a two-sided interval for a rate when 0 of `n` failed.

    Args:
        n: trials, none of which failed.
        confidence: of the two-sided interval, a share.

    >>> tuple(round(100 * bound, 2) for bound in zero_failures_upper(30))
    (11.35, 11.57)
    """
    if n <= 0:
        return math.nan, math.nan
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return z * z / (n + z * z), 1 - ((1 - confidence) / 2) ** (1 / n)


def _check_wer(wer: float) -> None:
    if not 0 < wer < 1:
        raise RoomtoneError(f"wer: a WER to plan with is a share between 0 and 1, got {wer!r} (in per cent?)")
