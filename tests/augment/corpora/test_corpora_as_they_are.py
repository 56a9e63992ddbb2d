"""Corpora as people bring them: fields that come late, arrays, lists of accents, blanks, composed letters, links, other files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.augment.corpora import open_corpus
from roomtone.augment.corpora.readers import json_rows
from roomtone.cli.main import main
from roomtone.core.audio.reading import read_audio
from roomtone.core.errors import RoomtoneError
from roomtone.coverage import CoverageMatrix, read_manifest

Writer = Callable[..., Path]
RATE = 16000


@pytest.fixture
def home(tmp_path: Path, write_audio: Writer, voice: np.ndarray) -> Path:
    """A folder with a recording of four seconds and two short ones."""
    write_audio(tmp_path / "long.wav", np.tile(voice, 4))
    write_audio(tmp_path / "b.wav")
    write_audio(tmp_path / "c.wav", voice[:12000])
    return tmp_path


def lines(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def utterances(reader: str, path: str, **keys: Any) -> list[Any]:
    return list(open_corpus({"reader": reader, "path": path, **keys}))


# fields of a row


def test_a_field_that_comes_first_in_line_two_is_read(home: Path) -> None:
    """The first line alone was asked for the names: the whole file was rendered under the words of one second."""
    rows = [
        {"audio_filepath": "b.wav", "duration": 1.1, "text": "whole", "speaker": "s", "accent": "welsh"},
        {
            "audio_filepath": "long.wav",
            "offset": 1.0,
            "duration": 1.0,
            "text": "second",
            "speaker": "s",
            "accent": "welsh",
        },
        {
            "audio_filepath": "long.wav",
            "duration": 1.0,
            "text": "first",
            "speaker": "s",
            "accent": "welsh",
            "lang": "cy",
        },
        {"audio_filepath": "c.wav", "id": "named", "text": "third", "speaker": "s", "accent": "welsh"},
    ]
    path = lines(home / "manifest.jsonl", rows)
    whole, second, first, third = utterances("nemo", path)
    assert (second.audio.offset_s, second.audio.duration_s) == (1.0, 1.0)
    assert read_audio(second.audio, RATE).size == RATE
    # NeMo's own rule where a file is cut into segments; the duration of a whole file may be rounded
    assert (first.audio.offset_s, first.audio.duration_s, first.language) == (0.0, 1.0, "cy")
    assert (whole.audio.duration_s, whole.language) == (None, None)
    assert third.utterance_id == "named"
    assert "lang" not in first.attributes


def test_a_needed_field_may_come_late_and_must_come_once(home: Path) -> None:
    rows: list[dict[str, Any]] = [{"audio": "b.wav", "text": "one", "speaker": "s"}]
    path = lines(home / "t.jsonl", [*rows, {"audio": "c.wav", "speaker": "s", "accent": "welsh"}])
    first, second = utterances("table", path)
    assert (first.accent, first.text) == (None, "one")
    assert (second.accent, second.text) == ("welsh", None)
    with pytest.raises(RoomtoneError, match="no column 'accent'.*audio, speaker, text"):
        utterances("table", lines(home / "u.jsonl", rows))


# JSON arrays


def cut(name: str, accent: Any) -> dict[str, Any]:
    return {
        "id": name, "type": "MonoCut", "start": 0.0, "duration": 1.0, "channel": 0,
        "supervisions": [{"id": name, "start": 0.0, "duration": 1.0, "text": "x", "custom": {"accent": accent}}],
        "recording": {"id": name, "sources": [{"type": "file", "channels": [0], "source": "b.wav"}]},
    }  # fmt: skip


@pytest.mark.parametrize("chunk", [1 << 20, 7])
def test_an_array_of_cuts_is_read_item_by_item(home: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(json_rows, "_CHUNK", chunk)
    cuts = [cut("u1", "welsh"), cut("ü2", ["scottish", "irish"]), cut("u3", None)]
    laid_out = {"cuts.json": json.dumps(cuts, indent=2), "cuts.jsonl": json.dumps(cuts, ensure_ascii=False)}
    for name, text in laid_out.items():
        (home / name).write_text("\ufeff" + text, encoding="utf-8")
    with gzip.open(home / "cuts.json.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(cuts))
    for name in (*laid_out, "cuts.json.gz"):
        found = utterances("lhotse", str(home / name))
        assert [(u.utterance_id, u.accent) for u in found] == [("u1", "welsh"), ("ü2", "irish|scottish"), ("u3", None)]
    (home / "cut.json").write_text(json.dumps(cuts)[:-40], encoding="utf-8")
    with pytest.raises(RoomtoneError, match="item 3 of the array: not JSON"):
        utterances("lhotse", str(home / "cut.json"))


# accents


def test_accents_given_as_a_list_are_several(home: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"audio": "b.wav", "text": "x", "speaker": "s", "accent": ["welsh", "english"]},
        {"audio": "c.wav", "text": "x", "speaker": "s", "accent": []},
        {"audio": "long.wav", "text": "x", "speaker": "s", "accent": ["welsh"]},
    ]
    pd.DataFrame(rows).to_parquet(home / "t.parquet")
    pd.DataFrame(rows).to_csv(home / "t.csv", index=False)  # writes "['welsh', 'english']"
    pd.DataFrame([{**row, "accent": json.dumps(row["accent"])} for row in rows]).to_csv(home / "u.csv", index=False)
    for path in (lines(home / "t.jsonl", rows), str(home / "t.parquet"), str(home / "t.csv"), str(home / "u.csv")):
        found = utterances("table", path)
        assert [u.accents for u in found] == [("english", "welsh"), (), ("welsh",)], path
        mapped = utterances("table", path, accents="english")
        assert [u.accents for u in mapped] == [("english", "welsh"), (), ("welsh",)], path
    odd = utterances("table", lines(home / "v.jsonl", [{**rows[0], "accent": "[not a list"}]))
    assert odd[0].accents == ("[not a list",)


def test_labels_and_ids_are_composed(home: Path) -> None:
    """macOS writes é as two letters: one accent of São Paulo was two."""
    rows = [
        {"audio": "b.wav", "text": "x", "speaker": unicodedata.normalize(form, "José"), "id": unicodedata.normalize(form, "ré") + form,
         "accent": unicodedata.normalize(form, "São Paulo"), "city": unicodedata.normalize(form, "São Paulo")}
        for form in ("NFC", "NFD")
    ]  # fmt: skip
    assert rows[0]["accent"] != rows[1]["accent"]
    found = utterances("table", lines(home / "t.jsonl", rows))
    assert {u.accent for u in found} == {u.accent_raw for u in found} == {"São Paulo"}
    assert {u.speaker for u in found} == {"José"}
    assert {u.attributes["city"] for u in found} == {"São Paulo"}
    assert [u.utterance_id for u in found] == ["réNFC", "réNFD"]
    own_map = {"version": 1, "accents": {"paulista": {"raw": [unicodedata.normalize("NFD", "São Paulo")]}}}
    assert {u.accent for u in utterances("table", str(home / "t.jsonl"), accents=own_map)} == {"paulista"}
    decomposed = unicodedata.normalize("NFD", "é.wav")
    shutil.copy(home / "b.wav", home / decomposed)  # the file's own name stays as it is on disk
    (one,) = utterances("table", lines(home / "u.jsonl", [{**rows[0], "audio": decomposed, "id": None}]))
    assert one.problem is None
    assert one.utterance_id == "é.wav"
    assert read_audio(one.audio, RATE).size == RATE


def test_a_lone_blank_accent_is_said_loudly(
    home: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    typed = ["corpus=folder", f"corpus.path={home}", "corpus.accent=' '"]
    assert main(["corpus", *typed, "output.dir=null"]) == 0
    assert "NO ACCENT IS STATED by any of the 3 utterances" in capsys.readouterr().out
    main(["plan", *typed, f"output.dir={home / 'set'}"])
    assert "NO ACCENT IS STATED by any of the 3 utterances" in caplog.text


def test_some_blank_accents_are_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"audio": name, "text": "x", "speaker": "s", "accent": accent}
        for name, accent in (("b.wav", "welsh"), ("c.wav", "  "), ("long.wav", None))
    ]
    path = lines(home / "t.jsonl", rows)
    assert main(["corpus", "corpus=table", f"corpus.path={path}", "output.dir=null"]) == 0
    assert "2 of 3 utterances state no accent; they are counted as (not stated)" in capsys.readouterr().out


# transcripts


@pytest.mark.slow
def test_no_transcript_is_null_all_the_way(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [
        {"audio": name, "text": text, "speaker": "s", "accent": "welsh"}
        for name, text in (("b.wav", ""), ("c.wav", " \t"), ("long.wav", "one two"))
    ]
    path = lines(home / "t.jsonl", rows)
    assert [u.text for u in utterances("table", path)] == [None, None, "one two"]
    (home / "config" / "scenario").mkdir(parents=True)
    (home / "config" / "scenario" / "tiny.yaml").write_text("name: tiny\nfactors: {noise: [none, white@10dB]}\n")
    typed = [
        "scenario=tiny",
        "design=full",
        "executor=serial",
        f"output.dir={home / 'set'}",
        "--config-dir",
        str(home / "config"),
    ]
    assert main(["generate", "corpus=table", f"corpus.path={path}", *typed]) == 0
    manifest = read_manifest(home / "set")
    assert sorted(manifest["text"].dropna().unique()) == ["one two"]
    assert manifest["text"].isna().sum() == manifest["words"].isna().sum() == 4
    frame = CoverageMatrix(home / "set").to_frame()
    assert frame["utterances"].tolist() == [3, 3]
    assert frame["words"].tolist() == [2, 2]
    again = list(open_corpus({"reader": "roomtone", "path": str(home / "set")}))
    assert sorted((u.text or "null") for u in again) == ["null", "null", "one two"]


def test_an_empty_transcript_beside_a_recording_is_none(home: Path) -> None:
    (home / "b.txt").write_text(" \n", encoding="utf-8")
    (home / "c.txt").write_text("\ufefftwo words\n", encoding="utf-8")
    found = utterances("folder", str(home), accent="welsh")
    assert {u.utterance_id: u.text for u in found} == {"b.wav": None, "c.wav": "two words", "long.wav": None}


# folders and links


def test_what_a_folder_skips_is_said_by_kind(
    home: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (home / "b.txt").write_text("words", encoding="utf-8")  # a transcript, which is read
    for name in ("notes.txt", "a.pdf", "sub/b.pdf", "sub/c.PDF", "sub/LICENSE", ".hidden"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("x", encoding="utf-8")
    (home / "elsewhere").symlink_to(home / "sub")
    assert open_corpus({"reader": "folder", "path": str(home), "accent": "x"}).skipped() == {
        ".pdf": 3, ".txt": 1, "no ending": 1, "linked folder": 1,
    }  # fmt: skip
    typed = ["corpus=folder", f"corpus.path={home}", "corpus.accent=welsh"]
    assert main(["corpus", *typed, "output.dir=null"]) == 0
    assert "6 files of the folder are not read: 3 .pdf, " in capsys.readouterr().out
    main(["plan", *typed, f"output.dir={home / 'set'}"])
    assert "6 files of the folder are not read: 3 .pdf, " in caplog.text


def hugging_face_cache(folder: Path, files: dict[str, bytes]) -> Path:
    """Lay out files as `huggingface_hub` does: `snapshots/REV/NAME` links to `blobs/HASH`; return the snapshot."""
    snapshot = folder / "datasets--lab--speech" / "snapshots" / "0123abcd"
    blobs = folder / "datasets--lab--speech" / "blobs"
    blobs.mkdir(parents=True)
    for number, (name, content) in enumerate(files.items()):
        (blobs / f"{number:040x}").write_bytes(content)
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blobs / f"{number:040x}", link.parent))
    return snapshot


@pytest.mark.parametrize("root", ["datasets--lab--speech", "."])
def test_links_of_a_hugging_face_cache_are_followed_under_a_named_root(tmp_path: Path, home: Path, root: str) -> None:
    clip = (home / "b.wav").read_bytes()
    row = {"text": "one", "speaker": "s", "accent": "welsh"}
    table = pd.DataFrame([{"audio": {"bytes": None, "path": "clips/a.wav"}, **row}])
    table.to_parquet(home / "t.parquet")
    real = tmp_path / "disk"
    snapshot = hugging_face_cache(
        real,
        {
            "clips/a.wav": clip,
            "metadata.jsonl": json.dumps({"file_name": "clips/a.wav", **row}).encode(),
            "cuts.jsonl": json.dumps({**cut("u", "welsh"), "recording": {"sources": [
                {"type": "file", "channels": [0], "source": "clips/a.wav"}]}}).encode(),
            "manifest.jsonl": json.dumps({"audio_filepath": "clips/a.wav", **row}).encode(),
            "t.parquet": (home / "t.parquet").read_bytes(),
        },
    )  # fmt: skip
    (tmp_path / "hub").symlink_to(real)  # the cache itself is often a link to a larger disk
    seen = tmp_path / "hub" / snapshot.relative_to(real)
    named = str(tmp_path / "hub" / root)
    for reader, path, keys in (
        ("folder", seen, {"accent": "welsh"}),
        ("audio_folder", seen, {}),
        ("lhotse", seen / "cuts.jsonl", {}),
        ("nemo", seen / "manifest.jsonl", {}),
        ("hf_parquet", seen / "t.parquet", {}),
    ):
        (one,) = utterances(reader, str(path), root=named, **keys)
        assert one.problem is None, reader
        assert one.accent == "welsh"
        assert read_audio(one.audio, RATE).size > 0.9 * RATE
        (refused,) = utterances(reader, str(path), **keys)
        assert "lies outside of" in (refused.problem or ""), reader
        assert "corpus.root=" in (refused.problem or "")


def test_linked_folders_are_followed_under_a_named_root(tmp_path: Path, write_audio: Writer) -> None:
    write_audio(tmp_path / "disk" / "welsh" / "a.wav")
    write_audio(tmp_path / "other" / "b.wav")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "welsh").symlink_to(tmp_path / "disk" / "welsh")
    (corpus / "other").symlink_to(tmp_path / "other")
    (tmp_path / "disk" / "welsh" / "up").symlink_to(tmp_path / "disk")  # a link in a circle
    keys = {"reader": "folder", "path": str(corpus), "accent": "from_parent", "root": str(tmp_path / "disk")}
    followed = open_corpus(keys)
    assert [(u.utterance_id, u.accent, u.problem) for u in followed] == [("welsh/a.wav", "welsh", None)]
    assert followed.skipped() == {"linked folder": 2}
    unnamed = open_corpus(keys | {"root": None})
    assert unnamed.skipped() == {"linked folder": 2}
    with pytest.raises(RoomtoneError, match="no utterances found"):
        list(unnamed)


def test_a_real_corpus_of_phones_is_read(tmp_path: Path, voice: np.ndarray) -> None:
    """WAVs of 8 bits, of 8 kHz and of two channels beside each other, as a folder of calls is."""
    soundfile.write(tmp_path / "eight.wav", voice, RATE, subtype="PCM_U8")
    soundfile.write(tmp_path / "two.wav", np.stack([voice, 0 * voice], axis=1), RATE)
    soundfile.write(tmp_path / "law.wav", voice[::2], 8000, subtype="ULAW")
    found = utterances("folder", str(tmp_path), accent="welsh")
    assert [read_audio(u.audio, RATE).size for u in found] == [RATE] * 3
