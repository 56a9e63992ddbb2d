"""Covering arrays: few rows in which every combination of any t factors' levels occurs.

Two starts: an array known from algebra (`constructions.py`), cut to the factors and levels asked for, and greedy rows, each the
best of several candidates (after AETG; Cohen et al. 1997). The smaller goes through post-optimisation and then through simulated
annealing, which take rows away as long as that succeeds. The budget is counted in steps, not in seconds, so a seed gives the
same array everywhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.combinatorics.algebraic_start import algebraic_rows, aligned
from roomtone.coverage.combinatorics.constraints import Rules, check_levels, check_strength, parse_constraints
from roomtone.coverage.combinatorics.t_way import allowed_combinations

if TYPE_CHECKING:
    from roomtone.coverage.combinatorics.array_kernels import Problem, State

#: Tuples that fit in memory and time.
MAX_TUPLES = 30_000_000
#: Elementary steps of the whole annealing at effort 1; about ten seconds on a core of 2020.
_STEPS = 1_200_000_000
#: The same for each combination to be covered: a small array needs no ten seconds.
_STEPS_PER_TUPLE = 1_500_000
#: What an array that algebra gave is annealed with, as a share: it seldom loses a row.
_ALGEBRAIC_SHARE = 0.25
#: Elementary steps of the post-optimisation at effort 1, and its passes without success.
_POST_STEPS, _POST_PASSES = 200_000_000, 150
#: Failed attempts to take a row away before the array is left as it is.
_ATTEMPTS = 4
_CANDIDATES = 40
_HOT, _COLD = 0.8, 0.15


def covering_array(
    levels: Sequence[Any],
    strength: int,
    *,
    constraints: Sequence[Any] = (),
    seed_rows: Any = None,
    seed: int = 0,
    effort: float = 1.0,
) -> np.ndarray:
    """Return rows of level numbers that hold every allowed combination of any `strength` factors' levels.

    Args:
        levels: for each factor its number of levels, or their names.
        strength: t, 1 to 4.
        constraints: what cannot be together, see `constraints.py`; no row breaks one.
        seed_rows: rows that exist already [shape=(rows, factors)]; they come first and stay. A level that is out of
            range or -1 is filled in; a row that no filling makes obey the constraints is left out.
        seed: another seed, another array.
        effort: budget of post-optimisation and annealing; 0 leaves the better start, larger numbers may save rows. Time grows
            with it.

    Returns:
        int64 array [shape=(rows, factors)]; each run with the same arguments gives the same one.

    Raises:
        RoomtoneError: levels, strength or constraints that do not fit, constraints that nothing can obey, or more
            than `MAX_TUPLES` combinations.

    >>> covering_array([2, 2, 2], 2).shape, covering_array([8] * 6, 2).shape
    ((4, 3), (64, 6))
    """
    from roomtone.coverage.combinatorics import array_kernels as kernels

    sizes = check_levels(levels)
    strength = check_strength(strength, len(sizes))
    rules = Rules(parse_constraints(constraints, sizes), sizes)
    if not rules.possible({}):
        raise RoomtoneError("constraints: no combination of levels obeys them all")
    problem, required = _problem(sizes, strength, rules)
    # an array cannot be smaller than the largest choice of factors
    bound = 1 if rules.forbidden else int(np.diff(np.append(problem.offsets, len(required))).max())
    rows, fixed, state, share = _best_start(problem, required, seed_rows, seed, bound)
    bound = max(bound, fixed)
    if effort > 0 and len(rows) > bound:
        rows = _post_optimised(problem, state, rows, fixed, effort)
        steps = min(_STEPS, _STEPS_PER_TUPLE * len(required))
        rows = _shrink(problem, state, rows, fixed, bound, int(steps * effort * share))
    for row in rows[fixed:]:  # a promise that is cheap to keep
        if kernels.breaks_rule(problem, row):
            raise AssertionError("a row breaks a constraint")
    return rows


def _problem(sizes: Sequence[int], strength: int, rules: Rules) -> tuple[Problem, np.ndarray]:
    from roomtone.coverage.combinatorics.array_kernels import Problem

    factors = len(sizes)
    chosen = list(itertools.combinations(range(factors), strength))
    counts = [math.prod(sizes[f] for f in subset) for subset in chosen]
    if sum(counts) > MAX_TUPLES:
        raise RoomtoneError(
            f"strength: {strength} over {factors} factors makes {sum(counts):,} combinations, more than {MAX_TUPLES:,}"
        )
    strides = np.ones((len(chosen), strength), dtype=np.int64)
    for j in range(strength - 2, -1, -1):
        strides[:, j] = strides[:, j + 1] * [sizes[subset[j + 1]] for subset in chosen]
    containing: list[list[int]] = [[] for _ in range(factors)]
    for i, subset in enumerate(chosen):
        for f in subset:
            containing[f].append(i)
    involved = np.zeros((len(rules.forbidden), factors), dtype=np.bool_)
    forbidden = np.zeros((len(rules.forbidden), factors, max(sizes)), dtype=np.bool_)
    for c, conjunction in enumerate(rules.forbidden):
        for f, values in conjunction.items():
            involved[c, f] = True
            forbidden[c, f, list(values)] = True
    allowed = [allowed_combinations(rules, subset, [sizes[f] for f in subset]) for subset in chosen]
    problem = Problem(
        np.array(sizes, dtype=np.int64),
        np.array(chosen, dtype=np.int64),
        strides,
        np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        np.array(containing, dtype=np.int64),
        involved,
        forbidden,
    )
    return problem, np.concatenate(allowed)


def _state(required: np.ndarray, seed: int) -> State:
    from roomtone.coverage.combinatorics.array_kernels import State

    wanted = np.flatnonzero(required).astype(np.int64)
    open_list = np.zeros(len(required), dtype=np.int64)
    open_list[: len(wanted)] = wanted
    place = np.full(len(required), -1, dtype=np.int64)
    place[wanted] = np.arange(len(wanted))
    start = np.random.SeedSequence(abs(int(seed))).generate_state(1, np.uint64)
    return State(np.zeros(len(required), np.int32), required, open_list, place, np.array([len(wanted)]), start)


def _best_start(
    problem: Problem, required: np.ndarray, seed_rows: Any, seed: int, bound: int
) -> tuple[np.ndarray, int, State, float]:
    """Return the smaller of the two starts, how many of its rows stay, its count, and the share of the annealing it gets."""
    strength = problem.subsets.shape[1]
    found = algebraic_rows(strength, problem.sizes.tolist())
    best: tuple[np.ndarray, int, State, float] | None = None
    if found is not None:
        state = _state(required, seed)
        fixed = _seed_rows(seed_rows, problem, state)
        soft = _obedient(problem, aligned(found, fixed[0]) if len(fixed) else found)
        rows = _completed(problem, state, fixed, soft)
        best = rows, len(fixed), state, _ALGEBRAIC_SHARE
        if len(rows) <= max(bound, len(fixed)):
            return best
    state = _state(required, seed)
    fixed = _seed_rows(seed_rows, problem, state)
    rows = _greedy(problem, state, fixed)
    if best is None or len(rows) < len(best[0]):
        return rows, len(fixed), state, 1.0
    return best


def _seed_rows(seed_rows: Any, problem: Problem, state: State) -> np.ndarray:
    """Return the given rows, blanks filled and impossible ones left out, and count what they cover."""
    from roomtone.coverage.combinatorics import array_kernels as kernels

    sizes = problem.sizes
    if seed_rows is None or len(seed_rows) == 0:
        return np.zeros((0, len(sizes)), dtype=np.int64)
    table = np.array(seed_rows, dtype=np.int64)
    if table.ndim != 2 or table.shape[1] != len(sizes):
        raise RoomtoneError(f"seed_rows: expected [shape=(rows, {len(sizes)})], got {table.shape}")
    table[(table < 0) | (table >= sizes)] = -1
    kept = []
    for row in table:
        if kernels.can_be_full(problem, row):
            kernels.fill_row(problem, state, row)
            kernels.count_row(problem, state, row, 1)
            kept.append(row)
    return np.array(kept, dtype=np.int64).reshape(-1, len(sizes))


def _obedient(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Return the rows with the factors that constraints name left free where a row breaks one."""
    from roomtone.coverage.combinatorics import array_kernels as kernels

    if not len(problem.involved):
        return rows
    named = problem.involved.any(axis=0)
    free = rows.copy()
    for row in free:
        if not kernels.can_be_full(problem, row):
            row[named] = -1
    return free


def _completed(problem: Problem, state: State, fixed: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Return the fixed rows, the others with their free places filled, and greedy rows for what is open still."""
    from roomtone.coverage.combinatorics import post_optimisation as post

    for row in soft:
        post.count_partial(problem, state, row, 1)
    for row in soft:
        if (row < 0).any():
            post.fill_free(problem, state, row)
    return _greedy(problem, state, np.concatenate([fixed, soft]))


def _greedy(problem: Problem, state: State, rows: np.ndarray) -> np.ndarray:
    """Return the rows, which are counted, and greedy ones until nothing is open."""
    from roomtone.coverage.combinatorics import array_kernels as kernels

    count = len(rows)
    while state.open_count[0] > 0:
        room = np.zeros((max(64, len(rows)), len(problem.sizes)), dtype=np.int64)
        rows = np.concatenate([rows[:count], room])
        count = kernels.greedy_rows(problem, state, rows, count, _CANDIDATES)
    return rows[:count].copy()


def _post_optimised(problem: Problem, state: State, rows: np.ndarray, fixed: int, effort: float) -> np.ndarray:
    from roomtone.coverage.combinatorics import post_optimisation as post

    cost = len(rows) * len(problem.offsets) * problem.subsets.shape[1] * 4
    passes = min(_POST_PASSES, max(1, int(_POST_STEPS * effort / cost)))
    trial = rows.copy()
    return trial[: post.drop_rows(problem, state, trial, fixed, passes)].copy()


def _shrink(problem: Problem, state: State, rows: np.ndarray, fixed: int, bound: int, steps: int) -> np.ndarray:
    """Take away rows as long as annealing closes what they leave open, or the budget is spent."""
    from roomtone.coverage.combinatorics import array_kernels as kernels

    cost = 4 * problem.subsets.shape[1] * problem.containing.shape[1] + 40
    best, failures, spent = rows, 0, 0
    while len(best) > max(bound, fixed) and failures < _ATTEMPTS and spent < steps // cost:
        loss = [kernels.only_here(problem, state, row) for row in best[fixed:]]
        gone = fixed + int(np.argmin(loss))
        trial = np.delete(best, gone, axis=0)
        kernels.count_row(problem, state, best[gone], -1)
        # each further attempt at the same size is slower, and so more thorough
        moves = min(steps // cost - spent, max(20_000, steps // cost // 16 * 2**failures))
        if len(trial) > fixed:  # rows that stay cannot be changed
            spent += kernels.anneal(problem, state, trial, fixed, moves, _HOT, _COLD)
        if state.open_count[0] == 0:
            best, failures = trial, 0
            continue
        failures = failures + 1 if len(trial) > fixed else _ATTEMPTS
        for row in trial:
            kernels.count_row(problem, state, row, -1)
        for row in best:
            kernels.count_row(problem, state, row, 1)
    return best
