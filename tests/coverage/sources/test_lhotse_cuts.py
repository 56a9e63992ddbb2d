"""Lhotse cuts with mixed noise and reverberation, in the layout that its `to_file` writes, against a pandas count."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix, RoomtoneError

ALL = ("renders", "utterances", "speakers", "minutes", "words", "assets")
MUSAN = {"noise": "noise/free-sound", "music": "music/fma", "babble": "speech/us-gov"}


def recording(name: str, path: str, seconds: float, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "sources": [{"type": "file", "channels": [0], "source": path}],
        "sampling_rate": 16000,
        "num_samples": round(seconds * 16000),
        "duration": seconds,
        "channel_ids": [0],
        **more,
    }


def cut_of(row) -> dict[str, object]:
    """Return a cut: a MonoCut, or the MixedCut that `CutSet.mix` makes of it; a copy in a room has a transform and a suffix."""
    name = row.original if not row.rir else f"{row.original}_rvb"
    more = {}
    if row.rir:
        rir = recording(row.rir, f"RIRS_NOISES/simulated_rirs/smallroom/Room001/{row.rir}.wav", 0.8)
        response = {"rir": rir, "normalize_output": True, "early_only": False, "affix_id": True, "rir_channels": [0]}
        more = {"transforms": [{"name": "ReverbWithImpulseResponse", "kwargs": response}]}
    speech = {
        "id": name,
        "start": 0,
        "duration": row.seconds,
        "channel": 0,
        "supervisions": [
            {
                "id": name,
                "recording_id": name,
                "start": 0.0,
                "duration": row.seconds,
                "channel": 0,
                "text": row.text,
                "language": "English",
                "speaker": row.speaker,
                "custom": {"accent": row.accent},
            }
        ],
        "recording": recording(name, f"/corpora/own/{row.original}.wav", row.seconds, **more),
        "type": "MonoCut",
    }
    if not row.noise:
        return speech
    tracks = [{"cut": speech, "type": "MonoCut", "offset": 0.0}]
    for noise, snr_db in zip(row.recordings, row.snrs_db):
        path = f"/corpora/musan/{MUSAN[row.noise]}/{noise}.wav"
        added = {"id": f"{noise}-cut", "start": 1.5, "duration": row.seconds, "channel": 0, "supervisions": []}
        added |= {"recording": recording(noise, path, 60.0), "type": "MonoCut"}
        tracks.append({"cut": added, "type": "MonoCut", "offset": 0.0, "snr": snr_db})
    return {"id": f"mix-{row.copy}", "tracks": tracks, "type": "MixedCut"}


def write_cuts(path: Path, rows: pd.DataFrame) -> Path:
    text = "".join(json.dumps(cut_of(row)) + "\n" for row in rows.itertuples())
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)
    return path


def conditions(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(
        [row.noise or ("smallroom" if row.rir else "clean") for row in rows.itertuples()], index=rows.index
    )


@pytest.mark.parametrize("seed", range(3))
def test_cuts_with_mixed_noise_are_counted_as_pandas_counts_them(tmp_path, corpus, counted, equal, seed):
    rows = corpus(seed, 15)
    cuts = write_cuts(tmp_path / "cuts.jsonl.gz", rows)
    matrix = CoverageMatrix(cuts)
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": conditions(rows)}), ALL)
    equal(CoverageMatrix(cuts, axes=["accent"]), counted(rows, {"accent": rows["accent"]}), ALL)


def test_files_of_originals_and_of_mixes_unite(tmp_path, corpus, counted, equal):
    rows = corpus(5)
    own = rows["copy"] == rows["original"]
    files = [write_cuts(tmp_path / "a.jsonl.gz", rows[own]), write_cuts(tmp_path / "b.jsonl.gz", rows[~own])]
    equal(CoverageMatrix(files, axes=["accent"]), counted(rows, {"accent": rows["accent"]}), ALL)


def test_a_mix_without_snr_is_not_stated_and_said(tmp_path, corpus):
    rows = corpus(1)
    path = tmp_path / "cuts.jsonl"
    cuts = [cut_of(row) for row in rows.itertuples()]
    for cut in cuts:
        for track in cut.get("tracks", []):
            track.pop("snr", None)
    path.write_text("".join(json.dumps(cut) + "\n" for cut in cuts), encoding="utf-8")
    matrix = CoverageMatrix(path, axes=[{"snr_db": [0, 10, 20]}])
    cells = matrix.to_frame().set_index("snr_db")
    mixes = int((rows["noise"] != "").sum())
    assert cells.loc["(not stated)", "renders"] == mixes
    assert cells["renders"].sum() == len(rows)
    assert any(f"SNR of rows with noise is not stated ({mixes} of {len(rows)}" in note for note in matrix.notes)


def test_a_line_that_is_no_cut_is_named(tmp_path):
    path = tmp_path / "cuts.jsonl"
    path.write_text('{"type": "MonoCut", "supervisions": [{"text": "a"}]}\n', encoding="utf-8")
    with pytest.raises(RoomtoneError, match=r"line 1: no cut of Lhotse"):
        CoverageMatrix(path)
