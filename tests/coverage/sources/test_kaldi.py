"""Kaldi data directories as Kaldi's own scripts write them, against a pandas count of what went into them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix, RoomtoneError

ALL = ("renders", "utterances", "speakers", "minutes", "words", "assets")
MUSAN = {"noise": "noise/free-sound", "music": "music/fma", "babble": "speech/us-gov"}


def write_table(folder: Path, name: str, pairs: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{key} {pairs[key]}\n" for key in sorted(pairs)), encoding="utf-8")


def pipe(row) -> str:
    """Return the command of a copy as augment_data_dir.py and reverberate_data_dir.py write it."""
    clean = f"/corpora/own/{row.original}.wav"
    if row.rir:
        response = f"RIRS_NOISES/simulated_rirs/smallroom/{row.rir.split('-')[0]}/{row.rir}.wav"
        return f'cat {clean} | wav-reverberate --shift-output=true --impulse-response="{response}" - - |'
    files = [f"sox -t wav /corpora/musan/{MUSAN[row.noise]}/{name}.wav -r 16k -t wav - |" for name in row.recordings]
    if row.noise != "noise":
        files = [f"{file} wav-reverberate --duration={row.seconds} - - |" for file in files]
    starts = ",".join("0" for _ in files)
    snrs = ",".join(map(str, row.snrs_db))
    added = f"--additive-signals='{','.join(files)}' --start-times='{starts}' --snrs='{snrs}'"
    return f"sox {clean} -t wav - | wav-reverberate --shift-output=true {added} - - |"


def write_directory(folder: Path, rows: pd.DataFrame, *, uniq: bool = True, accents: bool = True) -> Path:
    """Write a combined directory of originals and copies; speakers of reverberant copies have the copy's prefix."""
    listed = list(rows.itertuples())
    original = {row.copy: row.copy == row.original for row in listed}
    write_table(
        folder, "wav.scp", {r.copy: f"/corpora/own/{r.original}.wav" if original[r.copy] else pipe(r) for r in listed}
    )
    write_table(
        folder, "utt2spk", {r.copy: ("rvb1_" if r.copy.startswith("rvb1_") else "") + r.speaker for r in listed}
    )
    write_table(folder, "text", {row.copy: row.text for row in listed})
    write_table(folder, "reco2dur", {row.copy: row.seconds for row in listed})
    if uniq:
        write_table(folder, "utt2uniq", {row.copy: row.original for row in listed})
    if accents:
        write_table(folder, "spk2accent", dict(zip(rows["speaker"], rows["accent"])))
    return folder


def conditions(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(
        [row.noise or ("smallroom" if row.rir else "clean") for row in rows.itertuples()], index=rows.index
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_musan_augmented_directory_is_counted_as_pandas_counts_it(tmp_path, corpus, counted, equal, seed):
    rows = corpus(seed)
    matrix = CoverageMatrix(write_directory(tmp_path / "train_combined", rows))
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": conditions(rows)}), ALL)
    # copies and their originals are one utterance of one speaker
    together = CoverageMatrix(tmp_path / "train_combined", axes=["accent"])
    equal(together, counted(rows, {"accent": rows["accent"]}), ALL)


def test_directories_of_originals_and_of_copies_unite(tmp_path, corpus, counted, equal):
    rows = corpus(4)
    own = rows["copy"] == rows["original"]
    folders = [write_directory(tmp_path / "train", rows[own]), write_directory(tmp_path / "train_aug", rows[~own])]
    matrix = CoverageMatrix(folders, axes=["accent", "condition"])
    equal(matrix, counted(rows, {"accent": rows["accent"], "condition": conditions(rows)}), ALL)
    equal(CoverageMatrix(folders, axes=["accent"]), counted(rows, {"accent": rows["accent"]}), ALL)


def test_the_snr_of_a_mix_is_that_of_all_its_noises(tmp_path, corpus, counted, equal):
    rows = corpus(5, 20)
    rows = rows[rows["rir"] == ""].reset_index(drop=True)
    total = [-10 * math.log10(sum(10 ** (-x / 10) for x in snrs)) if snrs else math.nan for snrs in rows["snrs_db"]]
    bins = pd.Series(
        np.select(
            [np.isnan(total), np.array(total) < 0, np.array(total) < 8], ["(none)", "below 0", "[0, 8)"], "at or above"
        ),
        index=rows.index,
    )
    matrix = CoverageMatrix(write_directory(tmp_path / "data", rows), axes=[{"snr_db": [0, 8, 100]}])
    expected = counted(rows, {"snr_db": bins})
    cells = matrix.to_frame()
    assert sorted(cells.loc[cells["renders"] > 0, "renders"]) == sorted(expected["renders"])


def test_without_utt2uniq_the_copies_have_no_known_original_and_a_note_says_so(tmp_path, corpus):
    rows = corpus(6)
    matrix = CoverageMatrix(write_directory(tmp_path / "data", rows, uniq=False), axes=["condition"])
    cells = matrix.to_frame().set_index("condition")
    copies = rows[rows["copy"] != rows["original"]]
    assert cells.loc["clean", "utterances"] == rows["original"].nunique()
    assert cells.drop("clean")["utterances"].isna().all()
    (note,) = [line for line in matrix.notes if "copies of" in line]
    assert f"{len(copies)} of {len(rows)} rows" in note
    assert "utt2uniq" in note


def test_a_pattern_tells_the_originals_where_utt2uniq_does_not(tmp_path, corpus, counted, equal):
    rows = corpus(6)
    folder = write_directory(tmp_path / "data", rows, uniq=False)
    matrix = CoverageMatrix(
        folder, axes=["condition"], utterance_pattern=r"^(?:rvb\d+_)?(?P<utterance>.+?)(?:-(?:noise|music|babble))?$"
    )
    equal(matrix, counted(rows, {"condition": conditions(rows)}), ("renders", "utterances", "minutes", "words"))


def test_accents_come_from_a_map_where_the_directory_has_none(tmp_path, corpus, counted, equal):
    rows = corpus(7)
    folder = write_directory(tmp_path / "data", rows, accents=False)
    assert any("accents are not stated" in note for note in CoverageMatrix(folder, axes=["condition"]).notes)
    people = tmp_path / "people.txt"
    people.write_text("".join(f"{s} {a}\n" for s, a in set(zip(rows["speaker"], rows["accent"]))), encoding="utf-8")
    expected = counted(rows, {"accent": rows["accent"]})
    equal(CoverageMatrix(folder, axes=["accent"], accents=str(people)), expected, ALL)


def test_segments_are_utterances_of_their_own_length(tmp_path):
    folder = tmp_path / "data"
    write_table(folder, "wav.scp", {"call1": "/corpora/call1.wav"})
    write_table(folder, "segments", {"anna-1": "call1 0.5 3.5", "anna-2": "call1 4.0 10.0"})
    write_table(folder, "utt2spk", {"anna-1": "anna", "anna-2": "anna"})
    write_table(folder, "text", {"anna-1": "turn left", "anna-2": "stop"})
    cell = CoverageMatrix(folder, axes=["condition"]).to_frame().iloc[0]
    assert (cell["renders"], cell["utterances"], cell["speakers"], cell["words"]) == (2, 2, 1, 3)
    assert cell["minutes"] == pytest.approx(9 / 60)


def test_a_directory_that_names_no_utterance_says_what_it_lacks(tmp_path):
    (tmp_path / "utt2spk").write_text("", encoding="utf-8")
    with pytest.raises(RoomtoneError, match=r"neither wav\.scp nor utt2spk"):
        CoverageMatrix(tmp_path)
