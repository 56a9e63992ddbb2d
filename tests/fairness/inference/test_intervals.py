"""Known answers of the interval and multiplicity formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.fairness.inference.intervals import (
    benjamini_hochberg,
    garwood,
    growing_ends,
    holm,
    resample_weights,
)

# Benjamini and Hochberg (1995), section 3.2
BH_1995 = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_garwood() -> None:
    assert garwood(30, 600) == pytest.approx((0.033735, 0.071378), abs=5e-7)
    assert garwood(0, 100) == pytest.approx((0, 0.036889), abs=5e-7)  # -ln(0.025) / 100


def test_holm_and_bh_on_the_papers_fifteen_p_values() -> None:
    p = np.array(BH_1995)
    assert (p <= 0.05 / 15).sum() == 3
    assert (holm(p) <= 0.05).sum() == 3
    assert (benjamini_hochberg(p) <= 0.05).sum() == 4
    assert benjamini_hochberg(p)[:5] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625, 0.0603])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjustment_is_the_step_wise_definition(p: list[float]) -> None:
    """The i-th smallest of n: Holm multiplies by n - i and takes the running maximum, BH by n / (i + 1) and the minimum from above."""
    n, order = len(p), np.argsort(p, kind="stable")
    ordered = np.array(p)[order]
    down = np.minimum(1, np.maximum.accumulate(ordered * (n - np.arange(n))))
    up = np.minimum(1, np.minimum.accumulate((ordered * n / np.arange(1, n + 1))[::-1])[::-1])
    assert holm(np.array(p))[order] == pytest.approx(down)
    assert benjamini_hochberg(np.array(p))[order] == pytest.approx(up)


def test_holm_is_that_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).random(40) ** 3
    assert np.array_equal(holm(p), multipletests(p, method="holm")[1])


def test_an_undefined_p_is_no_test() -> None:
    assert holm(np.array([0.01, np.nan, 0.04])) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert benjamini_hochberg(np.array([0.5, np.nan, 0.02])) == pytest.approx([0.5, np.nan, 0.04], nan_ok=True)
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_the_27_resamples_of_three_speakers() -> None:
    errors, words = np.array([10, 6, 14.0]), np.array([200, 150, 250.0])
    weights = resample_weights(3, 2000, np.random.default_rng(0))
    assert len(weights) == 27
    rates = weights @ errors / (weights @ words)
    assert rates.mean() == pytest.approx(0.04956814, abs=5e-9)
    assert rates.std() == pytest.approx(0.00370509, abs=5e-9)
    assert (rates.min(), rates.max()) == pytest.approx((0.04, 0.056))
    assert np.quantile(rates, [0.025, 0.975]) == pytest.approx([0.0426, 0.0548857], abs=5e-8)


def test_many_speakers_are_drawn_with_replacement() -> None:
    weights = resample_weights(9, 500, np.random.default_rng(0))
    assert weights.shape == (500, 9)
    assert (weights.sum(axis=1) == 9).all()


def ends(value, variance, grown, share=1.0, rate=0.2, reach=2.0) -> tuple[float, float]:
    arrays = [np.array([float(x)]) for x in (value, variance, grown, reach, reach)]
    low, high = growing_ends(*arrays, (np.array([share]), np.array([rate])))
    return float(low[0]), float(high[0])


def test_the_end_away_from_zero_is_that_of_logs_and_the_near_one_that_of_the_test() -> None:
    low, high = ends(0.2, 0.03**2, 0.0)
    assert low == pytest.approx(0.2 - 2 * 0.03)
    assert high == pytest.approx(0.2 * np.exp(2 * 0.03 / 0.2))  # a rate of 20 % beside one of none
    assert ends(-0.2, 0.03**2, 0.0) == pytest.approx((-high, -low))


@settings(deadline=None)
@given(*[st.floats(0.001, 0.3)] * 3, st.floats(0, 1))
def test_the_interval_holds_zero_where_the_test_of_no_gap_does_not_reject(value, error, more, share) -> None:
    """However much the variance at the estimate is larger: at no gap it is that of the test."""
    low, high = ends(value, error**2, more**2, share)
    assert (low > 0) == (value > 2 * error) or abs(value - 2 * error) < 1e-9
    assert low <= value - 2 * error + 1e-9
    assert high >= value + 2 * max(error, more) - 1e-9


def test_the_near_end_is_that_of_the_test_of_a_gap_of_that_size() -> None:
    low, _ = ends(0.2, 0.03**2, 0.05**2)
    between = 0.03**2 + (low / 0.2) * (0.05**2 - 0.03**2)
    assert 0.2 - low == pytest.approx(2 * np.sqrt(between))
