"""Starters: a few rows from which a covering array follows by shifting factors and exchanging levels.

The factors stand in blocks on which an abelian group of shifts acts, and a few factors that stay; a group acts on the levels
(`symbol_groups.py`). Every base row stands for all its shifts, every row for all its images. Combinations that the images would cover
only dearly are left to a small array: rows of one level, or an array over the levels that the group leaves alone. The method
is that of Chateauneuf, Colbourn and Kreher (1999) for t = 3 and of Meagher and Stevens (2005) for t = 2.

`starters.txt` holds starters that `bench/coverage_starters.py` found; each line is checked by a test. `find_starter` searches anew.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomtone.coverage.combinatorics.symbol_groups import developed, group, orbits


@dataclass(frozen=True)
class Shape:
    """How a starter is laid out.

    Attributes:
        strength: t.
        levels: v of every factor.
        symbols: the group on the levels, a name that `symbol_groups.group` knows.
        shifts: moduli of the group of shifts, e.g. (3, 3); (1,) is none.
        blocks: blocks of factors, each as long as there are shifts.
        fixed: factors that no shift moves.
        base: base rows, each of which stands for all its shifts.
        still: base rows that have one level throughout a block, which shifts leave alone.
        constants: whether rows of one level each are added, so that equal levels need no base row.
    """

    strength: int
    levels: int
    symbols: str
    shifts: tuple[int, ...] = (1,)
    blocks: int = 1
    fixed: int = 0
    base: int = 1
    still: int = 0
    constants: bool = False

    @property
    def factors(self) -> int:
        """Return the number of factors, k."""
        return self.blocks * math.prod(self.shifts) + self.fixed

    @property
    def unmoved(self) -> int:
        """Return how many levels the group leaves alone."""
        return int(self.symbols.partition("+")[2] or 0)

    @property
    def starter_rows(self) -> int:
        """Return the rows of the starter before levels are exchanged."""
        return self.base * math.prod(self.shifts) + self.still

    @property
    def entries(self) -> int:
        """Return how many levels a starter is written with."""
        return self.base * self.factors + self.still * (self.blocks + self.fixed)

    def rows_to_add(self) -> int:
        """Return the rows of one level that are added, those over unmoved levels aside."""
        return self.levels - self.unmoved if self.constants else 0

    def developed_rows(self) -> int:
        """Return the most rows that the images come to."""
        return self.starter_rows * len(group(self.symbols, self.levels)) + self.rows_to_add()


@dataclass(frozen=True)
class Starter:
    """A shape and the levels of its base rows, factor by factor, base row by base row."""

    shape: Shape
    entries: tuple[int, ...]

    def rows(self) -> np.ndarray:
        """Return the array that follows, but for combinations of unmoved levels alone [shape=(rows, factors)]."""
        shape = self.shape
        starter = np.array(self.entries, dtype=np.int64)[entry_places(shape)]
        images = developed(starter, shape.symbols, shape.levels)
        if not shape.constants:
            return images
        moving = np.arange(shape.levels - shape.unmoved, dtype=np.int64)
        return np.unique(np.concatenate([images, np.repeat(moving[:, None], shape.factors, axis=1)]), axis=0)


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@functools.lru_cache(maxsize=1)
def read_starters() -> tuple[Starter, ...]:
    """Return the starters of `starters.txt`."""
    lines = Path(__file__).with_name("starters.txt").read_text(encoding="utf-8").splitlines()
    return tuple(parse_starter(line) for line in lines if line and not line.startswith("#"))


def parse_starter(line: str) -> Starter:
    """Return the starter that a line of `starters.txt` writes; `written` is the way back.

    >>> parse_starter("3 3 affine 5 1 1 1 0 1 001210").rows().shape
    (33, 6)
    """
    strength, levels, symbols, shifts, *numbers, entries = line.split()
    blocks, fixed, base, still, constants = map(int, numbers)
    moduli = tuple(map(int, shifts.split("x")))
    shape = Shape(int(strength), int(levels), symbols, moduli, blocks, fixed, base, still, bool(constants))
    return Starter(shape, tuple(_DIGITS.index(c) for c in entries))


def written(starter: Starter) -> str:
    """Return a starter as a line of `starters.txt`."""
    shape = starter.shape
    numbers = [shape.blocks, shape.fixed, shape.base, shape.still, int(shape.constants)]
    head = [shape.strength, shape.levels, shape.symbols, "x".join(map(str, shape.shifts)), *numbers]
    return " ".join(map(str, [*head, "".join(_DIGITS[e] for e in starter.entries)]))


def entry_places(shape: Shape) -> np.ndarray:
    """Return which entry stands at each place of the starter [shape=(starter rows, factors)]."""
    length = math.prod(shape.shifts)
    shifted = _shifted(shape.shifts)
    rows = []
    for b in range(shape.base):
        own = b * shape.factors
        for s in range(length):
            moved = [own + block * length + int(place) for block in range(shape.blocks) for place in shifted[s]]
            rows.append([*moved, *range(own + shape.blocks * length, own + shape.factors)])
    for b in range(shape.still):
        own = shape.base * shape.factors + b * (shape.blocks + shape.fixed)
        rows.append(
            [
                *np.repeat(np.arange(own, own + shape.blocks), length),
                *range(own + shape.blocks, own + shape.blocks + shape.fixed),
            ]
        )
    return np.array(rows, dtype=np.int64)


def _shifted(moduli: Sequence[int]) -> np.ndarray:
    """Return where each shift takes each place of a block [shape=(shifts, places)]."""
    places = np.array(list(itertools.product(*map(range, moduli))), dtype=np.int64)
    weights = np.array([math.prod(moduli[i + 1 :]) for i in range(len(moduli))], dtype=np.int64)
    moved: np.ndarray = (places[None, :, :] - places[:, None, :]) % np.array(moduli) @ weights
    return moved


def factor_choices(shape: Shape) -> np.ndarray:
    """Return one choice of t factors of each class under the shifts [shape=(classes, t)]."""
    length = math.prod(shape.shifts)
    moves = np.empty((length, shape.factors), dtype=np.int64)
    moves[:, shape.blocks * length :] = np.arange(shape.blocks * length, shape.factors)
    for block in range(shape.blocks):
        moves[:, block * length : (block + 1) * length] = block * length + _shifted(shape.shifts)
    found: list[tuple[int, ...]] = []
    seen: set[tuple[int, ...]] = set()
    for choice in itertools.combinations(range(shape.factors), shape.strength):
        if choice not in seen:
            found.append(choice)
            seen.update(tuple(row) for row in np.sort(moves[:, choice], axis=1).tolist())
    return np.array(found, dtype=np.int64)


def required_orbits(shape: Shape) -> tuple[np.ndarray, int]:
    """Return the number of each combination's orbit, -1 where added rows cover it whole, and how many are required."""
    combinations = np.array(list(itertools.product(range(shape.levels), repeat=shape.strength)))
    given = (combinations >= shape.levels - shape.unmoved).all(axis=1)
    if shape.constants:
        given |= (combinations == combinations[:, :1]).all(axis=1)
    number = orbits(shape.symbols, shape.levels, shape.strength)
    whole = np.bincount(number) == np.bincount(number, weights=given)
    renumbered = np.where(whole, -1, np.cumsum(~whole) - 1)
    return renumbered[number], int((~whole).sum())


def find_starter(shape: Shape, *, seed: int = 0, moves: int = 200_000, tries: int = 4) -> Starter | None:
    """Return a starter of a shape, found by simulated annealing, or None where the moves were not enough.

    Args:
        shape: what is sought.
        seed: another seed, another search.
        moves: changes of one entry in each try.
        tries: searches from a random start.
    """
    from roomtone.coverage.combinatorics import starter_kernels as kernels
    from roomtone.coverage.combinatorics.array_kernels import next_random

    orbit, count = required_orbits(shape)
    if shape.starter_rows < count:
        return None
    places = entry_places(shape)
    placements = np.ascontiguousarray(places.T[factor_choices(shape)].transpose(0, 2, 1))
    weights = shape.levels ** np.arange(shape.strength - 1, -1, -1, dtype=np.int64)
    search = kernels.Search(placements, _uses(placements, shape.entries), orbit, weights, shape.levels, count)
    random = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    counts = kernels.new_counts(len(placements), count)
    for _ in range(tries):
        entries = np.array([next_random(random) % shape.levels for _ in range(shape.entries)], dtype=np.int64)
        if kernels.anneal_starter(search, entries, counts, random, moves, 0.6, 0.2) == 0:
            return Starter(shape, tuple(map(int, entries)))
    return None


def _uses(placements: np.ndarray, entries: int) -> np.ndarray:
    """Return for each entry the placements that use it, padded with -1 [shape=(entries, most)]."""
    flat = placements.reshape(-1, placements.shape[2])
    owner = np.repeat(np.arange(len(flat)), flat.shape[1])
    pairs = np.unique(np.stack([flat.ravel(), owner], axis=1), axis=0)  # an entry may stand twice in one placement
    counts = np.bincount(pairs[:, 0], minlength=entries)
    uses = np.full((entries, int(counts.max())), -1, dtype=np.int64)
    within = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
    uses[pairs[:, 0], within] = pairs[:, 1]
    return uses
