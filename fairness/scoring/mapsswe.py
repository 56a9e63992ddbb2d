"""Matched-pair sentence-segment word error test (Gillick and Cox 1989; NIST SCTK): the same words in clean and in a condition.

Two alignments of one reference are cut into segments that begin and end with words both got right, so that errors of one segment
do not reach into the next. Segments without errors on either side are dropped, as SCTK drops them. SCTK calls three segments
significant by the normal law; here fewer than 30 are judged by sign flips and fewer than 6 not at all. Where speakers are known they are what is
flipped: they take a condition differently, and with segments for independent a null is rejected in 15 % at 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import Alignment

MIN_GOOD = 2
#: Speakers, or segments, below which even the clearest pattern has p > 0.05.
FEWEST = 6
NORMAL_SEGMENTS = 30
#: Sign patterns above which a random choice of that many is taken.
FLIPS = 9999


@dataclass(frozen=True)
class Mapsswe:
    """Errors of A minus errors of B by segment: their number, mean, standard deviation, Z, and p (null below 6 speakers, or segments)."""

    segments: int
    mean: float
    sd: float
    z: float
    p: float | None
    method: str


def mapsswe(segments: Sequence[tuple[int, int]], speakers: Sequence[str] | None = None) -> Mapsswe:
    """Return the test on the errors of both sides in each segment; segments without errors are dropped.

    Args:
        segments: errors of A and of B in each segment.
        speakers: whose segment each is. Segments of one speaker are alike in how they take a condition, so with speakers the signs of their
            sums are flipped; without, segments count as independent, as SCTK counts them.

    >>> round(mapsswe([(1, 0), (5, 5), (3, 2)]).z, 6)
    2.0
    """
    kept = [k for k, pair in enumerate(segments) if pair[0] or pair[1]]
    d = np.array([segments[k][0] - segments[k][1] for k in kept], dtype=np.float64)
    n = len(d)
    mean = float(d.mean()) if n else math.nan
    sd = float(d.std(ddof=1)) if n > 1 else math.nan
    z = mean / (sd / math.sqrt(n)) if n > 1 and sd > 0 else 0.0
    if speakers is not None:
        each = np.unique([speakers[k] for k in kept], return_inverse=True)[1] if kept else np.zeros(0, dtype=np.int64)
        sums = np.bincount(each, d) if n else np.zeros(0)
        return Mapsswe(n, mean, sd, z, *_by_sign_flips(sums, "speakers"))
    if n < NORMAL_SEGMENTS:
        return Mapsswe(n, mean, sd, z, *_by_sign_flips(d, "segments with errors"))
    return Mapsswe(n, mean, sd, z, math.erfc(abs(z) / math.sqrt(2)), "normal")


def _by_sign_flips(d: np.ndarray, what: str) -> tuple[float | None, str]:
    """Return the p of no difference by flipping signs, exact where all patterns are few, and how it was had."""
    from scipy.stats import permutation_test

    if len(d) < FEWEST:
        return None, f"none: {len(d)} {what}, at least {FEWEST} are needed"
    if not d.any():
        return 1.0, f"sign flips of {what}"
    found = permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=FLIPS, vectorized=True, rng=np.random.default_rng(0)
    )  # fmt: skip
    return float(found.pvalue), f"{'exact ' if 2 ** len(d) <= FLIPS else ''}sign flips of {what}"


def segment_errors(a: Alignment, b: Alignment) -> list[tuple[int, int]]:
    """Return the errors of both alignments in each segment of their common reference, those without errors left out.

    Args:
        a, b: alignments of one reference.

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
