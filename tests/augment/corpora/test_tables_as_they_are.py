"""What a table says of its recordings, where that is not what they are: each row with its reason, and one line."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.augment import DEMO_FOLDER
from roomtone.augment.corpora import open_corpus
from roomtone.augment.corpora.recording_quality import clipped_share
from roomtone.cli.main import main
from roomtone.core.errors import RoomtoneError

PLAIN = ["room=none", "noise=none", "equipment=none", "handset=none", "design=one_at_a_time", "executor=serial"]


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A recording of the demo, as `a.flac` in a folder."""
    shutil.copy(sorted(Path(DEMO_FOLDER).glob("*.flac"))[0], tmp_path / "a.flac")
    return tmp_path / "a.flac"


def test_a_nemo_duration_without_offset_is_held_against_the_recording(voice: Path, capsys) -> None:
    seconds = soundfile.info(voice).duration
    rows = [{"audio_filepath": "a.flac", "duration": seconds + off, "text": "one"} for off in (0.1, -1.2, 5)]
    for number, row in enumerate(rows):
        shutil.copy(voice, voice.parent / f"{number}.flac")
        row["audio_filepath"] = f"{number}.flac"
    manifest = voice.parent / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [
        "corpus=nemo",
        f"corpus.path={manifest}",
        "corpus.columns.speaker=null",
        "corpus.accent=a",
        "max_rejected=0.9",
    ]
    assert main(["generate", *words, *PLAIN, f"output.dir={voice.parent / 'set'}"]) == 3
    said = capsys.readouterr()
    assert f"lasts {seconds:.2f} s, and its row says {seconds - 1.2:g} s; an offset in the row" in said.out + said.err
    assert len(pd.read_parquet(voice.parent / "set" / "manifest")) == 1
    assert main(["corpus", *words, "output.dir=null"]) == 3
    assert "its row says" in capsys.readouterr().out


def test_recordings_inside_a_table_are_named_and_not_printed(voice: Path) -> None:
    cell = {"bytes": voice.read_bytes(), "path": "a.flac"}
    pd.DataFrame({"audio": [cell], "accent": "a", "speaker": "s", "text": "t"}).to_parquet(voice.parent / "t.parquet")
    with pytest.raises(RoomtoneError, match="corpus=hf_parquet reads it") as error:
        list(open_corpus({"reader": "table", "path": str(voice.parent / "t.parquet")}))
    assert len(str(error.value)) < 200


def test_utf_16_is_named(voice: Path) -> None:
    (voice.parent / "t.csv").write_text("audio,accent,speaker,text\na.flac,a,s,t\n", encoding="utf-16")
    with pytest.raises(RoomtoneError, match="is UTF-16 text; save it as UTF-8: iconv -f UTF-16"):
        list(open_corpus({"reader": "table", "path": str(voice.parent / "t.csv")}))


def test_rows_without_a_recording_have_their_number_and_what_is_no_file_its_kind(voice: Path) -> None:
    (voice.parent / "folder.wav").mkdir()
    os.mkfifo(voice.parent / "pipe.wav")
    (voice.parent / "t.csv").write_text(
        "audio,accent,speaker,text\na.flac,a,s,t\n,,,\nfolder.wav,a,s,t\npipe.wav,a,s,t\n"
    )
    found = list(open_corpus({"reader": "table", "path": str(voice.parent / "t.csv")}))
    assert [u.utterance_id for u in found] == ["a.flac", "row 2", "folder.wav", "pipe.wav"]
    reasons = [str(u.problem).rpartition(": ")[2] for u in found]
    assert reasons == [
        "None",
        "the row names no audio file",
        "is a folder, not a regular file",
        "is a pipe, not a regular file",
    ]


def test_flat_tops_below_full_scale_are_clipped_and_loud_floats_are_not(voice: Path) -> None:
    samples, _ = soundfile.read(voice, dtype="float32")
    loud = (samples / np.abs(samples).max() * 3).astype(np.float32)
    assert clipped_share(loud) < 0.001
    flat = np.clip(loud, -0.99, 0.99)
    assert clipped_share(flat) == pytest.approx((np.abs(flat) > 0.9899).mean(), rel=0.1)
    assert clipped_share(np.clip(loud, -1, 1)) > 0.01
    assert clipped_share(samples) == 0


def test_listen_names_the_recording_that_it_cannot_use(tmp_path: Path, capsys) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(16000), 16000)
    assert main(["listen", "gsm", f"audio={tmp_path / 'quiet.wav'}", f"to={tmp_path / 'x.wav'}"]) == 1
    assert "quiet.wav: no active speech" in capsys.readouterr().err
