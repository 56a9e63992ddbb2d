"""Matched-pair sentence-segment word error test (Gillick and Cox 1989; NIST SCTK): the same words in clean and in a condition.

Two alignments of one reference are cut into segments that begin and end with words both got right, so that errors of one segment
do not reach into the next. Segments without errors on either side are dropped, as SCTK drops them. SCTK calls three segments
significant by the normal law; here fewer than 30 are judged by the exact sign-flip test and fewer than 6 not at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import Alignment

MIN_GOOD = 2
FEWEST_SEGMENTS = 6
NORMAL_SEGMENTS = 30


@dataclass(frozen=True)
class Mapsswe:
    """Errors of A minus errors of B by segment: their number, mean, standard deviation, Z, and p (null below 6 segments)."""

    segments: int
    mean: float
    sd: float
    z: float
    p: float | None
    method: str


def mapsswe(segments: Sequence[tuple[int, int]]) -> Mapsswe:
    """Return the test on the errors of both sides in each segment; segments without errors are dropped.

    >>> round(mapsswe([(1, 0), (5, 5), (3, 2)]).z, 6)
    2.0
    """
    kept = np.array([pair for pair in segments if pair[0] or pair[1]], dtype=np.int64).reshape(-1, 2)
    d = kept[:, 0] - kept[:, 1]
    n = len(d)
    mean = float(d.mean()) if n else math.nan
    sd = float(d.std(ddof=1)) if n > 1 else math.nan
    z = mean / (sd / math.sqrt(n)) if n > 1 and sd > 0 else 0.0
    if n < FEWEST_SEGMENTS:
        return Mapsswe(n, mean, sd, z, None, f"none: {n} segments with errors, at least {FEWEST_SEGMENTS} are needed")
    if n < NORMAL_SEGMENTS:
        return Mapsswe(n, mean, sd, z, _sign_flips(d), "exact sign flips")
    return Mapsswe(n, mean, sd, z, math.erfc(abs(z) / math.sqrt(2)), "normal")


def _sign_flips(d: np.ndarray) -> float:
    """Return the share of all 2^n sign patterns whose sum is at least as far from 0, counted exactly."""
    reach = int(np.abs(d).sum())
    ways = [0] * (2 * reach + 1)
    ways[reach] = 1
    for size in np.abs(d).tolist():
        moved = [0] * len(ways)
        for at, count in enumerate(ways):
            if count:
                moved[at - size] += count
                moved[at + size] += count
        ways = moved
    seen = abs(int(d.sum()))
    far = sum(count for at, count in enumerate(ways) if abs(at - reach) >= seen)
    return float(far / 2 ** len(d))


def segment_errors(a: Alignment, b: Alignment) -> list[tuple[int, int]]:
    """Return the errors of both alignments in each segment of their common reference, those without errors left out.

    Raises:
        RoomtoneError: the alignments are of different references.
    """
    words_a, words_b = ([w for w in x.reference if w is not None] for x in (a, b))
    if words_a != words_b:
        raise RoomtoneError(f"MAPSSWE pairs alignments of one reference, got {words_a[:4]} … and {words_b[:4]} …")
    found: list[tuple[int, int]] = []
    errors, good = [0, 0], MIN_GOOD
    for (ins_a, bad_a), (ins_b, bad_b) in zip(_by_word(a), _by_word(b)):
        if ins_a or ins_b:
            errors, good = [errors[0] + ins_a, errors[1] + ins_b], 0
        if bad_a or bad_b:
            errors, good = [errors[0] + bad_a, errors[1] + bad_b], 0
            continue
        good += 1
        if good >= MIN_GOOD and any(errors):
            found.append((errors[0], errors[1]))
            errors = [0, 0]
    if any(errors):
        found.append((errors[0], errors[1]))
    return found


def _by_word(alignment: Alignment) -> Iterable[tuple[int, int]]:
    """Return for each reference word the insertions before it and whether it is wrong; last, the insertions after all."""
    insertions = 0
    for op in alignment.ops:
        if op == "I":
            insertions += 1
            continue
        yield insertions, int(op != "C")
        insertions = 0
    # the end of the utterance closes a segment; it is no word, so it counts as wrong neither way
    yield insertions, 0
