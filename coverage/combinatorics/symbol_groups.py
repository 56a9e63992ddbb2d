"""Groups that act on the levels of a factor, and which combinations of levels they carry into one another.

A small array developed under a group (every row replaced by its images) covers a whole orbit of combinations wherever it covers
one of them. So a search over the small array need only see the orbits (Chateauneuf, Colbourn and Kreher 1999; Meagher and
Stevens 2005). A name such as `affine/2+1` says: the affine maps over GF(v - 1) whose slope is a square, one level fixed.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np

from roomtone.coverage.combinatorics.galois_field import field, prime_power


@functools.lru_cache(maxsize=64)
def group(name: str, levels: int) -> np.ndarray:
    """Return every permutation of a group as a row [shape=(order, levels)], the identity first.

    Args:
        name: `identity`, `cyclic` (x + b modulo v), `additive` (x + b over GF), `affine` (a x + b over GF), `affine/n` (a an n-th power) or
            `projective` (the Moebius maps on GF(v - 1) and infinity); `+f` behind it fixes the last f levels.
        levels: v.

    Raises:
        ValueError: there is no such group.

    >>> group("cyclic+1", 3).tolist()
    [[0, 1, 2], [1, 0, 2]]
    >>> len(group("affine", 5)), len(group("projective", 5))
    (20, 60)
    """
    kind, _, fixed = name.partition("+")
    still = int(fixed or 0)
    moving = levels - still
    maps = _maps(kind, moving)
    tail = np.tile(np.arange(moving, levels), (len(maps), 1))
    return np.column_stack([maps, tail]).astype(np.int64)


def _maps(kind: str, moving: int) -> np.ndarray:
    if kind == "identity":
        return np.arange(moving)[None, :]
    if kind == "cyclic":
        return (np.arange(moving)[None, :] + np.arange(moving)[:, None]) % moving
    if kind == "projective":
        return _projective(moving - 1)
    name, _, index = kind.partition("/")
    if name not in ("additive", "affine") or prime_power(moving) is None:
        raise ValueError(f"no group {kind!r} on {moving} levels")
    gf = field(moving)
    slopes = gf.powers(moving - 1)[:: int(index or 1)] if name == "affine" else np.ones(1, dtype=np.int64)
    return np.array([gf.add[gf.multiply[a], b] for a in slopes for b in range(moving)])


def _projective(order: int) -> np.ndarray:
    """Return the maps (a x + b) / (c x + d), a d - b c not 0, on GF(order) and infinity, which is the last level."""
    gf = field(order)
    inverse = np.argmax(gf.multiply == 1, axis=1)
    found: dict[tuple[int, ...], None] = {}
    for a, b, c, d in itertools.product(range(order), repeat=4):
        image = []
        for x in range(order + 1):
            top, below = (a, c) if x == order else (gf.add[gf.multiply[a, x], b], gf.add[gf.multiply[c, x], d])
            image.append(order if below == 0 else int(gf.multiply[top, inverse[below]]))
        if gf.multiply[a, d] != gf.multiply[b, c]:
            found[tuple(image)] = None
    identity = tuple(range(order + 1))
    return np.array([identity, *(row for row in found if row != identity)])


@functools.lru_cache(maxsize=64)
def orbits(name: str, levels: int, strength: int) -> np.ndarray:
    """Return the number of the orbit of each combination of `strength` levels [shape=(levels^strength,)].

    Combinations are numbered in row-major order; orbits by their first combination.

    Args:
        name: a group, as `group` takes it.
        levels: v.
        strength: t.

    >>> orbits("cyclic", 3, 2).tolist()
    [0, 1, 2, 2, 0, 1, 1, 2, 0]
    """
    combinations = np.array(list(itertools.product(range(levels), repeat=strength)), dtype=np.int64)
    weights = levels ** np.arange(strength - 1, -1, -1, dtype=np.int64)
    images = np.stack([permutation[combinations] @ weights for permutation in group(name, levels)])
    return np.unique(images.min(axis=0), return_inverse=True)[1].astype(np.int64)


def developed(rows: np.ndarray, name: str, levels: int) -> np.ndarray:
    """Return every image of every row once [shape=(rows, factors)], in sorted order.

    Args:
        rows: levels [shape=(rows, factors)].
        name: a group, as `group` takes it.
        levels: v.
    """
    images = group(name, levels)[:, rows].reshape(-1, rows.shape[1])
    return np.unique(images, axis=0)
