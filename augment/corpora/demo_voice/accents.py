"""The accents of the demo corpus: which espeak-ng voice gives the phonemes, and in which of Kokoro's sounds they are spoken.

Native accents are espeak-ng's own accent voices; their tables only bridge the two alphabets. The labels that end in `_l1` are
English phonemes in the sounds of another language, with the substitutions that descriptions of learners' English agree on
(Swan and Smith, *Learner English*, 2nd ed. 2001; for Hindi also Wells, *Accents of English* 3, 1982, section 9.6), as
consistently as no person speaks. They are stereotypes of pronunciation with English words, grammar and timing left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from roomtone.augment.corpora.demo_voice.phonemes import Phoneme, Word, kokoro_sounds

#: First characters of espeak-ng's vowels.
_VOWELS = frozenset("aeiouæɐɑɒɔəɚɛɜɪʉʊʌᵻ")


@dataclass(frozen=True)
class Accent:
    """How an accent turns espeak-ng's phonemes into Kokoro's sounds.

    Attributes:
        espeak: the espeak-ng voice whose phonemes these are.
        raw: what the corpus's table calls the accent.
        sounds: phoneme -> sounds, wherever it stands.
        initial, final, after_consonant, before_vowel, stressed: the same at the beginning or end of a word, after a consonant or
            before a vowel of the same word, or where the phoneme bears stress; the first table that has the phoneme decides,
            `sounds` last.
        before_s_cluster: the vowel before a word that begins with s and a consonant.
    """

    espeak: str
    raw: str
    sounds: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)
    final: Mapping[str, str] = field(default_factory=dict)
    after_consonant: Mapping[str, str] = field(default_factory=dict)
    before_vowel: Mapping[str, str] = field(default_factory=dict)
    stressed: Mapping[str, str] = field(default_factory=dict)
    before_s_cluster: str = ""

    def spoken(self, clauses: Sequence[Sequence[Word]]) -> str:
        """Return a sentence in Kokoro's characters: words apart by a space, clauses by a comma, a full stop at the end.

        Raises:
            RoomtoneError: a phoneme has no sound.
        """
        return ", ".join(" ".join(self._word(word) for word in clause) for clause in clauses) + "."

    def _word(self, word: Word) -> str:
        cluster = len(word) > 1 and word[0].ipa == "s" and not _is_vowel(word[1])
        said = (self._phoneme(word, place) for place in range(len(word)))
        return (self.before_s_cluster if cluster else "") + "".join(said)

    def _phoneme(self, word: Word, place: int) -> str:
        phoneme = word[place]
        tables = [
            (self.initial, place == 0),
            (self.final, place == len(word) - 1),
            (self.after_consonant, place > 0 and not _is_vowel(word[place - 1])),
            (self.before_vowel, place + 1 < len(word) and _is_vowel(word[place + 1])),
            (self.stressed, bool(phoneme.stress)),
        ]
        for table, holds in tables:
            if holds and phoneme.ipa in table:
                return phoneme.stress + kokoro_sounds(phoneme.ipa, table)
        return phoneme.stress + kokoro_sounds(phoneme.ipa, self.sounds)


def _is_vowel(phoneme: Phoneme) -> bool:
    return phoneme.ipa[0] in _VOWELS


#: American vowels are trained without length marks, and r after a vowel is a sound of its own.
_RHOTIC = {
    "iː": "i", "uː": "u", "ɔː": "ɔ", "ɑː": "ɑ", "ɜː": "ɜɹ", "ɔːɹ": "ɔɹ", "oːɹ": "ɔɹ", "oː": "ɔ", "ɚ": "əɹ",
}  # fmt: skip
_SPANISH = {
    "v": "b", "z": "s", "ð": "d", "θ": "t", "ʃ": "ʧ", "dʒ": "ʝ", "h": "x", "ɹ": "ɾ", "ɾ": "t", "ŋ": "n",
    "ɪ": "i", "iː": "i", "ᵻ": "i", "ɛ": "e", "æ": "a", "ʌ": "a", "ə": "e", "ɐ": "a", "ʊ": "u", "uː": "u", "ɑː": "o", "ɔː": "o",
    "oː": "o", "ɔːɹ": "oɾ", "oːɹ": "oɾ", "ɜː": "eɾ", "ɚ": "eɾ", "oʊ": "ou", "eɪ": "ei", "aɪ": "ai", "aʊ": "au",
}  # fmt: skip
_FRENCH = {
    "θ": "s", "ð": "z", "ɹ": "ʁ", "ɾ": "t", "ɪ": "i", "iː": "i", "ᵻ": "i", "æ": "a", "ʌ": "œ", "ə": "ə", "ʊ": "u", "uː": "u",
    "ɑː": "ɔ", "ɔː": "o", "oː": "ɔ", "ɔːɹ": "ɔʁ", "oːɹ": "ɔʁ", "ɜː": "œʁ", "ɚ": "œʁ", "oʊ": "o", "eɪ": "e", "aɪ": "aj", "aʊ": "aw",
    "tʃ": "tʃ", "dʒ": "dʒ",
}  # fmt: skip
_ITALIAN = {
    "θ": "t", "ð": "d", "ɹ": "r", "ɾ": "t", "ɪ": "i", "iː": "i", "ᵻ": "i", "æ": "ɛ", "ʌ": "a", "ə": "e", "ɐ": "a", "ʊ": "u",
    "uː": "u", "ɑː": "ɔ", "ɔː": "ɔ", "oː": "o", "ɔːɹ": "ɔr", "oːɹ": "ɔr", "ɜː": "er", "ɚ": "er", "oʊ": "o", "eɪ": "ei", "aɪ": "ai",
    "aʊ": "au", "ŋ": "nɡ",
}  # fmt: skip
_HINDI = {
    "t": "ʈ", "d": "ɖ", "θ": "tʰ", "ð": "d", "v": "ʋ", "w": "ʋ", "ɹ": "ɾ", "eɪ": "eː", "əʊ": "oː", "æ": "ɛː", "ʌ": "ə", "ɒ": "ɔː",
    "ɜː": "əɾ", "ɐ": "ə", "ɑː": "aː",
}  # fmt: skip
_CHINESE = {
    "θ": "s", "ð": "d", "ɹ": "ɻ", "ɾ": "t", "ɪ": "i", "iː": "i", "ᵻ": "i", "æ": "ɛ", "ʌ": "a", "ʊ": "u", "uː": "u", "ɑː": "a",
    "ɔː": "ɔ", "oː": "ɔ", "ɔːɹ": "ɔɻ", "oːɹ": "ɔɻ", "ɜː": "ɤɻ", "ɚ": "ɤɻ", "oʊ": "o", "eɪ": "ei", "aɪ": "ai", "aʊ": "au", "ʃ": "ʂ",
    "ə": "ə",
}  # fmt: skip

#: accent label -> how it is spoken
ACCENTS: dict[str, Accent] = {
    "american": Accent("en-us", "en-us", _RHOTIC),
    "new_york": Accent("en-us-nyc", "en-us-nyc", {"iː": "i", "uː": "u", "ɔː": "ɔə", "ɑː": "ɑ"}),
    "british": Accent("en-gb-x-rp", "en-gb-x-rp", {}),
    # Kokoro has no ʉ. Its British voices front uː as far as that (second formant near 1,700 Hz), while its y is heard as i.
    # r is a tap between vowels and after consonants. espeak-ng leaves out the r of "hour" and "surgeon", which Scottish
    # English sounds
    "scottish": Accent(
        "en-gb-scotland",
        "en-gb-scotland",
        {"r": "ɹ", "ʉː": "uː", "ʉ": "u", "ʌʉ": "ʌu", "eʲ": "e", "ɜ": "əɹ"},
        initial={"r": "ɹ"},
        before_vowel={"r": "ɾ"},
        stressed={"e": "ɛɹ"},
    ),
    "lancashire": Accent("en-gb-x-gbclan", "en-gb-x-gbclan", {}),
    "west_midlands": Accent("en-gb-x-gbcwmd", "en-gb-x-gbcwmd", {}),
    "caribbean": Accent("en-029", "en-029", {}),
    "spanish_l1": Accent("en-us", "en-us in Spanish sounds", _SPANISH, initial={"ɹ": "r"}, before_s_cluster="e"),
    "french_l1": Accent("en-us", "en-us in French sounds", _FRENCH, after_consonant={"ɹ": "ɹ"}),
    "hindi_l1": Accent("en-gb-x-rp", "en-gb-x-rp in Hindi sounds", _HINDI),
    "italian_l1": Accent("en-us", "en-us in Italian sounds", _ITALIAN),
    "chinese_l1": Accent(
        "en-us",
        "en-us in Chinese sounds",
        _CHINESE,
        final={"v": "f", "d": "t", "z": "s", "ɡ": "k", "b": "p"},
        after_consonant={"ɹ": "ɹ"},
        before_vowel={"v": "ʋ"},
    ),
}
