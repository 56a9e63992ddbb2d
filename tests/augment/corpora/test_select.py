"""Selection: balanced, bounded, seeded, without leakage, and blind to the order of rows."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.augment.corpora import Corpus, open_corpus
from roomtone.augment.corpora.filtering import select_utterances
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.select import Selection
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError


def _utterance(i: int, speaker: str | None, accent: str | None, text: str = "some words") -> Utterance:
    return Utterance(
        f"u{i}", AudioRef(f"/{i}.wav", 0.0, 1.0), text, speaker, accent, accent, "en", "c", attributes={"k": str(i % 2)}
    )


def _take(utterances: list[Utterance], **keys: Any) -> list[Utterance]:
    return list(select_utterances(Selection(**keys), lambda: iter(utterances)))


_PEOPLE = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["welsh", "irish", "welsh|irish", None])), min_size=1, max_size=60
)


@given(people=_PEOPLE, shuffle=st.randoms(use_true_random=False), seed=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_shuffled_corpus_gives_the_same_utterances(
    people: list[tuple[int, str | None]], shuffle: Any, seed: int
) -> None:
    utterances = [_utterance(i, f"s{speaker}", accent) for i, (speaker, accent) in enumerate(people)]
    shuffled = utterances.copy()
    shuffle.shuffle(shuffled)
    for keys in (
        {"max_per_speaker": 2},
        {"balance": True},
        {"max_per_accent": 3, "max_per_speaker": 1},
        {"split": "train"},
    ):
        first = {u.utterance_id for u in _take(utterances, seed=seed, **keys)}
        assert {u.utterance_id for u in _take(shuffled, seed=seed, **keys)} == first


@given(people=_PEOPLE, seed=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_no_speaker_is_in_two_splits_and_none_is_lost(people: list[tuple[int, str | None]], seed: int) -> None:
    utterances = [_utterance(i, f"s{speaker}", accent) for i, (speaker, accent) in enumerate(people)]
    parts = [_take(utterances, split=name, seed=seed) for name in ("train", "dev", "test")]
    speakers = [{u.speaker for u in part} for part in parts]
    assert not speakers[0] & speakers[1]
    assert not speakers[0] & speakers[2]
    assert not speakers[1] & speakers[2]
    assert sum(map(len, parts)) == len(utterances)


@given(people=_PEOPLE, most=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_limits_hold(people: list[tuple[int, str | None]], most: int) -> None:
    utterances = [_utterance(i, f"s{speaker}", accent) for i, (speaker, accent) in enumerate(people)]
    by_speaker = Counter(u.speaker for u in _take(utterances, max_per_speaker=most))
    assert by_speaker == {s: min(most, n) for s, n in Counter(u.speaker for u in utterances).items()}
    balanced = Counter(u.accent for u in _take(utterances, balance=True))
    rarest = min(Counter(u.accent for u in utterances).values())
    assert balanced == dict.fromkeys({u.accent for u in utterances}, rarest)


def test_an_accent_is_filled_from_its_speakers_in_turn() -> None:
    utterances = [_utterance(i, "talkative", "welsh") for i in range(20)]
    utterances += [_utterance(100 + i, f"quiet{i}", "welsh") for i in range(3)]
    taken = Counter(u.speaker for u in _take(utterances, max_per_accent=6))
    assert taken == {"talkative": 3, "quiet0": 1, "quiet1": 1, "quiet2": 1}


def test_splits_are_by_share_of_each_accents_speakers() -> None:
    utterances = [_utterance(i, f"s{i}", "welsh" if i < 20 else "irish") for i in range(30)]
    half = _take(utterances, split="b", splits={"a": 0.5, "b": 0.5})
    assert Counter(u.accent for u in half) == {"welsh": 10, "irish": 5}
    assert {u.utterance_id for u in half} != {
        u.utterance_id for u in _take(utterances, split="b", splits={"a": 0.5, "b": 0.5}, seed=1)
    }


def test_filters_move_no_speaker_into_another_part() -> None:
    utterances = [_utterance(i, f"s{i % 20}", "welsh", "w " * (i % 7)) for i in range(100)]
    for name in ("train", "test"):
        everyone = {u.speaker for u in _take(utterances, split=name)}
        filtered = {u.speaker for u in _take(utterances, split=name, min_words=4, where={"k": "1"}, max_per_speaker=1)}
        assert filtered
        assert filtered <= everyone


def test_filters() -> None:
    utterances = [_utterance(i, f"s{i}", ["welsh", "irish|welsh", None][i % 3], "w " * i) for i in range(9)]
    assert {u.accent for u in _take(utterances, where={"accent": "welsh"})} == {"welsh", "irish|welsh"}
    assert [u.utterance_id for u in _take(utterances, where={"k": ["1"], "speaker": ["s1", "s2", "s3"]})] == [
        "u1",
        "u3",
    ]
    assert [u.utterance_id for u in _take(utterances, min_words=7)] == ["u7", "u8"]
    assert [u.utterance_id for u in _take(utterances, max_words=1)] == ["u0", "u1"]
    assert not _take(utterances, min_duration_s=1.5)
    assert len(_take(utterances, min_duration_s=0.5, max_duration_s=1.0)) == 9
    with pytest.raises(RoomtoneError, match="no utterance has 'genter'; known: accent"):
        _take(utterances, where={"genter": "f"})


def test_distinct_prompts_and_audio(tmp_path: Path) -> None:
    utterances = [_utterance(i, f"s{i}", "welsh", text) for i, text in enumerate(["Say it", "say  it", "other"])]
    assert len(_take(utterances, distinct_prompts=True)) == 2
    noise = np.random.default_rng(0).standard_normal(1600) * 0.1
    for i, samples in enumerate([noise, noise, -noise]):
        soundfile.write(tmp_path / f"{i}.wav", samples, 16000)
    recorded = [dataclasses.replace(u, audio=AudioRef(str(tmp_path / u.audio.path[1:]))) for u in utterances]
    lost = dataclasses.replace(recorded[0], utterance_id="lost", audio=AudioRef(str(tmp_path / "none.wav")))
    taken = _take([*recorded, lost], distinct_audio=True)
    assert [bool(u.problem) for u in taken] == [False, False, True]
    assert "no such file" in (taken[-1].problem or "")


def test_what_cannot_be_used_is_not_lost() -> None:
    broken = [dataclasses.replace(_utterance(i, "s1", "welsh"), problem="is cut") for i in range(3)]
    good = [_utterance(10 + i, "s1", "welsh") for i in range(3)]
    for keys in ({"max_per_speaker": 1}, {"balance": True}, {"min_duration_s": 0.5}):
        taken = _take(broken + good, **keys)
        assert sum(u.problem is not None for u in taken) == 3


def test_wrong_selections_are_refused() -> None:
    for keys, message in [
        ({"split": "tset"}, "there is no split 'tset'; did you mean 'test'"),
        ({"split": "a", "splits": {"a": 0.7, "b": 0.7}}, "add up to 1"),
        ({"max_per_speaker": 0}, "from 1 up, got 0"),
    ]:
        with pytest.raises(RoomtoneError, match=message):
            Selection(**keys)
    with pytest.raises(RoomtoneError, match="unknown key 'max_per_speker'; did you mean 'max_per_speaker'"):
        open_corpus({"reader": "demo", "select": {"max_per_speker": 1}})
    with pytest.raises(RoomtoneError, match="corpus.select leaves no utterance"):
        list(open_corpus({"reader": "demo", "select": {"min_words": 100}}))


def test_a_corpus_applies_map_before_selection() -> None:
    @dataclasses.dataclass(frozen=True)
    class Made(Reader):
        def utterances(self) -> Iterator[Utterance]:
            yield from (_utterance(i, f"s{i}", "Scotland") for i in range(3))

    from roomtone.augment.corpora.accents import load_map

    corpus = Corpus(Made(path="/"), load_map("english"), Selection(where={"accent": "scottish"}))
    assert len(list(corpus)) == 3
    assert {u.accent_raw for u in corpus} == {"Scotland"}


def test_clean_enough_is_measured(tmp_path: Path) -> None:
    from roomtone.core.audio.reading import read_audio

    speech = read_audio(AudioRef("package:demo/american-m1-01.flac"), 16000)
    noise = np.random.default_rng(1).standard_normal(speech.size).astype(np.float32) * 10 ** (-46 / 20)
    soundfile.write(tmp_path / "0.wav", speech, 16000)
    soundfile.write(tmp_path / "1.wav", speech + noise, 16000)  # speech at -36 dBov: 10 dB over its floor
    utterances = [
        dataclasses.replace(_utterance(i, f"s{i}", "a"), audio=AudioRef(str(tmp_path / f"{i}.wav"))) for i in range(2)
    ]
    assert [u.utterance_id for u in _take(utterances, min_speech_to_floor_db=25.0)] == ["u0"]
    assert len(_take(utterances, min_bandwidth_hz=6000.0)) == 2
