"""Sets whose loaders read something else than `verify` did: twins of parts, tables and shards beside the manifest, files that nobody lists."""

import shutil

import pytest

from roomtone.core.dataset.manifest import read_manifest, scan_manifest
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError

#: Names that mean shard 0 to whoever reads the number alone.
TWINS = ["part-000000", "part-٠٠٠٠٠", "part-0000000000", "part-0"]


@pytest.fixture
def held(roomtone):
    """held(dataset) -> (exit status, everything that was said), at share=0."""

    def run(dataset, *words):
        status, out, err = roomtone("verify", f"dataset={dataset}", "share=0", "executor=serial", *words)
        assert "Traceback" not in out + err
        return status, out + err

    return run


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_of_a_part_is_a_foreign_file_to_every_reader(theirs, held, edit_rows, roomtone, twin):
    """The honest part lay under the twin's name, which `verify` read last; everybody else read the lies in part-00000."""
    shutil.copy(theirs / "manifest" / "part-00000.parquet", theirs / "manifest" / f"{twin}.parquet")
    edit_rows(theirs, lambda rows: [row.update(accent="martian", text="LIES") for row in rows], seal=False)
    status, said = held(theirs)
    assert status == 2
    assert "is no part of this manifest" in said
    assert "the row was edited" in said
    for read in (read_manifest, scan_manifest):
        with pytest.raises(RoomtoneError, match="is no part of a manifest"):
            read(theirs)
    status, _, err = roomtone("coverage", f"dataset={theirs}")
    assert status == 1
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("twin", TWINS)
def test_so_is_a_twin_of_a_list_of_rejections(theirs, held, roomtone, twin):
    (theirs / "rejected").mkdir(exist_ok=True)
    (theirs / "rejected" / f"{twin}.jsonl").write_text("")
    status, said = held(theirs)
    assert status == 2
    assert "is no list of rejections" in said


@pytest.mark.parametrize("twin", TWINS)
def test_overwriting_a_set_leaves_twins_where_they_are(theirs, twin):
    from roomtone.core.dataset.removal import remove_set

    others = [theirs / "manifest" / f"{twin}.parquet", theirs / "audio" / twin.removeprefix("part-") / f"{'a' * 32}.flac"]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    remove_set(open_storage(theirs))
    assert not (theirs / "manifest" / "part-00000.parquet").exists()
    assert all(path.exists() for path in others)
