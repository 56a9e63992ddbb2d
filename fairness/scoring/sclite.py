"""NIST's trn files: `words (speaker_utterance)`, with `{ a / b }` alternatives, `@` for nothing and `(word)` for optional words.

Read to compare with sclite's own reports; Roomtone's manifests hold plain words. Source: SCTK `doc/infmts.htm`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import Alignment, align_network

_LINE = re.compile(r"(.*)\(([^()\s]+)\)\s*$")
_TOKEN = re.compile(r"[{}/]|[^\s{}/]+")

Arc = tuple[int, int, str | None]


def read_trn(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return utterance id -> text of a trn file, both case-folded, as sclite compares them.

    Args:
        path: of a file in sclite's `trn` form.

    Raises:
        RoomtoneError: a line without `(id)`, or a duplicate id.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith(";;"):
            continue
        match = _LINE.match(line)
        if not match:
            raise RoomtoneError(f"{path}, line {number}: no (utterance id) at its end: {line[-40:]!r}")
        text, name = match[1].strip().casefold(), match[2].casefold()
        if name in found:
            raise RoomtoneError(f"{path}, line {number}: the utterance {name!r} is a duplicate")
        found[name] = text
    return found


def network(text: str) -> list[Arc]:
    """Return a reference as arcs `(from, to, word)`, in topological order; a null word is a free passage.

    Args:
        text: a reference; `{a / b}` are alternatives, `(a)` is optional.

    Raises:
        RoomtoneError: an alternative is not closed.

    >>> network("a { b / @ }")
    [(0, 1, 'a'), (1, 2, 'b'), (2, 3, None), (1, 3, None)]
    """
    arcs: list[Arc] = []
    node, top = 0, 0
    branches: list[list[str]] | None = None
    for token in _TOKEN.findall(text):
        if token == "{":
            branches = [[]]
        elif token == "/" and branches is not None:
            branches.append([])
        elif token == "}" and branches is not None:
            top = _add_branches(arcs, branches, node, top)
            node, branches = top, None
        elif branches is not None:
            branches[-1].append(token)
        else:
            top += 1
            arcs += _word_arcs(node, top, token)
            node = top
    if branches is not None:
        raise RoomtoneError(f"an alternative is not closed: {text!r}")
    return arcs


def _word_arcs(node: int, to: int, token: str) -> list[Arc]:
    if token == "@":
        return [(node, to, None)]
    if token.startswith("(") and token.endswith(")") and len(token) > 2:
        return [(node, to, token[1:-1]), (node, to, None)]
    return [(node, to, token)]


def _add_branches(arcs: list[Arc], branches: Sequence[Sequence[str]], start: int, top: int) -> int:
    """Add each branch from `start` to a common end, and return that end's number: higher than all between."""
    ends = []
    for branch in branches:
        node = start
        for token in branch:
            if token == "@":
                continue
            top += 1
            arcs += _word_arcs(node, top, token)
            node = top
        ends.append(node)
    top += 1
    arcs += [(node, top, None) for node in ends]
    return top


def score_trn(reference: str, hypothesis: str) -> Alignment:
    """Return the alignment of one trn hypothesis with its reference, the best of all alternatives.

    Args:
        reference: may hold alternatives and optional words.
        hypothesis: words.
    """
    return align_network(network(reference), hypothesis.split())
