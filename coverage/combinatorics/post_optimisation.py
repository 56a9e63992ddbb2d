"""Post-optimisation: rows taken out of a finished covering array by moving what they alone hold into free places of the others.

After Nayeri, Colbourn and Konjevod (2013): an entry all of whose combinations stand elsewhere too is free. The row with fewest
combinations of its own is freed first, then the others; it is taken out, the free places of the others are filled with what
that opens, and where nothing stays open the array is a row smaller. Any levels, any constraints; every step is kept covering.
"""

from __future__ import annotations

import numba
import numpy as np

from roomtone.coverage.combinatorics.array_kernels import Problem, State, add_tuple, drop_tuple, fill_row, next_random


@numba.njit(cache=True)
def tuple_or_none(problem: Problem, subset: int, row: np.ndarray) -> int:
    """Return the number of the tuple that a row holds in one choice of factors, -1 where one of them is free."""
    index = problem.offsets[subset]
    for j in range(problem.subsets.shape[1]):
        value = row[problem.subsets[subset, j]]
        if value < 0:
            return -1
        index += problem.strides[subset, j] * value
    return int(index)


@numba.njit(cache=True)
def count_partial(problem: Problem, state: State, row: np.ndarray, sign: int) -> None:
    """Add (sign 1) or take away (sign -1) every tuple that a row, perhaps with free places, holds."""
    for subset in range(len(problem.offsets)):
        index = tuple_or_none(problem, subset, row)
        if index >= 0:
            if sign > 0:
                add_tuple(state, index)
            else:
                drop_tuple(state, index)


@numba.njit(cache=True)
def own_tuples(problem: Problem, state: State, row: np.ndarray) -> int:
    """Return how many required tuples no other row holds; free places hold none."""
    count = 0
    for subset in range(len(problem.offsets)):
        index = tuple_or_none(problem, subset, row)
        if index >= 0 and state.times[index] == 1 and state.required[index]:
            count += 1
    return count


@numba.njit(cache=True)
def is_needed(problem: Problem, state: State, row: np.ndarray, factor: int) -> bool:
    """Return whether some required tuple with this entry stands in no other row."""
    for i in range(problem.containing.shape[1]):
        index = tuple_or_none(problem, problem.containing[factor, i], row)
        if index >= 0 and state.times[index] == 1 and state.required[index]:
            return True
    return False


@numba.njit(cache=True)
def free_entries(problem: Problem, state: State, row: np.ndarray) -> int:
    """Free, in random order, every entry that is not needed; return how many places are free."""
    factors = len(problem.sizes)
    start = next_random(state.random) % factors
    step = 1 + next_random(state.random) % factors
    while _gcd(step, factors) != 1:
        step = 1 + step % factors
    free = 0
    for i in range(factors):
        f = (start + i * step) % factors
        if row[f] >= 0 and not is_needed(problem, state, row, f):
            for j in range(problem.containing.shape[1]):
                index = tuple_or_none(problem, problem.containing[f, j], row)
                if index >= 0:
                    drop_tuple(state, index)
            row[f] = -1
        if row[f] < 0:
            free += 1
    return free


@numba.njit(cache=True)
def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@numba.njit(cache=True)
def fill_free(problem: Problem, state: State, row: np.ndarray) -> None:
    """Fill the free places of a row with what closes most, ties at random."""
    count_partial(problem, state, row, -1)
    fill_row(problem, state, row)
    count_partial(problem, state, row, 1)


@numba.njit(cache=True)
def drop_rows(problem: Problem, state: State, rows: np.ndarray, fixed: int, passes: int) -> int:
    """Take rows out of an array in place; the first `fixed` stay as they are. Return how many rows are left.

    Args:
        problem, state: what is to be covered, and the count of what `rows` hold.
        rows: full rows that hold everything required [shape=(rows, factors)]; the first ones returned are the array.
        fixed: rows that stay.
        passes: passes over the array without success after which it is left.
    """
    count, failures = len(rows), 0
    while failures < passes and count > fixed:
        victim, least = fixed, 1 << 60
        for r in range(fixed, count):
            own = own_tuples(problem, state, rows[r]) * 8 + next_random(state.random) % 8
            if own < least:
                victim, least = r, own
        if failures % 4 == 3:  # another row now and then
            victim = fixed + next_random(state.random) % (count - fixed)
        free_entries(problem, state, rows[victim])
        start = next_random(state.random) % (count - fixed)
        for i in range(count - fixed):
            r = fixed + (start + i) % (count - fixed)
            if r != victim:
                free_entries(problem, state, rows[r])
        count_partial(problem, state, rows[victim], -1)
        for i in range(count - fixed):
            r = fixed + (start + i) % (count - fixed)
            if r != victim:
                fill_free(problem, state, rows[r])
        if state.open_count[0] == 0:
            rows[victim] = rows[count - 1]
            count -= 1
            failures = 0
            continue
        count_partial(problem, state, rows[victim], 1)
        fill_free(problem, state, rows[victim])
        failures += 1
    return count
