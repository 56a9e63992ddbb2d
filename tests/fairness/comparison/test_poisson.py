"""The Poisson model against statsmodels and its known answers; MAPSSWE against NIST's."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.poisson import poisson_interaction
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


def test_the_closed_form_agrees_with_statsmodels_on_random_tables() -> None:
    """Three groups of unequal size in four conditions, some speakers without some conditions; statsmodels iterates over a dense design."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        rows = [
            {"accent": g, "speaker": f"{g}{s}", "condition": c, "words": int(rng.integers(50, 300)), "errors": 0}
            for g, n in (("A", 5), ("B", 9), ("C", 4)) for s in range(n) for c in ("clean", "n1", "n2", "n3")
            if c == "clean" or rng.random() < 0.8
        ]  # fmt: skip
        table = pd.DataFrame(rows)
        table["errors"] = rng.poisson(table["words"] * 0.1 * np.exp(rng.normal(0, 0.4, len(table))))
        own = poisson_interaction(table, permutations=0)
        is_group = {g: (table["accent"] == g).to_numpy(float) for g in "BC"}
        is_condition = {c: (table["condition"] == c).to_numpy(float) for c in ("n1", "n2", "n3")}
        columns = {"A, clean": np.ones(len(table))} | is_group | is_condition
        columns |= {f"{g} x {c}": is_group[g] * is_condition[c] for g in is_group for c in is_condition}
        design = np.column_stack(list(columns.values()))
        model = sm.GLM(table["errors"].to_numpy(), design, family=sm.families.Poisson(), offset=np.log(table["words"]))
        naive = model.fit()
        robust = model.fit(cov_type="cluster", cov_kwds={"groups": table["speaker"].factorize()[0]})
        at = own.terms.set_index("term").loc[list(columns)]
        assert at["coefficient"].to_numpy() == pytest.approx(naive.params, abs=1e-7)
        assert at["se_naive"].to_numpy() == pytest.approx(naive.bse, rel=1e-5)
        assert at["se_cluster"].to_numpy() == pytest.approx(robust.bse, rel=1e-5)
        assert own.dispersion == pytest.approx(naive.pearson_chi2 / naive.df_resid, rel=1e-5)
        assert own.speakers == 18


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
    model = poisson_interaction(pd.concat([toy, extra]))
    assert model.left_out == ("easy",)
    with pytest.raises(RoomtoneError, match="two groups and two conditions"):
        poisson_interaction(toy[toy["accent"] == "A"])


def test_three_speakers_a_group_cannot_be_permuted_to_five_per_cent(toy) -> None:
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
    found = mapsswe([(x + 5, 5) for x in d])
    assert found.p == pytest.approx(np.mean(np.array(sums) >= 11))
    assert found.method == "exact sign flips of segments with errors"


def test_segments_of_one_speaker_are_not_counted_as_independent() -> None:
    """Eight speakers, half of whom a condition costs a word in every segment and half of whom it saves one: it costs nobody on the whole."""
    rng = np.random.default_rng(0)
    rejected = 0
    for _ in range(200):
        taste = rng.normal(0, 1.0, 8)
        speakers = np.repeat([f"s{k}" for k in range(8)], 25)
        d = np.round(np.repeat(taste, 25) + rng.normal(0, 1, 200)).astype(int)
        segments = [(5 + int(x), 5) for x in d]
        rejected += mapsswe(segments, speakers.tolist()).p <= 0.05
        assert mapsswe(segments).method == "normal"
    assert rejected / 200 <= 0.09  # 5 % expected; 18 of 200 has a chance of 1 %
    assert mapsswe(segments[:125], speakers[:125].tolist()).p is None  # five speakers
    assert "5 speakers, at least 6" in mapsswe(segments[:125], speakers[:125].tolist()).method


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
