"""Alignment of two texts that can each be read in several ways: the readings that are nearest to each other count.

A text is a lattice: nodes in order, arcs that carry a word or nothing. Weights are those of `alignment` (substitution 4, insertion and
deletion 3); among equals the plainest reading wins, which is the one that comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from roomtone.fairness.scoring.alignment import (
    DEL_OP,
    DELETION,
    HIT_OP,
    INS_OP,
    INSERTION,
    SUB_OP,
    SUBSTITUTION,
    Alignment,
)

#: A word, or the ways in which what is written there can be read, each a tuple of words.
Token = str | tuple[tuple[str, ...], ...]
_NOTHING = -1
_FAR = 1 << 28


@dataclass(frozen=True)
class Lattice:
    """Arcs sorted by the node they lead to: `starts[n]:starts[n + 1]` are those into node n.

    `source` is the node an arc comes from, `word` an index into `words`, negative for none.
    """

    starts: np.ndarray
    source: np.ndarray
    word: np.ndarray
    words: tuple[str, ...]


def lattice(tokens: Sequence[Token]) -> Lattice:
    """Return the lattice of a tokenised text.

    Args:
        tokens: words, or all readings of a figure.

    >>> lattice(["a", (("b",), ("c", "d"))]).words
    ('a', 'b', 'c', 'd')
    """
    arcs: list[tuple[int, int, int]] = []
    words: list[str] = []
    node = 0
    for token in tokens:
        readings = ((token,),) if isinstance(token, str) else token
        inner = sum(max(0, len(reading) - 1) for reading in readings)
        end, free = node + inner + 1, node + 1
        for reading in readings:
            at = node
            for k, word in enumerate(reading):
                to = end if k == len(reading) - 1 else free
                free += to != end
                arcs.append((to, at, len(words)))
                words.append(word)
                at = to
            if not reading:
                arcs.append((end, node, _NOTHING))
        node = end
    arcs.sort(key=lambda arc: arc[0])  # stable: readings keep their order
    table = np.array(arcs, dtype=np.int64).reshape(-1, 3)
    starts = np.searchsorted(table[:, 0], np.arange(node + 2)).astype(np.int64)
    return Lattice(starts, table[:, 1].copy(), table[:, 2].copy(), tuple(words))


@numba.njit(cache=True, nogil=True)
def _align(
    ref_starts: np.ndarray, ref_source: np.ndarray, ref_word: np.ndarray,
    hyp_starts: np.ndarray, hyp_source: np.ndarray, hyp_word: np.ndarray,
    ops: np.ndarray, refs: np.ndarray, hyps: np.ndarray,
) -> int:  # fmt: skip  # pragma: no cover - compiled
    """Write the operations of the cheapest path, last first, and the words at each; return their number.

    `ref_word` and `hyp_word` hold one number a word, equal where the words are.
    """
    rows, columns = ref_starts.size - 1, hyp_starts.size - 1
    cost = np.full((rows, columns), _FAR, dtype=np.int64)
    from_ref = np.full((rows, columns), -1, dtype=np.int64)  # arc taken in the reference, or -1
    from_hyp = np.full((rows, columns), -1, dtype=np.int64)
    cost[0, 0] = 0
    for i in range(rows):
        for j in range(columns):
            if i == 0 and j == 0:
                continue
            best, a_best, b_best = _FAR, -1, -1
            for a in range(ref_starts[i], ref_starts[i + 1]):
                if ref_word[a] == _NOTHING:
                    continue
                for b in range(hyp_starts[j], hyp_starts[j + 1]):
                    if hyp_word[b] == _NOTHING:
                        continue
                    price = cost[ref_source[a], hyp_source[b]] + (0 if ref_word[a] == hyp_word[b] else SUBSTITUTION)
                    if price < best:
                        best, a_best, b_best = price, a, b
            for b in range(hyp_starts[j], hyp_starts[j + 1]):
                price = cost[i, hyp_source[b]] + (0 if hyp_word[b] == _NOTHING else INSERTION)
                if price < best:
                    best, a_best, b_best = price, -1, b
            for a in range(ref_starts[i], ref_starts[i + 1]):
                price = cost[ref_source[a], j] + (0 if ref_word[a] == _NOTHING else DELETION)
                if price < best:
                    best, a_best, b_best = price, a, -1
            cost[i, j], from_ref[i, j], from_hyp[i, j] = best, a_best, b_best
    i, j, count = rows - 1, columns - 1, 0
    while i > 0 or j > 0:
        a, b = from_ref[i, j], from_hyp[i, j]
        ref = ref_word[a] if a >= 0 else _NOTHING
        hyp = hyp_word[b] if b >= 0 else _NOTHING
        if ref != _NOTHING or hyp != _NOTHING:
            ops[count] = DEL_OP if hyp == _NOTHING else INS_OP if ref == _NOTHING else HIT_OP if ref == hyp else SUB_OP
            refs[count], hyps[count] = a, b
            count += 1
        i, j = (ref_source[a] if a >= 0 else i), (hyp_source[b] if b >= 0 else j)
    return count


def align_nearest(reference: Sequence[Token], hypothesis: Sequence[Token]) -> Alignment:
    """Return the cheapest alignment of any reading of the reference with any reading of the hypothesis.

    Args:
        reference, hypothesis: tokens of each side.

    >>> align_nearest([(("one", "twenty"), ("one", "two", "zero"))], ["one", "two", "oh"]).ops
    'CCS'
    """
    ref, hyp = lattice(reference), lattice(hypothesis)
    ids: dict[str, int] = {}
    ref_ids, hyp_ids = (_word_ids(side, ids) for side in (ref, hyp))
    size = len(ref.words) + len(hyp.words)
    ops, refs, hyps = (np.empty(size, dtype=np.int64) for _ in range(3))
    count = _align(ref.starts, ref.source, ref_ids, hyp.starts, hyp.source, hyp_ids, ops, refs, hyps)
    order = range(count - 1, -1, -1)
    letters = "".join("CSDI"[ops[k]] for k in order)
    return Alignment(letters, _spoken(ref, refs[:count][::-1]), _spoken(hyp, hyps[:count][::-1]))


def _word_ids(side: Lattice, ids: dict[str, int]) -> np.ndarray:
    """Return a number for the word of each arc, the same for equal words."""
    known = [ids.setdefault(word, len(ids)) for word in side.words]
    return np.array([_NOTHING if k < 0 else known[k] for k in side.word], dtype=np.int64)


def _spoken(side: Lattice, arcs: np.ndarray) -> tuple[str | None, ...]:
    return tuple(None if a < 0 or side.word[a] < 0 else side.words[side.word[a]] for a in arcs.tolist())
