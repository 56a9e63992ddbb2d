"""corpus=table, corpus=folder and corpus=demo: rows, ids, attributes and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from roomtone.augment.corpora import open_corpus
from roomtone.core.audio.reading import inspect
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

Writer = Callable[..., Path]

ROWS = [
    {"audio": "clips/a.wav", "text": 'say "ah", please', "speaker": "s1", "accent": "welsh", "age": "40"},
    {"audio": "clips/b.flac", "text": "two", "speaker": "s2", "accent": "scottish|irish", "age": ""},
    {"audio": "clips/c.mp3", "text": "three", "speaker": "", "accent": "", "age": "7"},
]


@pytest.fixture
def home(tmp_path: Path, write_audio: Writer) -> Path:
    """A folder with the recordings of ROWS, and no table yet."""
    for row in ROWS:
        write_audio(tmp_path / row["audio"])
    return tmp_path


def _write(home: Path, name: str, rows: list[dict[str, str]] = ROWS) -> str:
    path = home / name
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        frame.to_csv(path, sep="," if path.suffix == ".csv" else "\t", index=False, encoding="utf-8-sig")
    return str(path)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_tables_of_every_kind_hold_the_same_utterances(home: Path, name: str) -> None:
    corpus = open_corpus({"reader": "table", "path": _write(home, name), "language": "en", "name": "mine"})
    first, second, third = list(corpus)
    assert first.utterance_id == "clips/a.wav"
    assert first.audio == AudioRef(str(home / "clips" / "a.wav"))
    assert (first.text, first.speaker, first.accent) == ('say "ah", please', "s1", "welsh")
    assert (first.corpus, first.language, first.speech_origin) == ("mine", "en", "recorded")
    assert first.attributes == {"age": "40"}
    assert (second.accent, second.accent_raw, second.accents) == (
        "irish|scottish",
        "scottish|irish",
        ("irish", "scottish"),
    )
    assert second.attributes == {}
    assert (third.speaker, third.accent, third.accents) == (None, None, ())
    assert [u.problem for u in corpus] == [None] * 3  # and again: a corpus can be read twice


def test_columns_are_renamed_and_done_without(home: Path) -> None:
    rows = [
        {"file": r["audio"], "dialect": r["accent"], "uid": f"u{i}", "from": str(i / 4)} for i, r in enumerate(ROWS)
    ]
    columns = {"audio": "file", "accent": "dialect", "text": None, "speaker": None, "id": "uid", "start": "from"}
    found = list(open_corpus({"reader": "table", "path": _write(home, "t.csv", rows), "columns": columns}))
    assert [u.utterance_id for u in found] == ["u0", "u1", "u2"]
    assert [u.audio.offset_s for u in found] == [0.0, 0.25, 0.5]
    assert found[0].text is None
    assert found[0].attributes == {}


def test_segments_of_one_file_are_utterances_of_their_own(home: Path) -> None:
    rows = [ROWS[0] | {"start": str(i / 2), "duration": "0.5"} for i in range(2)]
    found = list(open_corpus({"reader": "table", "path": _write(home, "t.csv", rows)}))
    assert [u.utterance_id for u in found] == ["clips/a.wav", "clips/a.wav@0.5"]
    assert found[1].audio == AudioRef(str(home / "clips/a.wav"), 0.5, 0.5)


def test_ids_do_not_depend_on_the_order_of_rows(home: Path) -> None:
    forward = list(open_corpus({"reader": "table", "path": _write(home, "t.csv")}))
    backward = list(open_corpus({"reader": "table", "path": _write(home, "b.csv", ROWS[::-1])}))
    assert forward == backward[::-1]


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"columns": {"accent": "acent"}}, "no column 'acent' .for accent.; did you mean 'accent'"),
        ({"columns": {"accent": "dialect"}}, "no column 'dialect' .*known: accent, age, audio, speaker, text"),
        ({"columns": {"acent": "x"}}, "corpus.columns: unknown key 'acent'; did you mean 'accent'"),
        ({"columns": {"start": "begin"}}, "no column 'begin' .for start."),
        ({"pth": "x"}, "unknown key 'pth'; did you mean 'path'"),
        ({"path": None}, "corpus.path is missing"),
        ({"path": "{home}/tt.csv"}, "there is no .*tt.csv; did you mean 't.csv'"),
        ({"path": "{home}/clips"}, "is not a file"),
        ({"path": "{home}/clips/a.wav"}, "not a table that can be read"),
        ({"reader": "tabel"}, "unknown reader 'tabel'; did you mean 'table'"),
    ],
)
def test_wrong_keys_are_named_with_the_nearest(home: Path, cfg: dict, message: str) -> None:
    base = {"reader": "table", "path": _write(home, "t.csv")}
    cfg = {key: value.format(home=home) if isinstance(value, str) else value for key, value in cfg.items()}
    with pytest.raises(RoomtoneError, match=message):
        list(open_corpus(base | cfg))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "audio,text,speaker,accent\n", "no utterances found"),
        ("t.csv", "audio,text,speaker,accent\na,b,c,d,e\n", "line 2: 5 values for 4 columns"),
        ("t.csv", 'audio,text,speaker,accent\na,"b,c,d\n', "near line"),
        ("t.csv", "audio,audio,speaker,accent\n", "two columns are called 'audio'"),
        ("t.jsonl", '{"audio": 1}\n{"audio"\n', "line 2: not JSON"),
        ("t.jsonl", '{"audio": 1}\n', "no column 'text'"),
        ("t.jsonl", "[1]\n", "item 1 of the array: expected one JSON object, got 1"),
        ("t.json", '[{"audio": "a.wav"}, {"audio"', "item 2 of the array: not JSON"),
        ("t.parquet", "PAR1", "not a readable Parquet file"),
    ],
)
def test_broken_tables_are_refused_in_one_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(RoomtoneError, match=message) as caught:
        list(open_corpus({"reader": "table", "path": str(tmp_path / name)}))
    assert "\n" not in str(caught.value)


def test_rows_that_cannot_be_used_say_why(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.wav"
    elsewhere.write_bytes(b"")
    (home / "clips" / "link.wav").symlink_to(elsewhere)
    names = [
        "clips/aa.wav",
        "../x.wav",
        f"{elsewhere.parent}/../{elsewhere.parent.name}/x.wav",
        "clips/link.wav",
        "pipe:cat a.wav",
        "sox a.wav |",
        "s3://b/a.wav",
        "",
    ]
    rows = [ROWS[0] | {"audio": name, "id": f"u{i}"} for i, name in enumerate(names)]
    rows += [
        ROWS[0] | {"id": "t1", "start": "soon"},
        ROWS[0] | {"id": "t2", "start": "-1"},
        ROWS[0] | {"id": "t3", "start": "nan"},
    ]
    problems = [u.problem or "" for u in open_corpus({"reader": "table", "path": _write(home, "t.csv", rows)})]
    expected = ["no such file; did you mean 'a.wav'", *["lies outside of"] * 3, *["names a command or an address"] * 3]
    expected += [
        "names no audio file",
        "is not a number of seconds",
        "is not a length of time",
        "is not a length of time",
    ]
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem


def test_line_breaks_reach_neither_names_nor_texts(home: Path) -> None:
    (home / "clips" / "a\nb.wav").write_bytes((home / "clips" / "a.wav").read_bytes())
    rows = [ROWS[0] | {"audio": "clips/a\nb.wav"}, ROWS[0] | {"text": "one\n two\r\n"}]
    first, second = open_corpus({"reader": "table", "path": _write(home, "t.csv", rows)})
    assert first.problem == "'clips/a\\nb.wav' has control characters in it"
    assert second.text == "one two"


def test_values_that_are_no_text_become_text(home: Path) -> None:
    rows = [{"audio": "clips/a.wav", "text": 12, "speaker": 7, "accent": 1.5, "age": 40, "bad": float("nan")}]
    (utterance,) = open_corpus({"reader": "table", "path": _write(home, "t.parquet", rows)})
    assert (utterance.text, utterance.speaker, utterance.accent) == ("12", "7", "1.5")
    assert utterance.attributes == {"age": "40"}


def test_audio_from_another_folder_needs_that_folder_named(home: Path, write_audio: Writer, tmp_path_factory) -> None:
    audio = write_audio(tmp_path_factory.mktemp("disk") / "x.wav")
    path = _write(home, "t.csv", [ROWS[0] | {"audio": str(audio)}])
    (utterance,) = open_corpus({"reader": "table", "path": path, "root": str(audio.parent)})
    assert utterance.problem is None
    assert inspect(utterance.audio.path).frames == 16000


def test_two_rows_of_one_id_are_refused(home: Path) -> None:
    with pytest.raises(RoomtoneError, match="two utterances are called 'clips/a.wav'"):
        list(open_corpus({"reader": "table", "path": _write(home, "t.csv", [ROWS[0], ROWS[0]])}))


def test_a_folder_with_transcripts_beside(home: Path) -> None:
    (home / "clips" / "a.txt").write_text("give  ten\nmilligrams\n", encoding="utf-8")
    (home / "clips" / "b.txt").write_bytes(b"\xff\xfe\xfa")
    found = list(open_corpus({"reader": "folder", "path": str(home), "accent": "from_parent", "speaker": "me"}))
    assert [u.utterance_id for u in found] == ["clips/a.wav", "clips/b.flac", "clips/c.mp3"]
    assert {(u.accent, u.speaker) for u in found} == {("clips", "me")}
    assert (found[0].text, found[2].text) == ("give ten milligrams", None)
    assert "transcript cannot be read" in (found[1].problem or "")
    with pytest.raises(RoomtoneError, match="corpus.accent is missing"):
        list(open_corpus({"reader": "folder", "path": str(home)}))
    (home / "empty").mkdir()
    with pytest.raises(RoomtoneError, match="no utterances found"):
        list(open_corpus({"reader": "folder", "path": str(home / "empty"), "accent": "x"}))
