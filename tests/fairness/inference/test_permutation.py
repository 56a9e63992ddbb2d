"""The permutation test against every labelling there is, against scipy, and its promises in small simulations."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from roomtone.fairness import compare
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.normal_scale import from_normal, to_normal
from roomtone.fairness.inference.permutation import _Permuted, smallest_p, step_down


def frame(values: dict[str, list[int]], words: int = 100) -> pd.DataFrame:
    return pd.DataFrame([
        {"accent": a, "speaker": f"{a}{k}", "condition": "clean", "errors": e, "words": words} for a, own in values.items() for k, e in enumerate(own)
    ])  # fmt: skip


def test_two_groups_in_one_condition_give_scipys_permutation_p() -> None:
    """Of one gap alone the studentised difference orders labellings nearly as scipy's difference of means does."""
    sides = {"A": [3, 8, 9, 12, 15, 11], "B": [10, 14, 21, 18, 25, 13]}
    found = compare(frame(sides), permutations=4999).gaps.iloc[0]
    exact = stats.permutation_test(
        (np.array(sides["A"]), np.array(sides["B"])), lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True, n_resamples=math.inf
    )  # fmt: skip
    assert found["p_adjusted"] == pytest.approx(exact.pvalue, abs=0.015)


def test_three_against_three_cannot_be_tested_and_four_against_four_can() -> None:
    clear = {"A": [1, 2, 3, 2], "B": [60, 61, 66, 64]}
    three = compare(frame({k: v[:3] for k, v in clear.items()})).gaps.iloc[0]
    assert (three["verdict"], three["p_adjusted"]) == ("not_enough_data", pytest.approx(0.1))
    assert "even the largest difference has p = 0.1" in three["statement"]
    assert three["speakers_needed"] >= 4
    four = compare(frame(clear)).gaps.iloc[0]
    assert four["verdict"] == "gap"
    assert four["p_adjusted"] >= 2 / math.comb(8, 4) - 1e-9


@pytest.mark.parametrize("sizes", [(3, 3), (2, 2, 2), (2, 3), (2, 2, 3), (1, 4)])
def test_the_smallest_p_is_counted_over_every_labelling(sizes) -> None:
    """A labelling counts as the same where it only renames groups of equal size: the largest statistic over all groups is then the same."""
    people = list(range(sum(sizes)))
    labels = [g for g, n in enumerate(sizes) for _ in range(n)]
    ways = {
        tuple(sorted(tuple(sorted(p for p, g in zip(people, labelling) if g == own)) for own in range(len(sizes))))
        for labelling in set(itertools.permutations(labels))
    }  # fmt: skip
    assert smallest_p(list(sizes), -1) == pytest.approx(1 / len(ways))


def test_step_down_is_westfall_and_youngs() -> None:
    """By their definition: the k-th smallest p against the minimum over itself and all larger ones, then made monotone."""
    rng = np.random.default_rng(0)
    log_p = np.log(rng.random((200, 6)))
    log_p[0] = np.log([0.001, 0.4, 0.03, 0.2, 0.008, 0.9])
    order = np.argsort(log_p[0])
    expected, running = np.empty(6), 0.0
    for k, test in enumerate(order):
        rest = order[k:]
        running = max(running, np.mean([row[rest].min() <= log_p[0, test] + 1e-9 for row in log_p]))
        expected[test] = running
    assert step_down(log_p) == pytest.approx(expected)


def test_the_normal_scale_is_that_of_students_t() -> None:
    for df in (3.0, 5.0, 12.0, 60.0):
        t = np.linspace(-6, 6, 25)
        exact = stats.norm.ppf(stats.t.cdf(t, df))
        assert to_normal(t, np.array(df)) == pytest.approx(exact, abs=0.04)
        assert from_normal(to_normal(t, np.array(df)), np.array(df)) == pytest.approx(t)


def test_beside_a_small_group_a_light_permutation_tail_counts_half() -> None:
    """Of 6 and 60 speakers, the 6 twice as varied, 10 % of nulls had a false gap: permuted statistics reached only 0.8 as far as the observed one."""
    rng = np.random.default_rng(0)
    estimands = make_estimands(["clean", "n1"], {})
    z = 0.64 * rng.standard_normal((4000, 3, len(estimands.items)))
    z[0] = 1.6
    even, uneven = (_Permuted(z, estimands, None, small, 5).test(0.05) for small in (False, True))
    assert even.p == pytest.approx(np.full(z[0].shape, 2 * stats.norm.sf(1.6 / 0.64)), rel=0.5)
    assert uneven.p == pytest.approx(np.full(z[0].shape, 2 * stats.norm.sf(1.6 / 0.8)), rel=0.2)
    tested = np.isfinite(even.p_adjusted)
    assert tested.any()
    assert (uneven.p_adjusted > even.p_adjusted)[tested].all()
    assert (uneven.all_high > 1.05 * even.all_high)[tested].all()
    assert uneven.interaction_p > even.interaction_p
    # from six speakers on a pointwise quantile may be nearer than a normal's 1.96 by a quarter of the light tail's logarithm
    six, five = (_Permuted(z, estimands, None, False, fewest).test(0.05).high[tested] for fewest in (6, 5))
    assert five == pytest.approx(1.96, abs=1e-3)
    assert six == pytest.approx(1.96 * 0.64**0.25, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(4, 4, 4, 4, 4), (3, 6, 20)])
def test_no_gap_at_all_is_claimed_to_be_one_in_five_per_cent(sizes) -> None:
    """Skewed speakers of very different amounts of speech: whatever their law, permuting them is exact."""
    false, interaction, studies = 0, 0, 120
    for seed in range(studies):
        rng = np.random.default_rng([17, seed])
        rows = []
        for g, n in enumerate(sizes):
            for s in range(n):
                level, words = rng.gamma(0.6) * 0.15, int(10 * np.ceil(1 + 3 * rng.pareto(1.2)))
                for c in ("clean", "n1", "n2"):
                    e = rng.binomial(words, min(0.95, level * rng.gamma(3) / 3))
                    rows.append(
                        {"accent": f"a{g}", "speaker": f"{g}-{s}", "condition": c, "errors": int(e), "words": words}
                    )
        found = compare(pd.DataFrame(rows), permutations=199, resamples=0)
        false += any((t["verdict"] == "gap").any() for t in (found.gaps, found.accents, found.conditions, found.levels))
        interaction += found.interaction_p <= 0.05
    assert false / studies <= 0.10  # 5 % expected; 13 of 120 has a chance of 1 %
    assert interaction / studies <= 0.10


def test_the_same_seed_that_made_the_data_does_not_permute_them_by_the_same_numbers() -> None:
    """Speakers drawn by default_rng(seed) and labels permuted by default_rng(seed) share their random bits, and p loses its law."""
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p.append(
            compare(
                frame({"A": rng.integers(1, 40, 8).tolist(), "B": rng.integers(1, 40, 8).tolist()}),
                seed=seed,
                permutations=199,
                resamples=0,
            )
        )
    p = [c.gaps["p_adjusted"].iloc[0] for c in p]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_shared_by_threads_or_not_the_answers_are_the_same(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    at = np.arange(240)
    scores = pd.DataFrame({"accent": at // 2 % 4, "speaker": at // 2, "condition": np.where(at % 2, "ward", "clean"),
        "errors": rng.poisson(4, 240), "words": 40}).astype({"accent": str, "speaker": str})  # fmt: skip
    alone = compare(scores, permutations=199, resamples=0)
    monkeypatch.setattr("roomtone.fairness.inference.permutation._LARGE", 0)
    monkeypatch.setattr("roomtone.fairness.inference.permutation.usable_cores", lambda: 3)
    pd.testing.assert_frame_equal(compare(scores, permutations=199, resamples=0).gaps, alone.gaps)
