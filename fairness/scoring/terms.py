"""Critical words and phrases: how often each is spoken and lost ("milligrams", "morphine", "do not")."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import Alignment
from roomtone.fairness.scoring.counting import align_tokens
from roomtone.fairness.scoring.normalize import plainest, tokenizer_for
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

MOST_TERMS = 1000
#: Lists that come with the package, by name.
LISTS = Path(__file__).with_name("word_lists")


def read_terms(path: str | os.PathLike[str]) -> list[str]:
    """Return the terms of a text file, one a line; empty lines and those that begin with `#` are left out.

    Args:
        path: of the file, UTF-8; or the name of a list that comes with the package: `ward` or `numbers`.

    Raises:
        RoomtoneError: no such file, no terms in it, or more than 1,000.
    """
    file = Path(path)
    bundled = sorted(one.stem for one in LISTS.glob("*.txt"))
    if str(path) in bundled:
        file = LISTS / f"{path}.txt"
    try:
        lines = [line.strip() for line in read_text(file).splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RoomtoneError(
            f"terms: {str(file)!r} cannot be read as text ({type(error).__name__}); give a file, or {' or '.join(bundled)}"
        ) from error
    found = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not 1 <= len(found) <= MOST_TERMS:
        raise RoomtoneError(f"terms: {str(file)!r} holds {len(found)} terms; 1 to {MOST_TERMS:,}, one a line, are read")
    return found


def count_terms(scores: pd.DataFrame, terms: Sequence[str], settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the terms spoken and lost in each sample, and the same by term, group and condition.

    A term is lost where any of its words is.

    Args:
        scores: counts with `text`, `hypothesis` and labels.
        terms: words and phrases, normalised as the texts are.
        settings: of the evaluation.

    Returns:
        `terms, terms_lost` of each row of the scores, null without counts; and a table with the columns of group and condition,
        `term, spoken, lost, rate, speakers`.
    """
    import pandas as pd

    spoken, lost = np.zeros(len(scores)), np.zeros(len(scores))
    found: list[tuple[str, str, str, int, str]] = []
    languages = scores["language"].tolist() if "language" in scores else [None] * len(scores)
    columns = [
        scores[name].tolist() for name in ("text", "hypothesis", settings.group, settings.condition, settings.speaker)
    ]
    usable = scores["hits"].notna().to_numpy(bool)
    for k, (text, hypothesis, group, condition, speaker) in enumerate(zip(*columns)):
        if not usable[k]:
            continue
        tokenizer = tokenizer_for(settings.normalizer, languages[k] if isinstance(languages[k], str) else None)
        reference = plainest(tokenizer.tokens(text))
        places = {term: at for term in terms if (at := _places(plainest(tokenizer.tokens(term)), reference))}
        if not places:
            continue
        wrong = _wrong(align_tokens(reference, tokenizer.tokens(hypothesis)))
        for term, spans in places.items():
            for start, end in spans:
                gone = int(wrong[start:end].any())
                spoken[k], lost[k] = spoken[k] + 1, lost[k] + gone
                found.append((str(group), str(condition), term, gone, str(speaker)))
    each = pd.DataFrame({"terms": spoken, "terms_lost": np.where(usable, lost, np.nan)}, index=scores.index)
    table = pd.DataFrame(found, columns=[settings.group, settings.condition, "term", "lost", "speaker"])
    keys = [settings.group, settings.condition, "term"]
    grouped = (
        table.groupby(keys)
        .agg(spoken=("lost", "size"), lost=("lost", "sum"), speakers=("speaker", "nunique"))
        .reset_index()
    )
    return each, grouped.assign(rate=grouped["lost"] / grouped["spoken"])[[*keys, "spoken", "lost", "rate", "speakers"]]


def _places(term: Sequence[str], words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where a term's words follow each other."""
    size = len(term)
    return [(k, k + size) for k in range(len(words) - size + 1) if size and list(words[k : k + size]) == list(term)]


def _wrong(found: Alignment) -> np.ndarray:
    """Return which reference words are lost [shape=(words,)]."""
    return np.array([op != "C" for op in found.ops if op != "I"], dtype=bool)
