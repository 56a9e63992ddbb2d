"""Words, rare words and phonemes that the speakers of an accent never say, though the set has them.

A recogniser's error on a word shows for an accent only where somebody of it says the word. Phonemes come from a pronouncing dictionary
(a line a word: the word, then its phonemes, as CMUdict has them), or from espeak-ng where that is installed. A word that the
dictionary lacks says nothing of phonemes, and is counted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.words import split_words
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd

#: A word that at most so many utterances of the whole set have is rare.
RARE = 2
#: From the first letter or figure of a word to its last.
_BARE = re.compile(r"\w(?:.*\w)?", re.DOTALL)


def never_said(
    source: OpenSource, axis: Axis, *, dictionary: str | None = None, language: str = "en", rare: int = RARE
) -> pd.DataFrame:
    """Return what no speaker of a value of an axis says, though others do.

    Args:
        source: an open source with transcripts.
        axis: usually `accent`.
        dictionary: a file of pronunciations; `espeak` asks espeak-ng; None looks at words alone.
        language: voice of espeak-ng.
        rare: utterances of the whole set up to which a word is called rare.

    Returns:
        one row an item, the most frequent first: the axis, `kind` (`word`, `rare word`, `phoneme`), `item`, `said_by_others` (utterances).

    Raises:
        RoomtoneError: no transcripts, no such axis, a dictionary that cannot be read, or espeak-ng not installed.
    """
    import pandas as pd

    for name in ("text", axis.column):
        if name not in source.columns:
            raise RoomtoneError(f"vocabulary: no column {name!r}; {nearest(name, source.columns)}")
    said = _words_by_value(source, axis)
    utterances: Counter[str] = Counter()
    for counts in said.values():
        utterances.update(counts)
    phonemes = _pronunciations(utterances, dictionary, language)
    rows = []
    for value, counts in said.items():
        for word in utterances.keys() - counts.keys():
            kind = "rare word" if utterances[word] <= rare else "word"
            rows.append((value, kind, word, utterances[word]))
        own = {phoneme for word in counts for phoneme in phonemes.get(word, ())}
        others: Counter[str] = Counter()
        for word, n in utterances.items():
            for phoneme in set(phonemes.get(word, ())) - own:
                others[phoneme] += n
        rows += [(value, "phoneme", phoneme, n) for phoneme, n in others.items()]
    frame = pd.DataFrame(rows, columns=[axis.column, "kind", "item", "said_by_others"])
    ordered = frame.sort_values(
        [axis.column, "kind", "said_by_others", "item"], ascending=[True, True, False, True], ignore_index=True
    )
    ordered.attrs["words_without_pronunciation"] = len(utterances.keys() - phonemes.keys()) if dictionary else None
    return ordered


def _words_by_value(source: OpenSource, axis: Axis) -> dict[str, Counter[str]]:
    """Return for each value of an axis how many distinct transcripts have each word; copies of one utterance are one."""
    name = "coalesce(CAST(utterance_id AS VARCHAR), '')" if "utterance_id" in source.columns else "''"
    values = axis.parts_sql() if axis.column == "accent" else f"[{source.axis_sql(axis)}]"
    rows = source.connection.execute(
        f"""SELECT DISTINCT unnest({values}) AS value, {name} AS utterance, CAST(text AS VARCHAR) AS text
        FROM {source.relation} WHERE text IS NOT NULL"""
    ).fetchall()
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, (value, utterance, text) in enumerate(rows):
        # copies may spell one utterance in several ways; without ids every transcript is one
        words[value, utterance or f"\0{number}"].update(words_in(text))
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for (value, _), spoken in words.items():
        said[value].update(spoken)
    return {value: said[value] for value in axis.order(said)}


def words_in(text: str) -> list[str]:
    """Return the words of a transcript without case and punctuation around them.

    >>> words_in("Don't stop, Anna!")
    ["don't", 'stop', 'anna']
    """
    found = (_BARE.search(word.casefold()) for word in split_words(text))
    return [word.group() for word in found if word]


def _pronunciations(words: Iterable[str], dictionary: str | None, language: str) -> Mapping[str, tuple[str, ...]]:
    if dictionary is None:
        return {}
    if dictionary == "espeak":
        return _from_espeak(sorted(words), language)
    try:
        lines = read_text(dictionary, errors="replace").splitlines()
    except OSError as error:
        raise RoomtoneError(f"dictionary: {dictionary} cannot be read ({error})") from error
    wanted = set(words)
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *sounds = line.split()[:64] or [""]
        bare = re.sub(r"\(\d+\)$", "", word.casefold())  # CMUdict's second pronunciations
        if bare in wanted and sounds and not line.startswith(";;;"):
            found.setdefault(bare, tuple(re.sub(r"\d$", "", sound) for sound in sounds))  # stress is no phoneme
    if not found:
        raise RoomtoneError(f"dictionary: {dictionary} has none of the set's words; a line is a word and its phonemes")
    return found


def _from_espeak(words: list[str], language: str) -> dict[str, tuple[str, ...]]:
    program = shutil.which("espeak-ng") or shutil.which("espeak")
    if program is None:
        raise RoomtoneError("dictionary=espeak: espeak-ng is not installed; name a pronouncing dictionary instead")
    command = [program, "-q", "--ipa", "--sep=_", "-v", language]
    spoken = subprocess.run(command, input="\n".join(words), capture_output=True, text=True, check=False, timeout=600)
    lines = [line.strip() for line in spoken.stdout.splitlines() if line.strip()]
    if spoken.returncode or len(lines) != len(words):
        raise RoomtoneError(f"dictionary=espeak: {program} gave {len(lines):,} pronunciations for {len(words):,} words")
    return {word: tuple(filter(None, re.split(r"[_ˈˌ\s]+", line))) for word, line in zip(words, lines)}
