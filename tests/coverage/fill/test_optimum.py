"""Plans beside an integer programme: no more renders than 3 % above the fewest, nothing lacking that a cap allowed."""

from __future__ import annotations

import functools

import pytest

from roomtone.coverage import fill_plan

SEEDS = range(30)


@pytest.fixture(scope="module")
def solved(random_problem, optimum):
    """solved(seed) -> (problem, its least deficit, its fewest renders); each is solved once."""

    @functools.cache
    def solve(seed):
        problem = random_problem(seed)
        return problem, *optimum(problem)

    return solve


def planned(problem):
    plan = fill_plan(None, problem.clean, problem.conditions, problem.goals, max_per_speaker=problem.cap)
    return plan.assignments


@pytest.mark.slow
def test_thirty_random_plans_are_within_three_per_cent_of_the_fewest_renders(solved):
    over = {}
    for seed in SEEDS:
        problem, lacking, fewest = solved(seed)
        rows = planned(problem)
        assert problem.deficit(rows) <= lacking + 1e-6, seed
        over[seed] = (len(rows), fewest)
        if problem.cap is not None:
            assert (rows.merge(problem.clean, on="utterance_id").groupby("speaker").size() <= problem.cap).all()
    print({seed: pair for seed, pair in over.items() if pair[0] != pair[1]})
    assert all(own <= 1.03 * fewest for own, fewest in over.values()), over
    # not all of them are trivial
    assert sum(fewest > 20 for _, fewest in over.values()) >= 10


@pytest.mark.slow
def test_plans_too_large_for_the_programme_are_near_the_fewest_too(solved, monkeypatch):
    """Growing, pruning and planning anew, without the exact part, on the same problems."""
    monkeypatch.setattr("roomtone.coverage.fill.exact.MAX_VARIABLES", 0)
    own = fewest = 0
    lacking_more = []
    for seed in SEEDS:
        problem, least, renders = solved(seed)
        rows = planned(problem)
        if problem.deficit(rows) > least + 1e-6:
            lacking_more.append(seed)
            continue
        own, fewest = own + len(rows), fewest + renders
    print(own, fewest, lacking_more)
    assert own <= 1.03 * fewest
    assert len(lacking_more) <= 3
