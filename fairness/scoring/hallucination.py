"""Text that nobody spoke: repetition loops, and texts longer than the speech can hold.

A recogniser that falls into a loop, or goes on where nothing is said, inserts words; that is another failure than losing them
(Koenecke and others 2024, arXiv 2402.08021; arXiv 2604.21276).
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from roomtone.fairness.scoring.alignment import WordIds, part
from roomtone.fairness.scoring.units import CHARACTER

#: Longest n-gram, in tokens, that is looked for as what a loop repeats.
LONGEST_LOOP = 24
#: Copies in a row from which one word, or a longer n-gram, is a loop.
WORD_COPIES, PHRASE_COPIES = 4, 3
#: Tokens a second that nobody exceeds, and tokens beside them that a short recording may hold: words, characters.
FASTEST = {"word": (8.0, 4), CHARACTER: (20.0, 10)}


@numba.njit(cache=True, nogil=True)
def _most_copies(tokens: np.ndarray, shortest: int, longest: int) -> int:  # pragma: no cover - compiled
    """Return how often an n-gram of these lengths follows itself at most, 1 where none does."""
    most = 1
    for n in range(shortest, min(longest, tokens.size // 2) + 1):
        same = 0  # tokens in a row that equal the one n before
        for k in range(n, tokens.size):
            same = same + 1 if tokens[k] == tokens[k - n] else 0
            if same // n + 1 > most:
                most = same // n + 1
    return most


@numba.njit(cache=True, nogil=True)
def _loops(
    refs: np.ndarray, ref_ends: np.ndarray, hyps: np.ndarray, hyp_ends: np.ndarray, longest: int
) -> np.ndarray:  # pragma: no cover - compiled
    found = np.zeros(ref_ends.size, dtype=np.bool_)
    for k in range(ref_ends.size):
        ref, hyp = part(refs, ref_ends, k), part(hyps, hyp_ends, k)
        words, phrases = _most_copies(hyp, 1, 1), _most_copies(hyp, 2, longest)
        found[k] = (words >= WORD_COPIES and words > _most_copies(ref, 1, 1)) or (
            phrases >= PHRASE_COPIES and phrases > max(_most_copies(ref, 2, longest), _most_copies(ref, 1, 1) // 2)
        )
    return found


def looped(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> np.ndarray:
    """Return which hypotheses hold a repetition loop that their reference does not.

    A loop is one word four times in a row, or a longer n-gram three times, and more often in a row than in the reference.

    Args:
        references: words (or characters) of each reference.
        hypotheses: words of each hypothesis.

    Returns:
        bool [shape=(pairs,)].

    >>> looped([["thank", "you"]] * 2, [["thank", "you"], ["thank", "you"] * 3]).tolist()
    [False, True]
    """
    ids = WordIds()
    refs, ref_ends = ids.joined(references)
    hyps, hyp_ends = ids.joined(hypotheses)
    found: np.ndarray = _loops(refs, ref_ends, hyps, hyp_ends, LONGEST_LOOP)
    return found


def too_long(
    reference_tokens: np.ndarray, hypothesis_tokens: np.ndarray, duration_s: np.ndarray, unit: np.ndarray
) -> np.ndarray:
    """Return which hypotheses are longer than speech of that length can be, and longer than their reference.

    Args:
        reference_tokens: words (or characters) of each reference [shape=(pairs,)].
        hypothesis_tokens: of each hypothesis [shape=(pairs,)].
        duration_s: length of each recording in seconds, NaN where not known [shape=(pairs,)].
        unit: `word` or `character` [shape=(pairs,)].

    Returns:
        1.0, 0.0, or NaN where the duration is not known [shape=(pairs,)].

    >>> too_long(np.array([3, 3]), np.array([3, 40]), np.array([2.0, 2.0]), np.array(["word", "word"])).tolist()
    [0.0, 1.0]
    """
    pace = np.array([FASTEST[str(name)] for name in unit], dtype=np.float64).reshape(-1, 2)
    most = pace[:, 0] * duration_s + pace[:, 1]
    found = ((hypothesis_tokens > most) & (hypothesis_tokens > reference_tokens)).astype(np.float64)
    return np.where(np.isfinite(duration_s), found, np.nan)
