"""The Poisson model against statsmodels and its known answers; MAPSSWE against NIST's."""

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.poisson import fit_poisson, poisson_interaction
from roomtone.fairness.scoring.alignment import align
from roomtone.fairness.scoring.mapsswe import mapsswe, segment_errors


def test_the_known_answers_of_the_toy_data(toy) -> None:
    model = poisson_interaction(toy)
    terms = model.terms
    assert terms["coefficient"].tolist() == pytest.approx([-2.995732, 0.693147, 1.120591, 0.157362], abs=1e-6)
    assert terms["se_naive"].tolist() == pytest.approx([0.182574, 0.226253, 0.210245, 0.258911], abs=1e-6)
    assert terms["se_cluster_cr0"].tolist() == pytest.approx([0.070711, 0.123305, 0.081444, 0.092661], abs=1e-6)
    assert terms["se_cluster"].tolist() == pytest.approx([0.090830, 0.158388, 0.104616, 0.119026], abs=1e-6)
    assert model.dispersion == pytest.approx(0.537871, abs=1e-6)
    assert model.terms["term"].tolist() == ["A, clean", "B", "noisy", "B x noisy"]
    assert model.speakers == 6


def test_the_fit_agrees_with_statsmodels_on_random_tables() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        design = np.column_stack([np.ones(60), rng.normal(size=(60, 3))])
        words = rng.integers(20, 300, 60).astype(float)
        errors = rng.poisson(words * 0.1 * np.exp(0.3 * design[:, 1])).astype(float)
        clusters = rng.integers(0, 12, 60)
        own = fit_poisson(errors, words, design, clusters)
        model = sm.GLM(errors, design, family=sm.families.Poisson(), offset=np.log(words))
        naive, robust = model.fit(), model.fit(cov_type="cluster", cov_kwds={"groups": clusters})
        assert own.coefficients == pytest.approx(naive.params, abs=1e-8)
        assert own.standard_errors("naive") == pytest.approx(naive.bse, rel=1e-6)
        assert own.standard_errors("cr1") == pytest.approx(robust.bse, rel=1e-6)
        assert own.dispersion == pytest.approx(naive.pearson_chi2 / naive.df_resid, rel=1e-6)


def test_a_planted_interaction_is_found_and_none_is_not(study) -> None:
    flat = {(a, c): w for a in "AB" for c, w in (("clean", 0.1), ("noisy", 0.2))}
    planted = flat | {("B", "noisy"): 0.4}
    assert poisson_interaction(study(np.random.default_rng(1), planted, 15)).interaction_p < 0.01
    p = [poisson_interaction(study(np.random.default_rng(k), flat, 12)).interaction_p for k in range(40)]
    assert np.mean(np.array(p) < 0.05) <= 0.15  # 5 % expected; 6 of 40 has a chance of 1 %


def test_a_cell_without_errors_is_left_out_by_name(toy) -> None:
    extra = toy[toy["condition"] == "noisy"].assign(
        condition="easy", errors=lambda f: f["errors"] * (f["accent"] == "A")
    )
    import pandas as pd

    model = poisson_interaction(pd.concat([toy, extra]))
    assert model.left_out == ("easy",)
    with pytest.raises(RoomtoneError, match="two groups and two conditions"):
        poisson_interaction(toy[toy["accent"] == "A"])


def test_too_many_interactions_for_the_speakers_have_no_joint_p(toy) -> None:
    import pandas as pd

    many = pd.concat([toy, *(toy[toy["condition"] == "noisy"].assign(condition=f"n{k}") for k in range(5))])
    assert poisson_interaction(many).interaction_p is None


def test_nists_three_segments() -> None:
    found = mapsswe([(1, 0), (5, 5), (0, 0), (3, 2)])
    assert found.segments == 3
    assert (found.mean, found.sd, found.z) == pytest.approx((2 / 3, 0.57735, 2.0), abs=1e-5)
    assert mapsswe([(0, 1), (5, 5), (2, 3)]).z == pytest.approx(-2.0)
    assert found.p is None  # NIST's tool calls three segments significant; six is the fewest here
    assert "at least 6" in found.method


def test_few_segments_are_judged_by_every_sign_pattern() -> None:
    d = [3, -1, 2, 2, 0, 4, 1]
    sums = [abs(sum(s * x for s, x in zip(signs, d))) for signs in itertools.product((-1, 1), repeat=len(d))]
    assert mapsswe([(x + 5, 5) for x in d]).p == pytest.approx(np.mean(np.array(sums) >= 11))
    result = stats.permutation_test((np.array(d, float),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert mapsswe([(x + 5, 5) for x in d]).p == pytest.approx(result.pvalue)


def test_many_segments_are_judged_by_the_normal_law() -> None:
    pairs = [(2 + k % 3, 2) for k in range(45)]
    assert mapsswe(pairs).p == pytest.approx(2 * stats.norm.sf(mapsswe(pairs).z))


def test_two_good_words_close_a_segment_and_one_does_not() -> None:
    reference = ["a", "b", "c", "d", "e", "f", "g", "h"]
    one = align(reference, ["a", "X", "c", "Y", "e", "f", "g", "h"])  # one good word between: one segment
    two = align(reference, ["a", "X", "c", "d", "Y", "f", "g", "h"])  # two good words between: two segments
    clean = align(reference, reference)
    assert segment_errors(one, clean) == [(2, 0)]
    assert segment_errors(two, clean) == [(1, 0), (1, 0)]
    assert segment_errors(clean, two) == [(0, 1), (0, 1)]
    assert segment_errors(clean, clean) == []
    # what one side gets wrong keeps the other side's segment open
    assert segment_errors(two, align(reference, ["a", "b", "Z", "d", "e", "f", "g", "h"])) == [(2, 1)]


def test_insertions_belong_to_the_segment_they_fall_in() -> None:
    reference = ["a", "b", "c", "d"]
    clean = align(reference, reference)
    assert segment_errors(align(reference, ["a", "b", "c", "d", "Q", "R"]), clean) == [(2, 0)]
    assert segment_errors(align(reference, ["Q", "a", "b", "c", "R", "d"]), clean) == [(1, 0), (1, 0)]
    with pytest.raises(RoomtoneError, match="one reference"):
        segment_errors(clean, align(["z"], ["z"]))
