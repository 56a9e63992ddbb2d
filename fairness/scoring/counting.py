"""Counts of many pairs of tokenised texts at once: compiled where both are plain words, the nearest readings elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.fairness.scoring.alignment import Alignment, align, count_errors
from roomtone.fairness.scoring.lattice import Token, align_nearest

Tokens = Sequence[Token]


def align_tokens(reference: Tokens, hypothesis: Tokens) -> Alignment:
    """Return the alignment of two tokenised texts, of several readings the nearest.

    Args:
        reference: tokens of the reference.
        hypothesis: tokens of the hypothesis.

    >>> align_tokens([(("one", "twenty"), ("one", "two", "zero"))], ["one", "two", "zero"]).ops
    'CCC'
    """
    ref, hyp = relevant(reference, hypothesis), relevant(hypothesis, reference)
    plain_ref, plain_hyp = as_words(ref), as_words(hyp)
    if plain_ref is not None and plain_hyp is not None:
        return align(plain_ref, plain_hyp)
    return align_nearest(ref, hyp)


def relevant(tokens: Tokens, other: Tokens) -> Tokens:
    """Return the tokens without the readings that share no word with the other side; the plainest reading stays.

    A figure that the other side lacks counts with its plainest reading, not with its shortest.

    Args:
        tokens: of one side.
        other: of the other side.
    """
    if all(isinstance(token, str) for token in tokens):
        return tokens
    known: set[str] = set()
    for token in other:
        known.update(*([(token,)] if isinstance(token, str) else token))
    kept: list[Token] = []
    for token in tokens:
        if isinstance(token, str):
            kept.append(token)
            continue
        first, *rest = token
        near = (first, *(reading for reading in rest if not known.isdisjoint(reading)))
        if len(near) > 1:
            kept.append(near)
        else:
            kept += first
    return kept


def as_words(tokens: Tokens) -> list[str] | None:
    """Return the tokens as plain words, or None where a token has several readings.

    Args:
        tokens: of one side.
    """
    words = [token for token in tokens if isinstance(token, str)]
    return words if len(words) == len(tokens) else None


def count_tokens(references: Sequence[Tokens], hypotheses: Sequence[Tokens]) -> np.ndarray:
    """Return hits, substitutions, deletions and insertions of each pair.

    Args:
        references: one tokenised text a pair.
        hypotheses: as many.

    Returns:
        Counts [shape=(pairs, 4), int64].
    """
    # a recogniser that hears a text right hears it so in many conditions: lists that are shared are aligned once
    pairs = {(id(r), id(h)): (r, h) for r, h in zip(references, hypotheses)}
    number = {key: k for k, key in enumerate(pairs)}
    at = np.fromiter((number[id(r), id(h)] for r, h in zip(references, hypotheses)), np.int64, len(references))
    return _count_pairs(list(pairs.values()))[at]


def _count_pairs(pairs: Sequence[tuple[Tokens, Tokens]]) -> np.ndarray:
    counts = np.zeros((len(pairs), 4), dtype=np.int64)
    plain: list[int] = []
    words: tuple[list[list[str]], list[list[str]]] = ([], [])
    for k, (reference, hypothesis) in enumerate(pairs):
        sides = relevant(reference, hypothesis), relevant(hypothesis, reference)
        ref, hyp = as_words(sides[0]), as_words(sides[1])
        if ref is not None and hyp is not None:
            plain.append(k)
            words[0].append(ref)
            words[1].append(hyp)
        else:
            s, d, i, c = align_nearest(*sides).counts
            counts[k] = (c, s, d, i)
    if plain:
        counts[plain] = count_errors(*words)[:, :4]
    return counts
