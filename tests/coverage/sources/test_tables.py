"""NeMo manifests, tables under other names, Hugging Face folders and WebDataset shards against pandas counts."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix, RoomtoneError

ALL = ("renders", "utterances", "speakers", "minutes", "words")


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the facts as a table with names of its own."""
    return pd.DataFrame(
        {
            "clip": ["clips/" + name + ".wav" for name in rows["copy"]],
            "source_clip": rows["original"],
            "client": rows["speaker"],
            "dialect": rows["accent"],
            "noise_type": rows["noise"].replace("", "none"),
            "snr": [snrs[0] if len(snrs) == 1 else None for snrs in rows["snrs_db"]],
            "length": rows["seconds"],
            "sentence": rows["text"],
        }
    )


NAMES = {
    "audio": "clip",
    "utterance": "source_clip",
    "speaker": "client",
    "accent": "dialect",
    "noise": "noise_type",
    "snr_db": "snr",
    "duration": "length",
    "text": "sentence",
}


@pytest.mark.parametrize("ending", ["csv", "parquet", "tsv"])
def test_a_table_with_other_names(tmp_path, corpus, counted, equal, ending):
    rows = corpus(1)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    path = tmp_path / f"own.{ending}"
    table = table_of(rows)
    if ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="," if ending == "csv" else "\t")
    matrix = CoverageMatrix(path, axes=["accent", "noise"], columns=NAMES)
    equal(matrix, counted(rows, {"accent": rows["accent"], "noise": rows["noise"].replace("", "none")}), ALL)
    conditions = CoverageMatrix(path, axes=["condition"], columns=NAMES)
    equal(conditions, counted(rows, {"condition": rows["noise"].replace("", "clean")}), ALL)


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path, corpus):
    table_of(corpus(1)).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(RoomtoneError, match=r"columns\.accent: .*no column 'dialekt'; did you mean 'dialect'"):
        CoverageMatrix(tmp_path / "own.csv", columns={"accent": "dialekt", "audio": "clip"})


def test_originals_and_copies_in_tables_of_their_own(tmp_path, corpus, counted, equal):
    """Copies name their original by its path; the originals' table has neither that column nor any of noise."""
    rows = corpus(2)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    own = rows["copy"] == rows["original"]
    table = table_of(rows)
    table["source_clip"] = [f"clips/{name}.wav" for name in rows["original"]]
    table[own].drop(columns=["noise_type", "snr", "source_clip"]).to_csv(tmp_path / "own.csv", index=False)
    table[~own].to_csv(tmp_path / "noisy.csv", index=False)
    matrix = CoverageMatrix([tmp_path / "own.csv", tmp_path / "noisy.csv"], axes=["accent"], columns=NAMES)
    equal(matrix, counted(rows, {"accent": rows["accent"]}), ALL)


def write_nemo(path: Path, rows: pd.DataFrame) -> Path:
    lines = [
        {
            "audio_filepath": f"wavs/{row.copy}.wav",
            "duration": row.seconds,
            "text": row.text,
            "speaker": row.speaker,
            "accent": row.accent,
            "orig": row.original,
            **({"noise": row.noise, "snr_db": row.snrs_db[0]} if row.noise else {}),
        }
        for row in rows.itertuples()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["train_manifest.json", "train_manifest.jsonl"])
def test_a_nemo_manifest(tmp_path, corpus, counted, equal, name):
    rows = corpus(3)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    path = write_nemo(tmp_path / name, rows)
    matrix = CoverageMatrix(path, columns={"utterance": "orig"})
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": rows["noise"].replace("", "clean")}), ALL)


def test_a_nemo_manifest_that_does_not_say_what_its_copies_are_of(tmp_path, corpus):
    rows = corpus(3)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    matrix = CoverageMatrix(write_nemo(tmp_path / "m.json", rows), axes=["condition"])
    cells = matrix.to_frame().set_index("condition")
    assert cells.drop("clean")["utterances"].isna().all()
    assert cells.loc["clean", "utterances"] == rows["original"].nunique()
    assert any("copies of is unknown" in note for note in matrix.notes)


def test_segments_of_one_recording_in_a_nemo_manifest_are_apart(tmp_path):
    lines = [
        {"audio_filepath": "call.wav", "offset": offset, "duration": 2.5, "text": "hm", "speaker": "a"}
        for offset in (0, 3.5, 9.25)
    ]
    (tmp_path / "m.json").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cell = CoverageMatrix(tmp_path / "m.json", axes=["condition"]).to_frame().iloc[0]
    assert (cell["renders"], cell["utterances"], cell["speakers"]) == (3, 3, 1)
    assert cell["minutes"] == pytest.approx(7.5 / 60)


def hugging_face_table(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file_name": [f"{name}.wav" for name in rows["copy"]],
            "sentence": rows["text"],
            "speaker": rows["speaker"],
            "accent": rows["accent"],
            "noise": rows["noise"].replace("", "none"),
            "utterance_id": rows["original"],
            "duration": rows["seconds"],
        }
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_audio_folder_of_hugging_face(tmp_path, corpus, counted, equal, ending):
    rows = corpus(4)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    half = len(rows) // 2
    for split, part in (("train", rows[:half]), ("test", rows[half:])):
        (tmp_path / split).mkdir()
        table, path = hugging_face_table(part), tmp_path / split / f"metadata.{ending}"
        if ending == "csv":
            table.to_csv(path, index=False)
        elif ending == "jsonl":
            table.to_json(path, orient="records", lines=True)
        else:
            table.to_parquet(path)
    matrix = CoverageMatrix(tmp_path)
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": rows["noise"].replace("", "clean")}), ALL)


def test_parquet_files_with_embedded_audio(tmp_path, corpus, counted, equal):
    rows = corpus(4)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    table = hugging_face_table(rows).drop(columns="file_name")
    table["audio"] = [{"bytes": b"RIFF" * 9, "path": f"{name}.wav"} for name in rows["copy"]]
    (tmp_path / "data").mkdir()
    table.to_parquet(tmp_path / "data" / "train-00000-of-00001.parquet")
    matrix = CoverageMatrix(tmp_path)
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": rows["noise"].replace("", "clean")}), ALL)


def test_web_dataset_shards(tmp_path, corpus, counted, equal):
    rows = corpus(5)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    for number in range(2):
        with tarfile.open(tmp_path / f"train-{number:06d}.tar", "w") as tar:
            for row in rows[number::2].itertuples():
                labels = {
                    "text": row.text,
                    "speaker": row.speaker,
                    "accent": row.accent,
                    "noise": row.noise or "none",
                    "utterance_id": row.original,
                    "duration_s": row.seconds,
                }
                for ending, content in (("flac", b"fLaC"), ("json", json.dumps(labels).encode())):
                    info = tarfile.TarInfo(f"{row.copy}.{ending}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    matrix = CoverageMatrix(tmp_path)
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": rows["noise"].replace("", "clean")}), ALL)
    one = CoverageMatrix(tmp_path / "train-000000.tar", axes=["accent"])
    equal(one, counted(rows[0::2], {"accent": rows[0::2]["accent"]}), ALL)


def test_a_broken_shard_is_named(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(RoomtoneError, match=r"a\.tar: not a readable tar file"):
        CoverageMatrix(tmp_path / "a.tar")
