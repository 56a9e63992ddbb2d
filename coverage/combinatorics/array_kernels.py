"""Inner loops of covering arrays, compiled by numba.

A t-tuple is one number: the offset of its choice of t factors plus its place among that choice's combinations. `times[tuple]` is
how many rows hold it, `open_list[:open_count]` lists the required tuples that none holds, and `place[tuple]` is where in that
list a tuple is, or -1. All randomness comes from one 64-bit state, so a seed gives one array.

Arguments mean the same in every kernel, here and in `post_optimisation.py`:

    problem    what is to be covered and what is forbidden; never changed
    state      what is covered so far; changed in place
    row        levels, one a factor, -1 where not set yet or free [shape=(factors,)]; rows: [shape=(most rows, factors)]
    subset     number of a choice of t factors; index: number of a tuple
    factor     its number; value: one of its levels
    sign       1 counts, -1 takes away; count: rows that are made so far; fixed: how many of them stay as they are
    candidates rows tried for each that is taken; moves: most steps of annealing; hot, cold: its temperatures, in open tuples
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np


class Problem(NamedTuple):
    """What is to be covered.

    subsets, strides: [shape=(choices, t)]; offsets: [shape=(choices,)]; containing: choices that hold a factor
    [shape=(factors, choices per factor)]; forbidden: [shape=(conjunctions, factors, levels)], and which factors
    each conjunction involves.
    """

    sizes: np.ndarray
    subsets: np.ndarray
    strides: np.ndarray
    offsets: np.ndarray
    containing: np.ndarray
    involved: np.ndarray
    forbidden: np.ndarray


class State(NamedTuple):
    """What is covered so far; `open_count` and `random` are arrays of one element, so that kernels can change them."""

    times: np.ndarray
    required: np.ndarray
    open_list: np.ndarray
    place: np.ndarray
    open_count: np.ndarray
    random: np.ndarray


@numba.njit(cache=True)
def next_random(random: np.ndarray) -> int:
    """Return 63 random bits (SplitMix64, Steele et al. 2014)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((z ^ (z >> np.uint64(31))) >> np.uint64(1))


@numba.njit(cache=True)
def tuple_of(problem: Problem, subset: int, row: np.ndarray) -> int:
    """Return the number of the tuple that a row holds in one choice of factors."""
    index = problem.offsets[subset]
    for j in range(problem.subsets.shape[1]):
        index += problem.strides[subset, j] * row[problem.subsets[subset, j]]
    return int(index)


@numba.njit(cache=True)
def add_tuple(state: State, index: int) -> None:
    """Count one more row that holds a tuple."""
    state.times[index] += 1
    if state.times[index] == 1 and state.place[index] >= 0:
        last = state.open_list[state.open_count[0] - 1]
        state.open_list[state.place[index]] = last
        state.place[last] = state.place[index]
        state.place[index] = -1
        state.open_count[0] -= 1


@numba.njit(cache=True)
def drop_tuple(state: State, index: int) -> None:
    """Count one row less that holds a tuple."""
    state.times[index] -= 1
    if state.times[index] == 0 and state.required[index]:
        state.open_list[state.open_count[0]] = index
        state.place[index] = state.open_count[0]
        state.open_count[0] += 1


@numba.njit(cache=True)
def count_row(problem: Problem, state: State, row: np.ndarray, sign: int) -> None:
    """Add (sign 1) or take away (sign -1) every tuple of a row."""
    for subset in range(len(problem.offsets)):
        index = tuple_of(problem, subset, row)
        if sign > 0:
            add_tuple(state, index)
        else:
            drop_tuple(state, index)


@numba.njit(cache=True)
def breaks_rule(problem: Problem, row: np.ndarray) -> bool:
    """Return whether a row, perhaps not yet full (-1), matches a forbidden conjunction."""
    for c in range(len(problem.involved)):
        hit = True
        for f in range(len(problem.sizes)):
            if problem.involved[c, f] and (row[f] < 0 or not problem.forbidden[c, f, row[f]]):
                hit = False
                break
        if hit:
            return True
    return False


@numba.njit(cache=True)
def can_be_full(problem: Problem, row: np.ndarray) -> bool:
    """Return whether the unset factors of a row can be set so that it obeys the rules; `row` is left as it was."""
    if breaks_rule(problem, row):
        return False
    if len(problem.involved) == 0:
        return True
    # depth-first without recursion, over the unset factors that rules name
    free = np.empty(len(problem.sizes), np.int64)
    count = 0
    for f in range(len(problem.sizes)):
        if row[f] < 0 and problem.involved[:, f].any():
            free[count] = f
            count += 1
    depth = 0
    while 0 <= depth < count:
        f = free[depth]
        row[f] += 1
        if row[f] >= problem.sizes[f]:
            row[f] = -1
            depth -= 1
        elif not breaks_rule(problem, row):
            depth += 1
    found = depth == count
    for i in range(count):
        row[free[i]] = -1
    return found


@numba.njit(cache=True)
def gain_of(problem: Problem, state: State, row: np.ndarray, factor: int) -> int:
    """Return how many open tuples the factor's value closes with the factors that are set."""
    gain = 0
    for i in range(problem.containing.shape[1]):
        subset = problem.containing[factor, i]
        index = problem.offsets[subset]
        for j in range(problem.subsets.shape[1]):
            value = row[problem.subsets[subset, j]]
            if value < 0:
                index = -1
                break
            index += problem.strides[subset, j] * value
        if index >= 0 and state.place[index] >= 0:
            gain += 1
    return gain


@numba.njit(cache=True)
def subset_of(problem: Problem, index: int) -> int:
    """Return the choice of factors that a tuple belongs to."""
    return int(np.searchsorted(problem.offsets, index, side="right")) - 1


@numba.njit(cache=True)
def fill_row(problem: Problem, state: State, row: np.ndarray) -> int:
    """Set the unset factors in random order, each to the value that closes most, ties at random; return the gain."""
    factors = len(problem.sizes)
    order = np.arange(factors)
    for i in range(factors - 1, 0, -1):
        j = next_random(state.random) % (i + 1)
        order[i], order[j] = order[j], order[i]
    total = 0
    for i in range(factors):
        f = order[i]
        if row[f] >= 0:
            continue
        best, best_gain, ties = -1, -1, 0
        for value in range(problem.sizes[f]):
            row[f] = value
            if len(problem.involved) and not can_be_full(problem, row):
                continue
            gain = gain_of(problem, state, row, f)
            if gain > best_gain:
                best, best_gain, ties = value, gain, 1
            elif gain == best_gain:
                ties += 1
                if next_random(state.random) % ties == 0:
                    best = value
        row[f] = best
        total += best_gain
    return total


@numba.njit(cache=True)
def greedy_rows(problem: Problem, state: State, rows: np.ndarray, count: int, candidates: int) -> int:
    """Append rows until nothing is open, each the best of some candidates around an open tuple (after AETG); return the count."""
    strength = problem.subsets.shape[1]
    row = np.empty(len(problem.sizes), np.int64)
    best_row = np.empty(len(problem.sizes), np.int64)
    while state.open_count[0] > 0 and count < len(rows):
        best = -1
        for _ in range(candidates):
            index = state.open_list[next_random(state.random) % state.open_count[0]]
            row[:] = -1
            set_tuple(problem, row, index)
            gain = fill_row(problem, state, row)
            if strength == 1:
                gain += 1
            if gain > best:
                best = gain
                best_row[:] = row
        rows[count] = best_row
        count_row(problem, state, best_row, 1)
        count += 1
    return count


@numba.njit(cache=True)
def set_tuple(problem: Problem, row: np.ndarray, index: int) -> None:
    """Give a row the levels of a tuple."""
    subset = subset_of(problem, index)
    rest = index - problem.offsets[subset]
    for j in range(problem.subsets.shape[1]):
        row[problem.subsets[subset, j]] = rest // problem.strides[subset, j]
        rest = rest % problem.strides[subset, j]


@numba.njit(cache=True)
def set_value(problem: Problem, state: State, row: np.ndarray, factor: int, value: int) -> None:
    """Change one value of a row that is counted."""
    for i in range(problem.containing.shape[1]):
        drop_tuple(state, tuple_of(problem, problem.containing[factor, i], row))
    row[factor] = value
    for i in range(problem.containing.shape[1]):
        add_tuple(state, tuple_of(problem, problem.containing[factor, i], row))


@numba.njit(cache=True)
def anneal(problem: Problem, state: State, rows: np.ndarray, fixed: int, moves: int, hot: float, cold: float) -> int:
    """Put open tuples into rows until none is open or the moves are spent; return the moves made.

    A move gives a random row the levels of a random open tuple. Rows that differ from it in one factor only are preferred;
    a move that opens more tuples than it closes is kept with the probability of simulated annealing.
    """
    strength = problem.subsets.shape[1]
    wanted = np.empty(len(problem.sizes), np.int64)
    before = np.empty(len(problem.sizes), np.int64)
    for move in range(moves):
        if state.open_count[0] == 0:
            return move
        index = state.open_list[next_random(state.random) % state.open_count[0]]
        subset = subset_of(problem, index)
        set_tuple(problem, wanted, index)
        row = rows[0]
        for attempt in range(12):
            row = rows[fixed + next_random(state.random) % (len(rows) - fixed)]
            differing = 0
            for j in range(strength):
                f = problem.subsets[subset, j]
                if row[f] != wanted[f]:
                    differing += 1
            if differing <= 1 or attempt >= 11:
                break
        before[:] = row
        cost = state.open_count[0]
        for j in range(strength):
            f = problem.subsets[subset, j]
            if row[f] != wanted[f]:
                set_value(problem, state, row, f, wanted[f])
        worse = state.open_count[0] - cost
        temperature = hot * (cold / hot) ** (move / moves)
        chance = (next_random(state.random) & 0xFFFFFFFF) / 4294967296.0
        refused = worse > 0 and chance >= np.exp(-worse / temperature)
        if refused or (len(problem.involved) and breaks_rule(problem, row)):
            for j in range(strength):
                f = problem.subsets[subset, j]
                if row[f] != before[f]:
                    set_value(problem, state, row, f, before[f])
    return moves


@numba.njit(cache=True)
def only_here(problem: Problem, state: State, row: np.ndarray) -> int:
    """Return how many required tuples no other row holds."""
    count = 0
    for subset in range(len(problem.offsets)):
        index = tuple_of(problem, subset, row)
        if state.times[index] == 1 and state.required[index]:
            count += 1
    return count
