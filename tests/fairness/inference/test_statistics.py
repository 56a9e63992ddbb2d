"""The compiled statistics against a plain re-implementation, Welch's formula, and what is known of their limits."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from roomtone.fairness.inference.counts import lay_out, prepare
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.permutation import every_column, observe
from roomtone.fairness.inference.statistics import gap_statistics, permuted_statistics
from roomtone.fairness.inference.sums import TOP_RATE, available_columns, group_floors, group_sums


def made(rows: pd.DataFrame, levels=None, several=False):
    """Return counts and estimands of rows with accent, speaker, condition, errors, words."""
    ready = prepare(
        rows, group="accent", condition="condition", speaker="speaker", baseline="clean", utterance="utterance_id"
    )
    conditions = ["clean", *sorted(set(rows["condition"]) - {"clean"})]
    return lay_out(ready, conditions, several=several).count("errors"), make_estimands(conditions, levels or {})


def random_rows(rng, sizes=(4, 7, 5), conditions=("clean", "n1", "n2"), present=1.0) -> pd.DataFrame:
    return pd.DataFrame([
        {"accent": f"g{g}", "speaker": f"g{g}s{s}", "condition": c, "words": int(w := rng.integers(20, 200)), "errors": int(rng.binomial(w, 0.3))}
        for g, n in enumerate(sizes) for s in range(n) for c in conditions if c == "clean" or rng.random() < present
    ])  # fmt: skip


def raw(data, estimands, other=-1, prior_df=1e-9):
    shape = (len(data.groups), len(estimands.items))
    arrays = [np.empty(shape) for _ in range(5)]
    args = (
        data.counts,
        data.codes,
        data.starts,
        data.members,
        every_column(data),
        other,
        estimands.starts,
        estimands.columns,
    )
    gap_statistics(*args, False, prior_df, *arrays)
    return arrays


def test_equal_words_in_one_condition_give_welchs_t_with_the_lower_group_at_the_common_rate() -> None:
    """Speakers of a group that loses few words look alike: in the gap its variance is that at everybody's rate, in its own it is as it is."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame([
        {"accent": a, "speaker": f"{a}{s}", "condition": "clean", "words": 100, "errors": int(e)}
        for a, n in (("A", 7), ("B", 12)) for s, e in enumerate(rng.integers(5, 60, n))
    ])  # fmt: skip
    data, estimands = made(rows)
    theta, variance, df, own, present = raw(data, estimands, other=0)
    sides = [rows.loc[rows["accent"] == a, "errors"] / 100 for a in "AB"]
    welch = stats.ttest_ind(sides[1], sides[0], equal_var=False)
    assert theta[1, 0] / np.sqrt(own[:, 0].sum()) == pytest.approx(welch.statistic)
    freedom = present[:, 0] - 1
    assert own[:, 0].sum() ** 2 / (own[:, 0] ** 2 / freedom).sum() == pytest.approx(welch.df)
    expected, rate = own[:, 0].copy(), np.array([side.mean() for side in sides])
    everybody, low = rows["errors"].sum() / rows["words"].sum(), int(np.argmin(rate))
    floors = [p * (1 - p) / (100 * present[low, 0]) for p in (rate[low], everybody)]
    grown = (everybody * (1 - everybody) / (rate[low] * (1 - rate[low]))) ** 2
    expected[low] = floors[1] + (own[low, 0] - floors[0]) * grown
    assert expected[low] > own[low, 0]
    assert variance[1, 0] == pytest.approx(expected.sum())
    assert df[1, 0] == pytest.approx(expected.sum() ** 2 / (expected**2 / freedom).sum())
    assert present[:, 0].tolist() == [7, 12]
    assert np.isnan(theta[0]).all()  # the reference is compared with nothing


@pytest.mark.parametrize("other", [-1, 1])
def test_every_estimand_is_what_plain_python_makes_of_it(other) -> None:
    """Gaps, differences of gaps, means over conditions and levels, with missing cells; variances of own estimands by their definition."""
    rng = np.random.default_rng(2)
    rows = random_rows(rng, present=0.7)
    levels = {("room", "r"): [1, 2]}
    data, estimands = made(rows, levels)
    theta, _, _, own, _ = raw(data, estimands, other)
    wide = {v: rows.pivot(index="speaker", columns="condition", values=v).fillna(0.0) for v in ("errors", "words")}
    names = ["clean", "n1", "n2"]
    e, n = (wide[v].reindex(columns=names).to_numpy() for v in ("errors", "words"))
    group = np.array([name[:2] for name in wide["errors"].index])

    def rates(mask):  # own rate; paired rate; baseline rate of those who are in the condition
        both = (n > 0) & (n[:, :1] > 0)
        paired = (e * both)[mask].sum(0) / (n * both)[mask].sum(0)
        base = (e[:, :1] * both)[mask].sum(0) / (n[:, :1] * both)[mask].sum(0)
        return e[mask].sum(0) / n[mask].sum(0), paired - base

    for g in range(3):
        if g == other:
            continue
        inside = group == f"g{g}"
        outside = group == f"g{other}" if other >= 0 else ~inside
        gap, did = (a - b for a, b in zip(rates(inside), rates(outside)))
        columns = np.concatenate([gap, did])
        for k, item in enumerate(estimands.items):
            assert theta[g, k] == pytest.approx(columns[list(item.columns)].mean()), item
        for c in range(3):
            k = estimands.numbers[(c,)]
            w, p = n[inside, c], e[inside, c].sum() / n[inside, c].sum()
            influence = (e[inside, c] - p * w)[w > 0] / w.sum()
            spread = (influence**2).sum() * len(influence) / (len(influence) - 1)
            floor = max(1, e[inside, c].sum()) / w.sum() ** 2 * (1 - min(p, TOP_RATE))
            assert own[g, k] == pytest.approx(max(spread, floor))


def test_a_speaker_of_two_accents_counts_in_both_and_is_no_other_to_either() -> None:
    rows = pd.DataFrame([
        {"accent": a, "speaker": f"s{k}", "condition": "clean", "words": 10, "errors": e}
        for k, (a, e) in enumerate([("irish", 1), ("irish", 2), ("welsh", 4), ("irish|welsh", 8), ("scottish", 0), ("scottish", 1)])
    ])  # fmt: skip
    data, estimands = made(rows, several=True)
    assert data.groups == ("irish", "scottish", "welsh")
    assert data.sums(0)[:, 0].tolist() == [11, 1, 12]
    theta = observe(data, estimands, -1).value[:, 0]
    assert theta[0] == pytest.approx(11 / 30 - 5 / 30)  # against welsh and scottish alone
    assert theta[1] == pytest.approx(1 / 20 - 15 / 40)


def test_a_group_that_happens_to_be_alike_does_not_look_sure_of_anything() -> None:
    """Three speakers with equal WERs have no spread of their own; the other groups' spread and their words say what it should be."""
    rng = np.random.default_rng(3)
    rows = [{"accent": "A", "speaker": f"a{s}", "condition": "clean", "words": 1000, "errors": 200} for s in range(3)]
    rows += [
        {"accent": a, "speaker": f"{a}{s}", "condition": "clean", "words": 1000, "errors": int(e)}
        for a in "BC" for s, e in enumerate(rng.integers(100, 300, 10))
    ]  # fmt: skip
    data, estimands = made(pd.DataFrame(rows))
    own = observe(data, estimands, -1).own_variance[:, 0]
    between = np.var([r["errors"] / 1000 for r in rows[3:13]], ddof=1)
    assert own[0] > 0.3 * between / 3
    assert own[0] >= 200 * 3 / 3000**2 * (1 - 0.2) - 1e-12


def test_the_ratio_scale_is_the_log_of_rates() -> None:
    data, estimands = made(random_rows(np.random.default_rng(4)))
    plain, logs = observe(data, estimands, -1), observe(data, estimands, -1, log_scale=True)
    own, rest = data.sides(-1)
    rate = own[0] / own[1], rest[0] / rest[1]
    assert logs.value[:, 1] == pytest.approx(np.log(rate[0] / rate[1])[:, 0])
    # the delta method: the variance of a log is that of the rate over its square
    assert logs.own_variance[:, 1] == pytest.approx(plain.own_variance[:, 1] / rate[0][:, 0] ** 2, rel=0.2)


def test_a_cell_that_a_group_lacks_it_lacks_under_every_labelling() -> None:
    """Whole groups without clean: permuted groups had it, so the test of any interaction rejected 9 % of nulls instead of 5."""
    rows = random_rows(np.random.default_rng(5), sizes=(6, 6, 6))
    rows = rows[~((rows["accent"] == "g1") & (rows["condition"] == "clean"))]
    data, estimands = made(rows)
    has = available_columns(group_sums(data.counts, data.codes, data.starts, data.members, every_column(data)))[:-1]
    labellings = np.random.default_rng(0).permuted(np.tile(data.codes, (20, 1)), axis=1)
    t = permuted_statistics(
        data.counts, labellings, data.starts, data.members, has, -1, estimands.starts, estimands.columns, False, 2.0
    )[0]
    beyond = [k for k, item in enumerate(estimands.items) if item.kind == "cell" and item.label != "clean"]
    assert np.isnan(t[:, 1, beyond]).all()
    assert np.isfinite(t[:, [0, 2]][:, :, beyond]).all()
    # two groups are left of which each is all others of the other: the statistics mirror each other, as those observed do
    assert t[:, 0, beyond] == pytest.approx(-t[:, 2, beyond])


def test_the_chance_variance_of_a_log_ratio_of_paired_words_is_the_textbooks() -> None:
    """Of n pairs both lose a, one alone b and c: var log((a + c) / (a + b)) = (b + c) / ((a + b) (a + c)); 20,000 multinomial draws agree."""
    n, a, b, c = 400, 90, 40, 25
    sums = np.array([a + c, n, a + c, n, a + b, n, a], dtype=float).reshape(7, 1, 1).repeat(2, axis=1)
    floor, _ = group_floors(sums, np.array([0, 1]), np.array([1]), available_columns(sums), True)
    assert floor[0, 0] == pytest.approx((b + c) / ((a + b) * (a + c)))
    both, one, other, _ = np.random.default_rng(1).multinomial(n, np.array([a, b, c, n - a - b - c]) / n, 20000).T
    assert np.log((both + other) / (both + one)).var() == pytest.approx(floor[0, 0], rel=0.03)
    alone, _ = group_floors(sums[:6], np.array([0, 1]), np.array([1]), available_columns(sums), True)
    assert alone[0, 0] > 2 * floor[0, 0]
