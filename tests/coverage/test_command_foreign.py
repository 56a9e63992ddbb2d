"""`roomtone coverage` of sets that another tool made, and what it tells of the inside of cells."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from roomtone.cli.main import main


@pytest.fixture
def table(tmp_path):
    """Return a CSV under names of its own: two originals, three noisy copies."""
    lines = ["clip,client,dialect,noise_type,of,split", "a.wav,anna,us,,a,train", "b.wav,bob,irish,,b,test"]
    lines += ["a-car.wav,anna,us,car,a,train", "a-bus.wav,anna,us,bus,a,test", "b-car.wav,bob,irish,car,b,test"]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


NAMES = "columns={audio: clip, speaker: client, accent: dialect, noise: noise_type, utterance: of}"


def run(*words: str) -> int:
    return main(["coverage", *map(str, words), "pictures=false"])


def test_a_table_under_names_of_its_own(table, tmp_path, capsys):
    assert run(f"dataset={table}", NAMES, "axes=[accent]", f"to={tmp_path / 'out'}") == 0
    out = capsys.readouterr().out
    assert "not stated: durations are not stated" in out
    assert "not stated: the SNR of rows with noise is not stated (3 of 5 rows)" in out
    frame = pd.read_csv(tmp_path / "out" / "matrix.csv").set_index("accent")
    assert frame["utterances"].to_dict() == {"irish": 1, "us": 1}
    assert frame["renders"].to_dict() == {"irish": 2, "us": 3}
    assert frame["minutes"].isna().all()


def test_without_the_source_of_copies_it_says_so(table, tmp_path, capsys):
    names = NAMES.replace(", utterance: of", "")
    assert run(f"dataset={table}", names, "axes=[accent]", f"to={tmp_path / 'out'}") == 0
    assert "utterances cannot be counted (3 of 5 rows)" in capsys.readouterr().out
    pattern = r"utterance_pattern='^(.+?)(?:-\w+)?$'"
    assert run(f"dataset={table}", names, pattern, "axes=[accent]", f"to={tmp_path / 'out'}") == 0
    assert pd.read_csv(tmp_path / "out" / "matrix.csv")["utterances"].tolist() == [1, 1]


def test_splits_that_share_a_speaker_miss_the_gate(table, tmp_path, capsys):
    words = [f"dataset={table}", NAMES, "axes=[accent]", f"to={tmp_path / 'out'}", "splits=split"]
    assert run(*words, "max_shared_speakers=1") == 0
    assert "splits by split: test and train share 1 speakers" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "shared_speakers.csv", index_col="split").loc["test", "train"] == 1
    assert run(*words, "max_shared_speakers=0") == 2
    assert "test and train: 1 speakers" in capsys.readouterr().out
    assert main(["coverage", *words[:-1], "max_shared_speakers=0", "pictures=false"]) == 1


def test_margins_are_gated_from_the_command_line(table, tmp_path):
    goals = "goals={default:{renders:1},margins:[{axis:accent,renders:3}]}"
    words = [f"dataset={table}", NAMES, "axes=[accent,noise]", goals, f"to={tmp_path / 'out'}"]
    assert run(*words, "fail_under_margins=50") == 0
    assert run(*words, "fail_under_margins=51") == 2


def test_details_are_written_as_tables(rows_of, write_set, tmp_path, capsys):
    rows = rows_of({("us", "clean"): 6, ("us", "gsm"): 4, ("irish", "clean"): 3})
    rows = rows.assign(text="stop", measured_snr_db=np.arange(13.0), attr_gender=["female", *["male"] * 12])
    rows.loc[0, "text"] = "stop now"
    folder = write_set(tmp_path / "set", rows)
    words = [f"dataset={folder}", "goals={default:{renders:5}}"]
    details = ["distributions=measured_snr_db", "balance=[{attr_gender: female, least: 0.1}]", "vocabulary=accent"]
    assert run(*words, *details) == 0
    out = capsys.readouterr().out
    assert "measured_snr_db: 13 values in 3 cells, 0 to 12" in out
    assert "balance: 1 of 3 cells meet their goal" in out
    assert "never said by accent irish: 1 rare word, e.g. now" in out
    spread = pd.read_csv(folder / "coverage" / "distributions.csv")
    assert [sum(json.loads(bars)) for bars in spread["histogram"]] == spread["count"].tolist()
    assert run(*words, *details, "fail_under_balance=34") == 2
    # the next report carries owners on, and tells the trend
    (folder / "coverage" / "holes.yaml").write_text("- {accent: irish, owner: Ann}\n")
    (folder / "coverage" / "matrix.csv").rename(tmp_path / "may.csv")
    assert run(*words, f"trend=[{tmp_path / 'may.csv'}]") == 0
    assert "may.csv: 1 of 4 cells meet their goals (25.0 %), 13 renders" in capsys.readouterr().out
    holes = pd.read_csv(folder / "coverage" / "holes.csv")
    assert set(holes.loc[holes["accent"] == "irish", "owner"]) == {"Ann"}


def test_measuring_bins_a_set_without_any_label(tmp_path, capsys):
    from scipy.io import wavfile

    rng = np.random.default_rng(0)
    lines = ["audio"]
    for name, seconds, level in (("a", 1.5, 0.05), ("b", 3.0, 0.05), ("c", 3.0, 0.005)):
        pulses = np.sin(np.arange(int(seconds * 16000)) * 0.2) * (np.arange(int(seconds * 16000)) // 1600 % 3 > 0)
        samples = level * pulses + 1e-4 * rng.standard_normal(len(pulses))
        wavfile.write(tmp_path / f"{name}.wav", 16000, (samples * 32767).astype(np.int16))
        lines.append(f"{name}.wav")
    (tmp_path / "set.csv").write_text("\n".join(lines) + "\n")
    words = [f"dataset={tmp_path / 'set.csv'}", "axes=[duration_s,active_level_dbov]", "measure=true"]
    assert run(*words, f"to={tmp_path / 'out'}") == 0
    frame = pd.read_csv(tmp_path / "out" / "matrix.csv")
    cells = {
        tuple(row[:2]): row[2] for row in frame[["duration_s", "active_level_dbov", "renders"]].to_numpy() if row[2]
    }
    assert sorted(cells.values()) == [1, 1, 1]
    assert frame["minutes"].sum() == pytest.approx(7.5 / 60, abs=1e-3)
    assert "durations are not stated" not in capsys.readouterr().out


@pytest.mark.parametrize("key", ["accents", "accent_table"])
def test_accents_come_from_a_file_of_speakers(table, tmp_path, capsys, key):
    """The short name is also that of a group of Hydra's, which took the file for one of its options."""
    people = tmp_path / "people.csv"
    people.write_text("speaker,accent\nanna,scottish\nbob,welsh\n")
    names = NAMES.replace("accent: dialect, ", "")
    assert run(f"dataset={table}", names, "axes=[accent]", f"to={tmp_path / 'out'}", f"{key}={people}") == 0
    assert pd.read_csv(tmp_path / "out" / "matrix.csv")["accent"].tolist() == ["scottish", "welsh"]
