"""English text as phonemes, by espeak-ng, in the symbols that Kokoro was trained on.

espeak-ng writes a phoneme as IPA, a stress mark before the vowel that bears it (`espeak-ng --ipa --sep=_`). Kokoro takes one
token a character, and has characters of its own for diphthongs and affricates (`A` for eɪ, `ʧ` for tʃ). What its vocabulary
lacks is mapped to the nearest sound that it has; a phoneme that no table maps is an error, never a gap in the speech.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roomtone.core.errors import RoomtoneError

STRESS = "ˈˌ"
#: Characters of Kokoro's vocabulary that stand for a sound (its 114 tokens less punctuation, stress, tone arrows and the space).
SOUNDS = frozenset("̃ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔːʰʲᵻ")
#: espeak-ng -> Kokoro, where they differ in every accent. ɐ is the article "a"; r and t̪ are nearest-sound replacements.
COMMON = {
    "eɪ": "A", "aɪ": "I", "ɔɪ": "Y", "aʊ": "W", "əʊ": "Q", "oʊ": "O", "tʃ": "ʧ", "dʒ": "ʤ", "ɐ": "ə", "t̪": "t", "a:": "aː", "aa": "aː",
}  # fmt: skip
VOWELS = frozenset("AIOQWYᵊaeiouyɑɐɒæɔəɚɛɜɨɪɯøœʊʌɤᵻ")


@dataclass(frozen=True)
class Phoneme:
    """One phoneme as espeak-ng writes it: IPA without its stress mark, and the mark (`ˈ`, `ˌ` or nothing)."""

    ipa: str
    stress: str = ""


Word = tuple[Phoneme, ...]


def phonemes_of(text: str, voice: str) -> list[list[Word]]:
    """Return a sentence's clauses, each a list of words, as an espeak-ng voice reads them.

    Args:
        text: the sentence.
        voice: of espeak-ng, e.g. `en-gb-scotland`.

    Raises:
        RoomtoneError: espeak-ng is not installed, or fails.
    """
    command = ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", voice, text]
    try:
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise RoomtoneError(f"{' '.join(command)}: {error}; install espeak-ng 1.51") from error
    return [[_word(word) for word in line.split()] for line in printed.splitlines() if line.strip()]


def _word(printed: str) -> Word:
    """Return a word's phonemes.

    >>> _word("ɹ_ˈaɪ_t")
    (Phoneme(ipa='ɹ', stress=''), Phoneme(ipa='aɪ', stress='ˈ'), Phoneme(ipa='t', stress=''))
    """
    parts = [part for part in printed.split("_") if part]
    return tuple(Phoneme(part.strip(STRESS), part[0] if part[0] in STRESS else "") for part in parts)


def kokoro_sounds(ipa: str, sounds: Mapping[str, str]) -> str:
    """Return the Kokoro characters of one phoneme: an accent's own table first, then the common one, then itself.

    Args:
        ipa: the phoneme.
        sounds: the accent's own table, Kokoro's characters by phoneme.

    >>> kokoro_sounds("eɪ", {})
    'A'
    >>> kokoro_sounds("eɪ", {"eɪ": "eː"})
    'eː'

    Raises:
        RoomtoneError: nothing maps the phoneme to characters that Kokoro knows as sounds.
    """
    mapped = sounds.get(ipa, COMMON.get(ipa, ipa))
    if not mapped or not set(mapped) <= SOUNDS:
        raise RoomtoneError(f"phoneme {ipa!r}: Kokoro has no such sound; map it in the accent's table")
    return mapped


def unknown_sounds(symbols: Iterable[str]) -> set[str]:
    """Return the characters among some symbols that Kokoro does not know as sounds."""
    return set("".join(symbols)) - SOUNDS
