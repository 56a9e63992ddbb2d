"""`verify` finds what was changed behind the manifest's back, and says which sample."""

import shutil

import pandas as pd
import pytest
import soundfile

from roomtone.augment.generation import generate
from roomtone.augment.verification import WHOLE_SET, verify
from roomtone.cli.main import main
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.core.workers.serial import SerialEngine


@pytest.fixture
def dataset(composed, small_table, tmp_path):
    cfg = composed(
        "corpus=table", f"corpus.path={small_table}", "design=one_at_a_time", "executor=serial", f"output.dir={tmp_path / 'set'}",
        "scenario.factors.room=[none]", "scenario.factors.noise=[none,pink@5dB]", "scenario.factors.equipment=[none,fan@10dB]",
        "scenario.factors.handset=[none,gsm]",
    )  # fmt: skip
    generate(cfg)
    return tmp_path / "set"


def check(dataset, share=0.2):
    return verify(str(dataset), SerialEngine(), share=share)


def edit(dataset, change):
    """Rewrite the manifest's first part through pandas, as a well-meaning hand would."""
    part = sorted((dataset / "manifest").glob("*.parquet"))[0]
    rows = pd.read_parquet(part)
    change(rows)
    rows.to_parquet(part)


def test_an_untouched_set_holds(dataset):
    rows, again, findings = check(dataset, share=1.0)
    assert (rows, again, findings) == (24, 24, [])
    assert main(["verify", f"dataset={dataset}", "share=0.1", "executor=serial"]) == 0


def test_a_flipped_sample_is_found(dataset, capsys):
    row = read_manifest(dataset).iloc[3]
    pcm, rate = soundfile.read(dataset / row["audio_path"], dtype="int16")
    pcm[500] ^= 1
    soundfile.write(dataset / row["audio_path"], pcm, rate, subtype="PCM_16")
    _, _, findings = check(dataset, share=0)
    assert [finding.sample_id for finding in findings] == [row["sample_id"]]
    assert "pcm_sha256" in findings[0].what
    assert main(["verify", f"dataset={dataset}", "executor=serial"]) == 2
    assert row["sample_id"] in capsys.readouterr().out


def test_a_swapped_pair_of_files_is_found(dataset, tmp_path):
    rows = read_manifest(dataset)
    pair = rows[rows["utterance_id"] == rows["utterance_id"].iloc[0]].iloc[:2]
    first, second = (dataset / path for path in pair["audio_path"])
    shutil.move(first, tmp_path / "x")
    shutil.move(second, first)
    shutil.move(tmp_path / "x", second)
    _, _, findings = check(dataset, share=0)
    assert {finding.sample_id for finding in findings} == set(pair["sample_id"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("snr_db", 15.0, "snr_db says 15.0, the recipe asks 5.0"),
        ("measured_snr_db", 4.0, "row was edited"),
        ("accent", "scottish", "row was edited"),
        ("noise", "none", "noise says 'none'"),
        ("condition", "clean", "row was edited"),
    ],
)
def test_an_edited_label_is_found(dataset, column, value, message):
    target = read_manifest(dataset).query("condition == 'pink@5dB'")["sample_id"].iloc[0]

    def change(rows):
        rows.loc[rows["sample_id"] == target, column] = value

    edit(dataset, change)
    _, _, findings = check(dataset, share=0)
    assert {finding.sample_id for finding in findings} - {WHOLE_SET} == {target}
    assert any(message in finding.what for finding in findings)


def test_a_measure_that_was_edited_with_its_seal_is_found_by_rendering_again(dataset):
    from roomtone.core.dataset.columns import ROW_HASH
    from roomtone.core.dataset.row_hash import row_hash

    def change(rows):
        rows.loc[0, "active_level_dbov"] = -20.0
        rows.loc[0, ROW_HASH] = row_hash(rows.iloc[0].to_dict())

    edit(dataset, change)
    _, _, findings = check(dataset, share=1.0)
    assert any("active_level_dbov says -20.0" in finding.what for finding in findings)


def test_a_missing_file_and_a_missing_recording_are_found(dataset, small_table):
    row = read_manifest(dataset).iloc[0]
    (dataset / row["audio_path"]).unlink()
    shutil.rmtree(small_table.parent)
    _, _, findings = check(dataset, share=1.0)
    assert any("missing" in f.what for f in findings if f.sample_id == row["sample_id"])
    assert len({f.sample_id for f in findings}) == 24


def test_shares_outside_0_to_1_are_refused(dataset):
    with pytest.raises(RoomtoneError, match="share: expected a share from 0 to 1"):
        check(dataset, share=5)
