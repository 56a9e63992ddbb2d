"""Word alignment with sclite's weights: substitution 4, insertion 3, deletion 3, a hit 0.

Levenshtein's 1/1/1 often gives the same sum of errors and another split of it; these weights are what NIST's sclite uses, so
substitutions, deletions and insertions agree with its reports. Compiled, because a grid of conditions multiplies sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

SUBSTITUTION, INSERTION, DELETION = 4, 3, 3
#: Operations as `Alignment.ops` and the kernels hold them.
HIT_OP, SUB_OP, DEL_OP, INS_OP = 0, 1, 2, 3


@dataclass(frozen=True)
class Alignment:
    """One reference and one hypothesis side by side; `ops` is one of `C S D I` a column, gaps are None."""

    ops: str
    reference: tuple[str | None, ...]
    hypothesis: tuple[str | None, ...]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Return substitutions, deletions, insertions, hits."""
        return self.ops.count("S"), self.ops.count("D"), self.ops.count("I"), self.ops.count("C")


@numba.njit(cache=True, nogil=True)
def _trace(ref: np.ndarray, hyp: np.ndarray, ops: np.ndarray) -> int:  # pragma: no cover - compiled
    """Write the operations of the cheapest alignment into `ops`, last column first; return their number."""
    n, m = ref.size, hyp.size
    came = np.empty((n + 1, m + 1), dtype=np.uint8)
    above = np.empty(m + 1, dtype=np.int32)
    row = np.empty(m + 1, dtype=np.int32)
    for j in range(m + 1):
        above[j] = j * INSERTION
        came[0, j] = INS_OP
    for i in range(1, n + 1):
        row[0] = i * DELETION
        came[i, 0] = DEL_OP
        for j in range(1, m + 1):
            same = ref[i - 1] == hyp[j - 1]
            best = above[j - 1] + (0 if same else SUBSTITUTION)
            op = HIT_OP if same else SUB_OP
            if row[j - 1] + INSERTION < best:
                best = row[j - 1] + INSERTION
                op = INS_OP
            if above[j] + DELETION < best:
                best = above[j] + DELETION
                op = DEL_OP
            row[j] = best
            came[i, j] = op
        above, row = row, above
    i, j, count = n, m, 0
    while i > 0 or j > 0:
        op = came[i, j]
        ops[count] = op
        count += 1
        if op != INS_OP:
            i -= 1
        if op != DEL_OP:
            j -= 1
    return count


@numba.njit(cache=True, nogil=True)
def _repeated(words: np.ndarray, longest: int) -> int:  # pragma: no cover - compiled
    """Return how many words are in the second or a later copy of an n-gram that follows itself at once."""
    looped = np.zeros(words.size, dtype=np.bool_)
    for n in range(1, longest + 1):
        for start in range(words.size - 2 * n + 1):
            same = True
            for k in range(n):
                if words[start + k] != words[start + n + k]:
                    same = False
                    break
            if same:
                looped[start + n : start + 2 * n] = True
    return int(looped.sum())


@numba.njit(cache=True, nogil=True)
def part(flat: np.ndarray, ends: np.ndarray, k: int) -> np.ndarray:  # pragma: no cover - compiled
    """Return the words of text number k of `WordIds.joined` [shape=(words,)].

    Args:
        flat: ids of all texts, one after the other.
        ends: where each text ends.
        k: number of the text.
    """
    return flat[(ends[k - 1] if k else 0) : ends[k]]


@numba.njit(cache=True, nogil=True)
def _count_all(
    refs: np.ndarray, ref_ends: np.ndarray, hyps: np.ndarray, hyp_ends: np.ndarray, longest: int
) -> np.ndarray:  # pragma: no cover - compiled
    counts = np.zeros((ref_ends.size, 5), dtype=np.int64)
    for k in range(ref_ends.size):
        ref, hyp = part(refs, ref_ends, k), part(hyps, hyp_ends, k)
        ops = np.empty(ref.size + hyp.size, dtype=np.uint8)
        used = _trace(ref, hyp, ops)
        for c in range(used):
            counts[k, ops[c]] += 1
        counts[k, 4] = max(0, _repeated(hyp, longest) - _repeated(ref, longest))
    return counts


@numba.njit(cache=True, nogil=True)
def _count_repeats(
    refs: np.ndarray, ref_ends: np.ndarray, hyps: np.ndarray, hyp_ends: np.ndarray, longest: int
) -> np.ndarray:  # pragma: no cover - compiled
    found = np.zeros(ref_ends.size, dtype=np.int64)
    for k in range(ref_ends.size):
        ref, hyp = part(refs, ref_ends, k), part(hyps, hyp_ends, k)
        found[k] = max(0, _repeated(hyp, longest) - _repeated(ref, longest))
    return found


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Alignment:
    """Return the cheapest alignment of two word sequences; among equals the one sclite's order of choice finds.

    Args:
        reference, hypothesis: words of each side.

    >>> align("hello world".split(), "hello duck".split()).ops
    'CS'
    """
    ids = WordIds()
    ops = np.empty(len(reference) + len(hypothesis), dtype=np.uint8)
    used = _trace(ids.of(reference), ids.of(hypothesis), ops)
    letters = "".join("CSDI"[op] for op in ops[:used][::-1])
    ref, hyp = iter(reference), iter(hypothesis)
    return Alignment(
        letters,
        tuple(None if op == "I" else next(ref) for op in letters),
        tuple(None if op == "D" else next(hyp) for op in letters),
    )


def count_errors(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> np.ndarray:
    """Return hits, substitutions, deletions, insertions and repeated words of each pair [shape=(pairs, 5), int64].

    Repeated words are words of the hypothesis in the second or a later copy of an n-gram (n up to 6) that follows itself at
    once, beyond those the reference repeats: what a recogniser does that has fallen into a loop.

    Args:
        references, hypotheses: words of each pair.
    """
    ids = WordIds()
    refs, ref_ends = ids.joined(references)
    hyps, hyp_ends = ids.joined(hypotheses)
    counts: np.ndarray = _count_all(refs, ref_ends, hyps, hyp_ends, 6)
    return counts


def repeated_words(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the repeated words of each pair, as `count_errors` counts them [shape=(pairs,), int64].

    Args:
        references: words of each reference.
        hypotheses: words of each hypothesis.
    """
    ids = WordIds()
    refs, ref_ends = ids.joined(references)
    hyps, hyp_ends = ids.joined(hypotheses)
    found: np.ndarray = _count_repeats(refs, ref_ends, hyps, hyp_ends, 6)
    return found


class WordIds(dict[str, int]):
    """Words as whole numbers, so that the kernels compare those."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]

    def of(self, words: Sequence[str]) -> np.ndarray:
        return np.fromiter(map(self.__getitem__, words), dtype=np.int64, count=len(words))

    def joined(self, texts: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        ends = np.cumsum([len(words) for words in texts], dtype=np.int64) if texts else np.zeros(0, dtype=np.int64)
        return self.of([word for words in texts for word in words]), ends


def align_network(arcs: Sequence[tuple[int, int, str | None]], hypothesis: Sequence[str]) -> Alignment:
    """Return the cheapest alignment of a hypothesis with any path through a reference network.

    Args:
        arcs: `(from, to, word)` in topological order, node 0 first, the highest node last; a null word is a free passage.
        hypothesis: words.
    """
    last = max((to for _, to, _ in arcs), default=0)
    width = len(hypothesis) + 1
    cost = np.full((last + 1, width), np.inf)
    came: dict[tuple[int, int], tuple[int, int, str, str | None]] = {}
    cost[0, 0] = 0
    incoming: dict[int, list[tuple[int, str | None]]] = {}
    for source, to, word in arcs:
        incoming.setdefault(to, []).append((source, word))
    for node in range(last + 1):
        for j in range(width):
            for price, step in _steps(node, j, incoming.get(node, []), hypothesis, cost):
                if price < cost[node, j]:
                    cost[node, j], came[node, j] = price, step
    return _walk_back(came, last, len(hypothesis), hypothesis)


def _steps(node: int, j: int, incoming: list[Any], hypothesis: Sequence[str], cost: np.ndarray) -> list[Any]:
    """Return `(price, (from node, from j, op, reference word))` of each way to reach a node with j words heard."""
    steps: list[Any] = []
    for source, word in incoming:
        if word is None:
            steps.append((cost[source, j], (source, j, "", None)))
            continue
        if j:
            same = word == hypothesis[j - 1]
            price = cost[source, j - 1] + (0 if same else SUBSTITUTION)
            steps.append((price, (source, j - 1, "C" if same else "S", word)))
        steps.append((cost[source, j] + DELETION, (source, j, "D", word)))
    if j:
        steps.append((cost[node, j - 1] + INSERTION, (node, j - 1, "I", None)))
    return steps


def _walk_back(came: dict[Any, Any], node: int, j: int, hypothesis: Sequence[str]) -> Alignment:
    columns = []
    while (node, j) != (0, 0):
        source, before, op, word = came[node, j]
        if op:
            columns.append((op, word, hypothesis[before] if op != "D" else None))
        node, j = source, before
    columns.reverse()
    ops, refs, hyps = zip(*columns) if columns else ((), (), ())
    return Alignment("".join(ops), tuple(refs), tuple(hyps))
