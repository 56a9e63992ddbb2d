"""The demo corpus's voice: every phoneme of every sentence becomes a sound, and the script makes what is bundled."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.augment.corpora.demo_voice.accents import ACCENTS
from roomtone.augment.corpora.demo_voice.phonemes import SOUNDS, Phoneme, kokoro_sounds, phonemes_of
from roomtone.augment.corpora.demo_voice.sentences import SENTENCES
from roomtone.augment.corpora.demo_voice.speakers import NAMES, SPEAKERS
from roomtone.augment.corpora.readers.demo import GRAMMAR
from roomtone.core.errors import RoomtoneError

#: A folder with the voice's packages, for the test that speaks; see `python -m roomtone.augment.corpora.demo_voice`.
PACKAGES = os.environ.get("ROOMTONE_DEMO_VOICE", "")
HOME = GRAMMAR.parent


def _espeak() -> str:
    if shutil.which("espeak-ng") is None:
        return ""
    return subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True, text=True).stdout


needs_espeak = pytest.mark.skipif(" 1.51 " not in _espeak(), reason="needs espeak-ng 1.51, which gave the phonemes")


@needs_espeak
@pytest.mark.parametrize("accent", ACCENTS)
def test_every_phoneme_of_every_sentence_becomes_a_sound(accent: str) -> None:
    """Spoken alone, each word has at least one sound a phoneme: none is dropped, and none is a mark or a pause."""
    spoken = ACCENTS[accent]
    seen = 0
    for sentence in SENTENCES:
        for word in (word for clause in phonemes_of(sentence, spoken.espeak) for word in clause):
            sounds = spoken.spoken([[word]]).removesuffix(".").translate(str.maketrans("", "", "ˈˌ"))
            assert set(sounds) <= SOUNDS
            assert len(sounds) >= len(word)
            seen += len(word)
    assert seen > 500  # sixteen sentences have some 600 phonemes


@needs_espeak
def test_accents_say_different_things() -> None:
    """No two accents speak the sentences in the same sounds, and each native one keeps what it is known by."""
    said = {name: accent.spoken(phonemes_of(SENTENCES[12], accent.espeak)) for name, accent in ACCENTS.items()}
    assert len(set(said.values())) == len(ACCENTS)
    assert "wˈɔɾəɹ" in said["american"]  # a flap, and r after the vowel
    assert "bˈɑːθ" in said["british"]
    assert "bˈaθ" in said["lancashire"]
    assert "bˈaːt" in said["caribbean"]
    assert "wˈɔːtəɹ" in said["scottish"]


def test_a_phoneme_without_a_sound_is_refused() -> None:
    with pytest.raises(RoomtoneError, match="'ʉ': Kokoro has no such sound"):
        kokoro_sounds("ʉ", {})
    with pytest.raises(RoomtoneError, match="'h': Kokoro has no such sound"):
        kokoro_sounds("h", {"h": ""})  # an accent that drops its h must say what it has instead
    with pytest.raises(RoomtoneError, match="'a:'"):
        kokoro_sounds("a:", {"a:": "a:"})  # the colon is punctuation to Kokoro; length is ː


def test_the_place_in_a_word_decides() -> None:
    spanish = ACCENTS["spanish_l1"]
    word = (Phoneme("s"), Phoneme("k"), Phoneme("æ", "ˈ"), Phoneme("n"))
    assert spanish.spoken([[word]]) == "eskˈan."
    room = (Phoneme("ɹ"), Phoneme("uː", "ˈ"), Phoneme("m"))
    assert spanish.spoken([[room], [room, word]]) == "rˈum, rˈum eskˈan."
    seven = tuple(Phoneme(ipa) for ipa in "sɛvən")
    five = (Phoneme("f"), Phoneme("aɪ"), Phoneme("v"))
    assert ACCENTS["chinese_l1"].spoken([[seven, five]]) == "sɛʋən faif."


def test_a_voice_serves_one_accent() -> None:
    voices = [str(speaker) for accent in SPEAKERS.values() for speaker in accent]
    assert set(SPEAKERS) == set(ACCENTS)
    assert len(voices) == len(set(voices)) == len(ACCENTS) * len(NAMES)


def test_the_bundle_says_what_the_script_would_say() -> None:
    from roomtone.augment.corpora.demo_voice.__main__ import corpus

    bundled = _rows("phonemes.csv")
    assert bundled
    assert all(set(row["sounds"]) - set(" ,.ˈˌ") <= SOUNDS for row in bundled)
    if " 1.51 " in _espeak():
        made = [(row, str(speaker), sounds) for row, speaker, sounds in corpus()]
        assert [row for row, _, _ in made] == _rows("table.csv")
        assert [(r["id"], v, s) for r, v, s in made] == [(row["id"], row["voice"], row["sounds"]) for row in bundled]


def test_every_sentence_is_one_of_the_grammar() -> None:
    sentence = re.compile(_pattern(GRAMMAR.read_text(encoding="utf-8")))
    texts = {row["text"] for row in _rows("table.csv")}
    assert len(texts) == len(SENTENCES)
    assert [text for text in texts if not sentence.fullmatch(text + " ")] == []
    assert not sentence.fullmatch("hold the morphine until the bath ")


@needs_espeak
@pytest.mark.slow
@pytest.mark.skipif(not PACKAGES, reason="needs the voice's packages: ROOMTONE_DEMO_VOICE=FOLDER")
@pytest.mark.parametrize("utterance", ["american-m1-01", "french_l1-f2-04"])
def test_the_script_makes_the_bundled_samples(tmp_path: Path, utterance: str) -> None:
    """On the kind of processor that made them; resampling may differ in the last bit, hence 1 LSB."""
    from roomtone.augment.corpora.demo_voice.__main__ import corpus, write_recording
    from roomtone.augment.corpora.demo_voice.kokoro import Kokoro

    row, speaker, sounds = next(found for found in corpus() if found[0]["id"] == utterance)
    write_recording(tmp_path / row["audio"], Kokoro(Path(PACKAGES)).speak(sounds, speaker), row)
    made, bundled = (soundfile.read(folder / row["audio"], dtype="int16")[0] for folder in (tmp_path, HOME))
    assert made.shape == bundled.shape
    assert np.abs(made.astype(int) - bundled).max() <= 1


def _rows(name: str) -> list[dict[str, str]]:
    with open(HOME / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _pattern(grammar: str) -> str:
    """Return a JSGF grammar without recursion as a regular expression in which a space follows each word."""
    rules = dict(re.findall(r"^(?:public )?(<\w+>) = ([^;]+);", grammar, flags=re.MULTILINE))

    def expand(body: str) -> str:
        marks = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|"}
        tokens = re.findall(r"<\w+>|[()\[\]|]|[\w']+", body)
        return "".join(
            f"(?:{expand(rules[token])})" if token in rules else marks.get(token, f"{token} ") for token in tokens
        )

    return expand(rules["<sentence>"])
