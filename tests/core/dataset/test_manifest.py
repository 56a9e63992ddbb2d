"""Manifest parts: whole or not at all, further columns kept, sets united by sample_id."""

from __future__ import annotations

import subprocess
import sys

import pytest

from roomtone.core.dataset.columns import COLUMNS
from roomtone.coverage import MANIFEST_SCHEMA, RoomtoneError, read_manifest, scan_manifest, write_part

ROW = {"sample_id": "a", "utterance_id": "u", "condition": "clean", "accent": "scottish"}


def test_schema_has_the_contract_columns_in_order():
    names = MANIFEST_SCHEMA.names
    assert names[:4] == ["sample_id", "utterance_id", "replicate", "seed"]
    assert names[-5:] == ["noise_asset", "room_asset", "equipment_asset", "recipe", "row_sha256"]
    assert len(names) == len(set(names))
    assert set(names) == set(COLUMNS)
    assert str(MANIFEST_SCHEMA.field("snr_db").type) == "double"
    assert MANIFEST_SCHEMA.field("speaker").nullable


def test_rows_come_back_with_further_columns_and_nulls(tmp_path):
    write_part([ROW | {"attr_age": 34, "snr_db": None, "measured_snr_db": 5}], tmp_path / "manifest/part-00000.parquet")
    row = read_manifest(tmp_path).iloc[0]
    assert row["attr_age"] == 34
    assert row["snr_db"] != row["snr_db"]
    assert row["measured_snr_db"] == 5.0


def test_a_part_is_the_same_bytes_again(tmp_path):
    rows = [ROW | {"b": 1, "a": "x"}, ROW | {"sample_id": "b", "a": "y"}]
    first = write_part(rows, tmp_path / "1.parquet").read_bytes()
    assert write_part(rows, tmp_path / "2.parquet").read_bytes() == first


def test_temporary_files_are_no_parts(tmp_path):
    part = write_part([ROW], tmp_path / "manifest/part-00000.parquet")
    (part.parent / ".part-00001.parquet.77-abc.tmp").write_bytes(b"half")
    assert len(read_manifest(tmp_path)) == 1
    assert [p.name for p in part.parent.iterdir() if not p.name.startswith(".")] == ["part-00000.parquet"]


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(RoomtoneError, match="column 'words' holds int32, got 'five'"):
        write_part([ROW | {"words": "five"}], tmp_path / "manifest/part-00000.parquet")
    assert not (tmp_path / "manifest").exists()


def test_identity_is_required(tmp_path):
    with pytest.raises(RoomtoneError, match="row 0 has no 'utterance_id'"):
        write_part([{"sample_id": "a", "condition": "clean"}], tmp_path / "part-00000.parquet")


def test_parts_may_differ_in_further_columns(tmp_path):
    write_part([ROW | {"attr_age": 3}], tmp_path / "manifest/part-00000.parquet")
    write_part([ROW | {"sample_id": "b", "attr_age": "young"}], tmp_path / "manifest/part-00001.parquet")
    write_part([ROW | {"sample_id": "c"}], tmp_path / "manifest/part-00002.parquet")
    assert read_manifest(tmp_path)["attr_age"].tolist()[:2] == ["3", "young"]
    assert scan_manifest(tmp_path).aggregate("count(*), count(attr_age)").fetchall() == [(3, 2)]


def test_union_is_by_sample_id(tmp_path):
    write_part([ROW, ROW | {"sample_id": "b"}], tmp_path / "one/manifest/part-00000.parquet")
    write_part([ROW | {"sample_id": "b"}, ROW | {"sample_id": "c"}], tmp_path / "two/manifest/part-00000.parquet")
    both = read_manifest([tmp_path / "one", tmp_path / "two", tmp_path / "one"])
    assert sorted(both["sample_id"]) == ["a", "b", "c"]


def test_a_set_in_an_object_store_is_read_where_it_lies(tmp_path):
    import fsspec

    part = write_part([ROW], tmp_path / "part-00000.parquet")
    fsspec.filesystem("memory").pipe("/far/manifest/part-00000.parquet", part.read_bytes())
    assert read_manifest("memory://far")["sample_id"].tolist() == ["a"]
    assert scan_manifest("memory://far").fetchall()[0][0] == "a"


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "there is no such dataset folder; did you mean 'somewhere'"), (".", "no manifest/part-")],
)
def test_missing_sets_are_named(tmp_path, name, message):
    write_part([ROW], tmp_path / "somewhere/manifest/part-00000.parquet")
    with pytest.raises(RoomtoneError, match=message):
        read_manifest(tmp_path / name)


def test_a_damaged_part_and_a_wrong_column_are_named(tmp_path):
    write_part([ROW], tmp_path / "manifest/part-00000.parquet")
    with pytest.raises(RoomtoneError, match="did you mean 'accent'"):
        read_manifest(tmp_path, columns=["acent"])
    (tmp_path / "manifest/part-00001.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(RoomtoneError, match="part-00001.parquet: not a readable Parquet file"):
        read_manifest(tmp_path)


def test_importing_coverage_is_cheap():
    """`roomtone --help` imports coverage.errors, and through it this package."""
    code = "import sys, roomtone.coverage, roomtone.core.dataset.manifest, roomtone.coverage.matrix as m; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "pyarrow", "duckdb", "matplotlib", "numba", "scipy", "librosa", "hydra"} & set(loaded)
