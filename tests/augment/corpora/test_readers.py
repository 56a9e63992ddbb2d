"""Every reader on a corpus in the real layout: rows, counts, accents, what is left out and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from roomtone.augment.corpora import READERS, Utterance, open_corpus
from roomtone.augment.corpora.accents import UNMAPPED
from roomtone.augment.corpora.readers.vctk import read_speakers
from roomtone.core.audio.reading import read_audio
from roomtone.core.errors import RoomtoneError

Layout = Callable[[str], dict[str, Any]]

#: layout -> (accents of the utterances that can be used, speakers, reasons of those that cannot)
EXPECTED: dict[str, tuple[dict[str | None, int], int, list[str]]] = {
    "afrispeech": ({"yoruba_l1": 1, "luo_l1|swahili_l1": 1, "akan_l1": 1, "igbo_l1|yoruba_l1": 1, UNMAPPED: 1}, 5, []),
    "audio_folder": ({"scottish": 2}, 2, []),
    "common_voice": (
        {
            "south_asian": 1,
            "german_l1|non_native": 1,
            "english|lancashire|liverpool": 1,
            None: 1,
            UNMAPPED: 1,
            "american": 1,
        },
        4,
        [],
    ),
    "coraal": ({"african_american": 4}, 1, []),
    "edacc": ({"southern_british": 1, "glaswegian": 1, UNMAPPED: 1}, 3, []),
    "fair_speech": ({"english_l1": 2, "spanish_l1": 1}, 0, []),
    "globe": ({"american": 1, "german_l1|non_native": 1, "south_asian": 1}, 3, []),
    "hf_parquet": ({"welsh": 2}, 2, []),
    "kaldi": ({"welsh": 2, "irish": 1}, 3, ["names a command"]),
    "l2_arctic": ({"arabic_l1": 3, "mandarin_l1": 2, "korean_l1": 2}, 4, []),
    "lhotse": ({"welsh": 1}, 1, ["is a command", "several channels", "MixedCut", "is a url"]),
    "librispeech": ({None: 2}, 1, []),
    "nemo": ({"welsh": 2, "irish": 1}, 2, []),
    "saa": ({"english_l1": 1, "mandarin_l1": 1, UNMAPPED: 1}, 3, []),
    "vctk_new": ({"english": 2, None: 2, "american": 3, "australian": 2}, 5, ["there is no such file"]),
    "vctk_old": ({"english": 1, "new_zealand": 1}, 2, []),
}


def _read(layout: Layout, name: str, **changes: Any) -> list[Utterance]:
    return list(open_corpus(layout(name) | changes))


def test_every_reader_has_a_layout(corpora_script: ModuleType) -> None:
    own = {"demo", "folder", "table", "roomtone"}  # their tests are elsewhere, and below
    assert set(corpora_script.MAKERS) == set(EXPECTED)
    assert {name.removesuffix("_new").removesuffix("_old") for name in EXPECTED} == set(READERS) - own


@pytest.mark.parametrize("name", EXPECTED)
def test_rows_accents_speakers_and_problems(layout: Layout, name: str) -> None:
    accents, speakers, reasons = EXPECTED[name]
    found = _read(layout, name)
    usable = [u for u in found if u.problem is None]
    assert Counter(u.accent for u in usable) == accents
    assert len({u.speaker for u in found} - {None}) == speakers
    problems = [u.problem for u in found if u.problem is not None]
    assert len(problems) == len(reasons)
    for problem, reason in zip(problems, reasons, strict=True):
        assert reason in problem
    assert all(u.text for u in usable if u.speaker != "p315")
    assert all(u.accent_raw for u in usable if name not in ("common_voice", "librispeech"))


@pytest.mark.parametrize("name", EXPECTED)
def test_every_usable_recording_can_be_read(layout: Layout, name: str) -> None:
    """1.6 s each, 2.0 s where a segment runs to the end of its recording; MP3 frames pad by up to 50 ms."""
    for utterance in _read(layout, name):
        if utterance.problem is None:
            seconds = read_audio(utterance.audio, 16000).size / 16000
            assert seconds == pytest.approx(2.0 if utterance.utterance_id == "s2-a" else 1.6, abs=0.051)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_corpus_reads_the_same_twice(layout: Layout, name: str) -> None:
    corpus = open_corpus(layout(name))
    assert list(corpus) == list(corpus)


def test_common_voice_reads_quotes_commas_and_all_releases(
    layout: Layout, corpora_script: ModuleType, tmp_path: Path
) -> None:
    new = _read(layout, "common_voice")
    assert new[1].text == '"Ah, he said, and left.'
    assert new[0].accent_raw == "India and South Asia (India, Pakistan, Sri Lanka)"
    assert new[0].attributes["age"] == "fourties"  # sic
    assert {u.language for u in new} == {"en"}
    old = list(open_corpus(corpora_script.common_voice(tmp_path, corpora_script.Voices(), old=True)))
    assert [u.accent for u in old] == ["indian", "american", "south_atlantic", None, None, "english"]
    with pytest.raises(RoomtoneError, match=r"corpus.split=train: there is none of that name; .*test, validated"):
        _read(layout, "common_voice", split="train")
    lost = [u for u in _read(layout, "common_voice", split="validated") if u.problem]
    assert [u.utterance_id for u in lost] == ["common_voice_en_9999"]


def test_vctk_known_answer(corpora_script: ModuleType, tmp_path: Path) -> None:
    """109 speakers and 12 labels, six of them with four speakers or fewer, on both spellings of the ids."""
    for prefix in ("", "p"):
        path = tmp_path / f"{prefix}speaker-info.txt"
        corpora_script.vctk_speaker_info(path, prefix)
        speakers = read_speakers(path)
        counts = Counter(s.accent for s in speakers)
        assert len(speakers) == 109
        assert counts == {
            **{"English": 33, "American": 22, "Scottish": 19, "Irish": 9, "Canadian": 8, "NorthernIrish": 6},
            **{"SouthAfrican": 4, "Indian": 3, "Australian": 2, "Welsh": 1, "NewZealand": 1, "Unknown": 1},
        }
        assert sum(count <= 4 for count in counts.values()) == 6
        by_id = {s.id.removeprefix("p"): s for s in speakers}
        assert by_id["326"].region == "Sydney"
        assert by_id["374"].region is None
        assert by_id["335"].region is None
        assert by_id["248"].region is None
        assert by_id["315"].region == "New England"
        assert by_id["225"].region == "Southern England"


def test_vctk_microphones_and_lost_files(layout: Layout) -> None:
    second = _read(layout, "vctk_new", mic="mic2")
    assert sorted(u.utterance_id for u in second if u.problem) == ["p280_001", "p280_002", "p362_002"]
    assert {u.attributes.get("region") for u in second if u.speaker == "p280"} == {"France"}
    with pytest.raises(RoomtoneError, match="mic"):
        _read(layout, "vctk_new", mic="mic3")


def test_edacc_leaves_out_what_is_not_scored(layout: Layout) -> None:
    found = _read(layout, "edacc")
    assert [u.utterance_id[-1] for u in found] == ["0", "1", "0"]
    assert found[1].text == "YEAH I THINK SO"
    assert found[0].attributes["ethnicity"] == "White"
    assert found[0].attributes["gender"] == "male"


def test_coraal_keeps_the_people_interviewed_and_their_words(layout: Layout) -> None:
    found = _read(layout, "coraal")
    assert {u.speaker for u in found} == {"ATL_se0_ag1_f_01"}
    assert found[0].text == "I was born in Atlanta, ."
    assert (found[0].attributes["overlap"], found[0].attributes["redacted_or_unclear"]) == ("yes", "yes")
    assert found[1].text == 'Yeah it was "fine.'
    assert found[0].attributes["component"] == "ATL"


def test_fair_speech_has_no_speakers_and_makes_none_up(layout: Layout) -> None:
    assert {u.speaker for u in _read(layout, "fair_speech")} == {None}
    with pytest.raises(RoomtoneError, match="does not say who speaks"):
        _read(layout, "fair_speech", select={"split": "test"})
    assert {u.accent for u in _read(layout, "fair_speech", accent_from=None)} == {None}
    with pytest.raises(RoomtoneError, match="no column 'first_langage' .*did you mean 'first_language'"):
        _read(layout, "fair_speech", accent_from="first_langage")


def test_saa_leaves_out_the_missing_and_mends_the_misspelt(layout: Layout) -> None:
    found = _read(layout, "saa")
    assert "sinhalese2" not in {u.utterance_id for u in found}
    assert [u.attributes["sex"] for u in found] == ["female", "female", "male"]


def test_nemo_durations_without_offsets_are_no_segments(layout: Layout) -> None:
    segments = [(u.audio.offset_s, u.audio.duration_s) for u in _read(layout, "nemo")]
    assert segments == [(0.0, 1.6), (1.6, 1.6), (0.0, None)]


def test_lhotse_supervisions_lie_inside_their_cuts(layout: Layout) -> None:
    first = _read(layout, "lhotse")[0]
    assert (first.audio.offset_s, first.audio.duration_s) == (0.6, 1.6)
    assert first.attributes == {"gender": "f", "condition": "clean"}


def test_recordings_inside_parquet_are_taken_out_once(layout: Layout) -> None:
    keys = layout("globe")
    first = [u.audio.path for u in open_corpus(keys)]
    times = [os.stat(path).st_mtime_ns for path in first]
    assert [u.audio.path for u in open_corpus(keys)] == first
    assert [os.stat(path).st_mtime_ns for path in first] == times
    assert all(path.startswith(keys["cache"]) for path in first)
    with pytest.raises(RoomtoneError, match="corpus.split=tst: .*did you mean 'test'"):
        list(open_corpus(keys | {"split": "tst"}))


def test_two_metadata_files_are_refused(layout: Layout, corpora_script: ModuleType, tmp_path: Path) -> None:
    keys = corpora_script.audio_folder(tmp_path, corpora_script.Voices())
    (tmp_path / "test" / "metadata.csv").write_text("file_name,text\n", encoding="utf-8")
    with pytest.raises(RoomtoneError, match=r"metadata.csv and metadata.jsonl are both in it"):
        list(open_corpus(keys))


@pytest.mark.parametrize("name", EXPECTED)
def test_an_empty_folder_is_refused_in_one_line(layout: Layout, name: str, tmp_path: Path) -> None:
    keys = layout(name)
    with pytest.raises(RoomtoneError) as caught:
        list(open_corpus(keys | {"path": str(tmp_path)}))
    assert str(tmp_path) in str(caught.value) or "corpus.split" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_set_of_roomtones_own_is_a_corpus(tmp_path: Path, write_audio: Callable[..., Path]) -> None:
    from roomtone.core.dataset.manifest import write_part

    write_audio(tmp_path / "audio" / "00000" / "a.flac")
    clean = {
        "sample_id": "a",
        "utterance_id": "u1",
        "condition": "clean",
        "replicate": 0,
        "audio_path": "audio/00000/a.flac",
    }
    speech = {
        "text": "one",
        "speaker": "s",
        "accent": "welsh",
        "corpus": "demo",
        "speech_origin": "synthetic",
        "attr_mic": "x",
    }
    (tmp_path / "manifest").mkdir()
    rows = [clean | speech, clean | speech | {"sample_id": "b", "condition": "ward"}]
    write_part(rows, tmp_path / "manifest" / "part-00000.parquet")
    (utterance,) = open_corpus({"reader": "roomtone", "path": str(tmp_path)})
    assert (utterance.corpus, utterance.speech_origin, utterance.accent) == ("demo", "synthetic", "welsh")
    assert utterance.attributes == {"mic": "x"}
    assert read_audio(utterance.audio, 16000).size == 16000
    with pytest.raises(RoomtoneError, match="corpus.condition=wards: the set has none; did you mean 'ward'"):
        list(open_corpus({"reader": "roomtone", "path": str(tmp_path), "condition": "wards"}))


@pytest.mark.slow
def test_half_a_million_rows_stream_in_300_mb(tmp_path: Path) -> None:
    (tmp_path / "en" / "clips").mkdir(parents=True)
    with open(tmp_path / "en" / "validated.tsv", "w", encoding="utf-8") as file:
        file.write("client_id\tpath\tsentence\taccents\tlocale\n")
        file.writelines(f"{i % 90000:x}\tcv_{i}.mp3\tWords {i}\tUnited States English\ten\n" for i in range(500_000))
    program = (
        "import re; from roomtone.augment.corpora import open_corpus\n"
        f"keys = dict(reader='common_voice', path={str(tmp_path / 'en')!r}, split='validated', accents='common_voice')\n"
        "rows = sum(1 for _ in open_corpus(keys))\n"
        # not ru_maxrss: across a fork it begins at what the parent, here the test runner, holds
        "print(rows, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    rows, peak_kib = map(int, out.split())
    assert rows == 500_000
    assert peak_kib < 300 * 1024
