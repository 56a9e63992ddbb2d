"""Tables that strangers wrote, damaged: a corpus reads or is refused in one line, and nothing else ever happens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roomtone.augment.corpora import open_corpus
from roomtone.core.errors import RoomtoneError

Layout = Callable[[str], dict[str, Any]]

LAYOUTS = [
    "afrispeech",
    "audio_folder",
    "common_voice",
    "coraal",
    "edacc",
    "fair_speech",
    "globe",
    "hf_parquet",
    "kaldi",
    "l2_arctic",
    "lhotse",
    "librispeech",
    "nemo",
    "saa",
    "vctk_new",
]
_NASTY = [
    b"\0",
    b"\xff",
    b'"',
    b"\t",
    b"\n",
    b",",
    b"{",
    b"../",
    b"\r",
    b"=",
    b"9" * 400,
    b"|",
    b"-1",
    b"nan",
    b"\xe2\x80\xae",
]


def _damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a copy with a few bytes flipped, nasty ones put in, or its end cut off."""
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, max(len(out), 1)))
        kind = rng.integers(0, 4)
        if kind == 0 and out:
            out[at] = int(rng.integers(0, 256))
        elif kind == 1:
            out[at:at] = _NASTY[int(rng.integers(0, len(_NASTY)))]
        elif kind == 2:
            del out[at : at + int(rng.integers(1, 9))]
        else:
            del out[len(out) - int(rng.integers(0, len(out) // 2 + 1)) :]
    return bytes(out)


def _refusal(keys: dict[str, Any]) -> str | None:
    """Read a corpus; return why it was refused, or None."""
    try:
        for utterance in open_corpus(keys):
            assert utterance.problem is None or "\n" not in utterance.problem
    except RoomtoneError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", LAYOUTS)
def test_damaged_tables_are_read_or_refused_in_one_line(layout: Layout, name: str, tmp_path: Path) -> None:
    keys = layout(name)
    original = (
        next(p for p in Path(keys["path"]).parents if p.name == name)
        if Path(keys["path"]).name != name
        else Path(keys["path"])
    )
    home = tmp_path / name
    shutil.copytree(original, home)
    keys |= {"path": keys["path"].replace(str(original), str(home))}
    tables = sorted(
        p for p in home.rglob("*") if p.is_file() and p.suffix not in (".wav", ".flac", ".mp3", ".TextGrid")
    )
    assert tables
    rng = np.random.default_rng(len(name))
    refused = 0
    for _ in range(40):
        table = tables[int(rng.integers(0, len(tables)))]
        whole = table.read_bytes()
        table.write_bytes(_damage(whole, rng))
        message = _refusal(keys)
        table.write_bytes(whole)
        refused += message is not None
        assert message is None or "\n" not in message
    assert refused or name in ("l2_arctic", "librispeech", "saa")
    assert list(open_corpus(keys))
