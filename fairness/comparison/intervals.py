"""Intervals and multiple testing for rates whose speakers repeat.

The default is the delete-one-speaker jackknife with a t distribution and Satterthwaite's degrees of freedom: it kept its
95 % at 5 to 40 speakers a group in simulation (`bench/fairness_calibration.py`), where the percentile bootstrap over speakers
gave 87-94 % and independent rows 78 %. The bootstrap is a second opinion.

Arrays carry speakers on axis -2 and conditions on axis -1; any axes before them are studies, so that a simulation of thousands
runs through the same code as one evaluation. Rates are shares, not per cent. Undefined is NaN.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

#: Below this many errors the spread between speakers says little; the Poisson variance is then the least that is believed.
FEW_ERRORS = 10
#: WER above which a condition counts as saturated: everybody fails, and ratios shrink.
SATURATED_WER = 0.8
_LOGIT_TOP = 0.999

Array = np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A statistic with its variance and degrees of freedom; the arrays have one shape."""

    value: Array
    variance: Array
    df: Array

    def minus(self, other: Estimate) -> Estimate:
        """Return the difference of two independent estimates; degrees of freedom by Satterthwaite (1946)."""
        variance = self.variance + other.variance
        with np.errstate(divide="ignore", invalid="ignore"):
            df = variance**2 / (self.variance**2 / self.df + other.variance**2 / other.df)
        df = np.where(variance > 0, df, np.minimum(self.df, other.df))
        return Estimate(self.value - other.value, variance, df)

    @property
    def se(self) -> Array:
        """Return the standard error."""
        root: Array = np.sqrt(self.variance)
        return root

    def interval(self, confidence: float = 0.95) -> tuple[Array, Array]:
        """Return the two-sided t interval."""
        half = t_quantile(0.5 + confidence / 2, self.df) * self.se
        return self.value - half, self.value + half

    def p_value(self) -> Array:
        """Return the two-sided p of no difference; NaN without a variance."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.variance > 0, np.abs(self.value) / self.se, np.nan)
        p: Array = 2 * stdtr(self.df, -t)
        return p

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> Array:
        """Return the smallest difference that data like this finds with this power at level `alpha`.

        The noncentral t of that power by Johnson and Welch's (1940) normal approximation; a sum of two t quantiles would promise
        too much for few speakers and strict levels.
        """
        from scipy.special import ndtri

        critical = t_quantile(1 - alpha / 2, self.df)
        size: Array = critical * (1 - 1 / (4 * self.df)) + ndtri(power) * np.sqrt(1 + critical**2 / (2 * self.df))
        return size * self.se


def t_quantile(probability: float, df: Array) -> Array:
    """Return Student's t quantile; NaN where df is not positive."""
    from scipy.special import stdtrit

    usable = np.where(df > 0, df, np.nan)
    quantile: Array = stdtrit(usable, probability)
    return quantile


@dataclass(frozen=True)
class GroupEstimates:
    """What one group of speakers gives in each condition: the rate, and its change from the baseline, on three scales.

    `change` compares each condition with the baseline counts of the same utterances.
    """

    rate: Estimate
    log_rate: Estimate
    logit: Estimate
    change: Estimate
    log_change: Estimate
    logit_change: Estimate


def group_estimates(errors: Array, words: Array, base_errors: Array, base_words: Array) -> GroupEstimates:
    """Return the jackknifed statistics of one group.

    Args:
        errors: errors of each speaker in each condition [shape=(…, speakers, conditions)].
        words: reference words, likewise; a speaker without words in a condition takes no part there.
        base_errors: errors of the same speakers, on the same utterances, in the baseline.
        base_words: words, likewise.
    """
    counts = [np.asarray(a, dtype=np.float64) for a in (errors, words, base_errors, base_words)]
    whole = _statistics(*(a.sum(axis=-2, keepdims=True) for a in counts))
    without = _statistics(*(a.sum(axis=-2, keepdims=True) - a for a in counts))
    present = counts[1] > 0
    own, both = counts[0].sum(-2), (counts[0] + counts[2]).sum(-2)
    floors = [
        _floor(own, counts[1].sum(-2)),
        None,
        None,
        _floor(both, np.minimum(counts[1], counts[3]).sum(-2)),
        None,
        None,
    ]
    return GroupEstimates(*(_jackknife(w, o, present, f) for w, o, f in zip(whole, without, floors)))


def _statistics(errors: Array, words: Array, base_errors: Array, base_words: Array) -> list[Array]:
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(words > 0, errors / words, np.nan)
        base = np.where(base_words > 0, base_errors / base_words, np.nan)
        scales = [(rate, base)]
        for function in (_log, _logit):
            scales.append((function(rate), function(base)))
        return [now for now, _ in scales] + [now - before for now, before in scales]


def _log(rate: Array) -> Array:
    return np.where(rate > 0, np.log(rate), np.nan)


def _logit(rate: Array) -> Array:
    """Return log odds of min(rate, 0.999): a WER may pass 1, where odds end."""
    capped = np.minimum(rate, _LOGIT_TOP)
    return np.where(capped > 0, np.log(capped / (1 - capped)), np.nan)


def _floor(errors: Array, words: Array) -> Array:
    """Return the Poisson variance of a rate where errors are few, else 0; with no error at all, that of one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(errors < FEW_ERRORS, np.maximum(errors, 1) / words**2, 0.0)


def _jackknife(whole: Array, without: Array, present: Array, floor: Array | None) -> Estimate:
    """Return the estimate from the full statistic and those without each speaker: (G-1)/G sum (theta_i - mean)^2."""
    speakers = present.sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(present, without, 0).sum(axis=-2) / speakers
        squares = np.where(present, (without - mean[..., None, :]) ** 2, 0).sum(axis=-2)
        variance = np.where(speakers > 1, (speakers - 1) / speakers * squares, np.nan)
    if floor is not None:
        variance = np.where(np.isnan(variance), variance, np.maximum(variance, floor))
    return Estimate(whole[..., 0, :], variance, np.where(speakers > 1, speakers - 1.0, np.nan))


def resample_weights(speakers: int, resamples: int, rng: np.random.Generator) -> Array:
    """Return how often each speaker is drawn in each resample [shape=(resamples, speakers)].

    Few speakers have few resamples: where all speakers**speakers of them are no more than `resamples`, they are enumerated.
    """
    if speakers**speakers <= resamples:
        draws = np.array(list(itertools.product(range(speakers), repeat=speakers)))
        return np.stack([(draws == s).sum(axis=1) for s in range(speakers)], axis=1)
    return rng.multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)


def percentile_interval(values: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Return the percentile interval of bootstrap values on axis 0, undefined ones left out; NaN where most are undefined."""
    tail = (1 - confidence) / 2
    usable = np.isfinite(values).mean(axis=0) > 0.5
    filled = np.where(usable, values, 0.0)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def garwood(count: float, exposure: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Garwood's (1936) exact interval of a Poisson rate.

    >>> tuple(round(bound, 6) for bound in garwood(30, 600))
    (0.033735, 0.071378)
    """
    from scipy.special import gammaincinv

    if exposure <= 0:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    return low / exposure, float(gammaincinv(count + 1, 1 - tail)) / exposure


def holm(p: Array) -> Array:
    """Return Holm's (1979) adjusted p; it controls the chance of any false finding. NaN stays NaN [shape=(tests,)]."""
    return _adjusted(p, "holm")


def benjamini_hochberg(p: Array) -> Array:
    """Return Benjamini and Hochberg's (1995) adjusted p: the share of false among the found. NaN stays NaN [shape=(tests,)]."""
    return _adjusted(p, "fdr_bh")


def _adjusted(p: Array, method: str) -> Array:
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p, dtype=np.float64)
    known = np.isfinite(values)
    out = np.full(values.shape, np.nan)
    if known.any():
        out[known] = multipletests(values[known], method=method)[1]
    return out
