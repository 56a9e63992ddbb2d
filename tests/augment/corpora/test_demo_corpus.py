"""The bundled corpus is what its README says: accents, speakers, sentences, and recordings as a person would hand them in."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from roomtone.augment import DEMO_FOLDER
from roomtone.augment.corpora import open_corpus
from roomtone.augment.corpora.readers.demo import GRAMMAR
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.reading import inspect, read_audio
from roomtone.core.audio.speech_level import active_speech_level

RATE_HZ = 16_000


@cache
def _utterances() -> tuple[Utterance, ...]:
    found = tuple(open_corpus({"reader": "demo"}))
    assert found
    return found


@cache
def _speech(utterance_id: str) -> np.ndarray:
    utterance = next(u for u in _utterances() if u.utterance_id == utterance_id)
    return read_audio(utterance.audio, RATE_HZ)


def _ids() -> list[str]:
    return [u.utterance_id for u in _utterances()]


def test_twelve_accents_with_eight_speakers_who_read_all_sentences() -> None:
    found = _utterances()
    speakers: dict[str, set[str | None]] = defaultdict(set)
    for utterance in found:
        speakers[utterance.accent or ""].add(utterance.speaker)
    assert len(speakers) == 12
    assert {len(names) for names in speakers.values()} == {8}
    assert {u.speech_origin for u in found} == {"synthetic"}
    assert set(Counter((u.accent, u.text) for u in found).values()) == {1}  # each accent reads each sentence once
    assert len({u.text for u in found}) == 16
    assert sum(len((u.text or "").split()) >= 14 for u in found) == 4 * 12  # some are longer


def test_women_and_men_read_the_same_sentences() -> None:
    """They once read different ones, so that sentences looked like a gap between genders."""
    read = Counter((u.text, u.attributes["voice_gender"]) for u in _utterances())
    assert set(read.values()) == {6}
    assert len(read) == 32


def test_the_readme_names_every_accent_and_the_bundle_is_small() -> None:
    readme = (DEMO_FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"| {accent} |" in readme for accent in {u.accent for u in _utterances()})
    assert "synthetic" in readme
    assert "Apache License 2.0" in readme
    assert sum(path.stat().st_size for path in DEMO_FOLDER.iterdir()) <= 8e6
    audio = {path.name for path in DEMO_FOLDER.glob("*.flac")}
    assert audio == {str(u.audio.path).removeprefix("package:demo/") for u in _utterances()}


def test_each_recording_is_whole_level_and_unclipped() -> None:
    """Speech begins after the lead-in and ends before the tail, so that no first or last sound is cut."""
    for name in _ids():
        speech = _speech(name).astype(np.float64)
        info = inspect(f"package:demo/{name}.flac")
        assert (info.sample_rate_hz, info.channels, info.format) == (RATE_HZ, 1, "FLAC")
        assert 1.5 <= speech.size / RATE_HZ <= 6.0
        assert np.abs(speech).max() < 0.2  # -40 dBov of active speech peaks some 20 dB above that
        level = active_speech_level(speech.astype(np.float32), RATE_HZ).level_dbov
        assert level == pytest.approx(-40.0, abs=1.0)
        for edge in (speech[: int(0.07 * RATE_HZ)], speech[-int(0.09 * RATE_HZ) :]):
            assert -50.0 <= _rms_db(edge) - level <= -36.0, name


def test_no_recording_is_silent_anywhere() -> None:
    """Digital silence breaks recognisers; the longest stretch of equal samples is that of a low floor, a few milliseconds."""
    for name in _ids():
        changes = np.flatnonzero(np.diff(_speech(name)))
        assert np.diff(changes).max() <= 0.005 * RATE_HZ, name


def test_each_speaker_has_a_room_of_their_own() -> None:
    """Recordings of one speaker have one floor, within the scatter of 0.07 s; speakers' floors differ by 10 dB in all."""
    floors: dict[str | None, list[float]] = defaultdict(list)
    for utterance in _utterances():
        speech = _speech(utterance.utterance_id).astype(np.float64)
        floors[utterance.speaker].append(_rms_db(speech[: int(0.07 * RATE_HZ)]))
    assert max(np.ptp(found) for found in floors.values()) < 5.0
    between = [float(np.mean(found)) for found in floors.values()]
    assert 7.0 <= np.ptp(between) <= 12.0


def test_a_recogniser_takes_the_grammar_and_knows_every_word() -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    decoder = pocketsphinx.Decoder(jsgf=str(GRAMMAR), loglevel="FATAL")
    words = {word for u in _utterances() for word in (u.text or "").split()}
    assert all(decoder.lookup_word(word) for word in words)


def _rms_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.square(samples).mean())))
