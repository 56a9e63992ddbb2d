"""Inner loop of the search for starters, compiled by numba. Only `starters.py` imports this.

What is searched are the entries of a few base rows. A check is a choice of t factors, one of each class under the cyclic shifts; a
placement is where one row of the starter has these factors: t entries. The check is met when its placements show every
required orbit. `times` is how many placements do.

Arguments mean the same in every kernel: `search`, what is to be covered, never changed; `entries`, a level each [shape=(entries,)], and
`counts`, what they show, both changed in place; `use`, a placement as `check * placements + placement`; `found`, an orbit as
`check * orbits + orbit`; `random`, the 64-bit state; `moves`, most steps of annealing from `hot` to `cold`, in open orbits.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from roomtone.coverage.combinatorics.array_kernels import next_random


class Search(NamedTuple):
    """What is to be covered.

    placements: entries [shape=(checks, placements, t)]; of each entry the placements that use it, as numbers
    `check * placements + placement` [shape=(entries, most)], -1 where there are fewer; orbit: orbit of each combination, -1
    where it is not required; offsets: weight of a level at each of the t places; of which levels there are `levels`.
    """

    placements: np.ndarray
    uses: np.ndarray
    orbit: np.ndarray
    weights: np.ndarray
    levels: int
    orbits: int


class Counts(NamedTuple):
    """What the entries show so far: `open_list[:open_count[0]]` are the orbits of checks (`check * orbits + orbit`) that none shows."""

    times: np.ndarray
    open_list: np.ndarray
    place: np.ndarray
    open_count: np.ndarray


def new_counts(checks: int, orbits: int) -> Counts:
    """Return counts in which nothing is shown yet."""
    size = checks * orbits
    return Counts(
        np.zeros(size, np.int32),
        np.arange(size, dtype=np.int64),
        np.arange(size, dtype=np.int64),
        np.full(1, size, dtype=np.int64),
    )


@numba.njit(cache=True)
def orbit_at(search: Search, entries: np.ndarray, use: int) -> int:
    """Return the check and orbit that a placement shows, as one number, or -1."""
    size = search.placements.shape[1]
    check, placement = use // size, use % size
    index = 0
    for j in range(len(search.weights)):
        index += search.weights[j] * entries[search.placements[check, placement, j]]
    found = search.orbit[index]
    return check * search.orbits + found if found >= 0 else -1


@numba.njit(cache=True)
def show(counts: Counts, found: int) -> None:
    """Count one more placement that shows an orbit."""
    counts.times[found] += 1
    if counts.times[found] == 1:
        last = counts.open_list[counts.open_count[0] - 1]
        counts.open_list[counts.place[found]] = last
        counts.place[last] = counts.place[found]
        counts.open_count[0] -= 1


@numba.njit(cache=True)
def hide(counts: Counts, found: int) -> None:
    """Count one placement less."""
    counts.times[found] -= 1
    if counts.times[found] == 0:
        counts.open_list[counts.open_count[0]] = found
        counts.place[found] = counts.open_count[0]
        counts.open_count[0] += 1


@numba.njit(cache=True)
def count_all(search: Search, entries: np.ndarray, counts: Counts) -> None:
    """Count every placement from nothing."""
    for i in range(len(counts.times)):
        counts.times[i] = 0
        counts.open_list[i] = i
        counts.place[i] = i
    counts.open_count[0] = len(counts.times)
    for use in range(search.placements.shape[0] * search.placements.shape[1]):
        found = orbit_at(search, entries, use)
        if found >= 0:
            show(counts, found)


@numba.njit(cache=True)
def change(search: Search, entries: np.ndarray, counts: Counts, entry: int, level: int) -> None:
    """Set one entry and count anew what uses it."""
    for use in search.uses[entry]:
        if use < 0:
            break
        found = orbit_at(search, entries, use)
        if found >= 0:
            hide(counts, found)
    entries[entry] = level
    for use in search.uses[entry]:
        if use < 0:
            break
        found = orbit_at(search, entries, use)
        if found >= 0:
            show(counts, found)


@numba.njit(cache=True)
def closing_change(search: Search, entries: np.ndarray, counts: Counts, random: np.ndarray) -> tuple[int, int]:
    """Return an entry and a level that show an open orbit in a random placement, or a random pair where none does."""
    opened = counts.open_list[next_random(random) % counts.open_count[0]]
    check, wanted = opened // search.orbits, opened % search.orbits
    chosen, level, ties = -1, 0, 0
    for _ in range(8):
        placement = next_random(random) % search.placements.shape[1]
        index = 0
        for j in range(len(search.weights)):
            index += search.weights[j] * entries[search.placements[check, placement, j]]
        for j in range(len(search.weights)):
            entry = search.placements[check, placement, j]
            for x in range(search.levels):
                if search.orbit[index + (x - entries[entry]) * search.weights[j]] == wanted:
                    ties += 1
                    if next_random(random) % ties == 0:
                        chosen, level = entry, x
        if chosen >= 0:
            return chosen, level
    entry = search.placements[
        check, next_random(random) % search.placements.shape[1], next_random(random) % len(search.weights)
    ]
    return entry, next_random(random) % search.levels


@numba.njit(cache=True)
def anneal_starter(
    search: Search, entries: np.ndarray, counts: Counts, random: np.ndarray, moves: int, hot: float, cold: float
) -> int:
    """Change entries by simulated annealing until no orbit is open or the moves are spent; return the open ones."""
    count_all(search, entries, counts)
    for move in range(moves):
        if counts.open_count[0] == 0:
            break
        entry, level = closing_change(search, entries, counts, random)
        before, cost = entries[entry], counts.open_count[0]
        if before == level:
            continue
        change(search, entries, counts, entry, level)
        grown = counts.open_count[0] - cost
        temperature = hot * (cold / hot) ** (move / moves)
        chance = (next_random(random) & 0xFFFFFFFF) / 4294967296.0
        if grown > 0 and chance >= np.exp(-grown / temperature):
            change(search, entries, counts, entry, before)
    return int(counts.open_count[0])
