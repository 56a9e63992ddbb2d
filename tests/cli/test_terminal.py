"""A terminal whose encoding lacks a letter shows `?`; a traceback is no answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def roomtone(*words: str, encoding: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "120", "MPLCONFIGDIR": str(folder / "mpl")}
    return subprocess.run(
        [sys.executable, "-m", "roomtone.cli.main", *words], capture_output=True, env=env, cwd=folder, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_that_is_not_utf8_gets_question_marks(
    tmp_path: Path, write_audio: Callable[..., Path], encoding: str
) -> None:
    """`roomtone --help` ended in a UnicodeEncodeError on its own ellipsis."""
    write_audio(tmp_path / "a.wav")
    row = {"audio": "a.wav", "text": "x", "speaker": "s", "accent": "Kraków", "city": "東京"}
    (tmp_path / "t.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    typed = ["corpus", "corpus=table", "corpus.path=t.jsonl", "by=[city]", "output.dir=null"]
    for words in (["--help"], ["corpus", "--help"], typed):
        done = roomtone(*words, encoding=encoding, folder=tmp_path)
        assert done.returncode == 0, done.stderr.decode(encoding)
        assert b"Traceback" not in done.stdout + done.stderr
    out = done.stdout.decode(encoding)
    assert ("Kraków" in out) == (encoding != "ascii")
    assert ("東京" in out) == (encoding == "utf-8")
    assert ("??" in out) == (encoding != "utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.wav")).write_bytes(b"")
    typed = [
        "corpus",
        "corpus=folder",
        f"corpus.path={tmp_path}",
        "corpus.accent=x",
        "output.dir=report",
        "max_rejected=1",
    ]
    done = roomtone(*typed, encoding="utf-8", folder=tmp_path)
    assert b"Traceback" not in done.stdout + done.stderr
    assert done.returncode == 3
    assert b"its name is not UTF-8 text; rename the file" in done.stdout
    assert json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["unusable"]
