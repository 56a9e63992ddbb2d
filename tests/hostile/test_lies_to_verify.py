"""Sets whose loaders read something else than `verify` did: twins of parts, tables and shards beside the manifest, files that nobody lists."""

import shutil

import pytest

from roomtone.core.dataset.manifest import read_manifest, scan_manifest
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError

#: Names that mean shard 0 to whoever reads the number alone.
TWINS = ["part-000000", "part-٠٠٠٠٠", "part-0000000000", "part-0"]


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

    others = [
        theirs / "manifest" / f"{twin}.parquet",
        theirs / "audio" / twin.removeprefix("part-") / f"{'a' * 32}.flac",
    ]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    remove_set(open_storage(theirs))
    assert not (theirs / "manifest" / "part-00000.parquet").exists()
    assert all(path.exists() for path in others)


@pytest.fixture(scope="session")
def packed(workshop, tmp_path_factory):
    """packed(format) -> a set of four samples whose recordings lie in shards of that format, made once."""
    from roomtone.cli.main import main

    home = tmp_path_factory.mktemp("packed")

    def make(name):
        if not (home / name).exists():
            words = [
                "generate", "corpus=table", f"corpus.path={workshop / 'corpus' / 'table.jsonl'}", f"output={name}", "executor=serial",
                "scenario.factors={room: [none], noise: [none], equipment: [none], handset: [none]}", f"output.dir={home / name}",
            ]  # fmt: skip
            assert main(words) == 0
        return home / name

    return make


@pytest.fixture(params=["parquet", "webdataset"])
def shards(packed, tmp_path, request):
    """A copy of a set in shards, and the path of its shard."""
    shutil.copytree(packed(request.param), tmp_path / "theirs")
    return tmp_path / "theirs", next((tmp_path / "theirs" / "shards").iterdir())


def lie(path, change):
    """Rewrite a Parquet file: `change(row)` edits each row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, partitioning=None)
    rows = table.to_pylist()
    for row in rows:
        change(row)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def rewrite_tar(path, change):
    """Rewrite a tar file: `change(name, content)` gives the members that stand for one."""
    import io
    import tarfile

    with tarfile.open(path) as tar:
        found = [(member.name, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(path, "w") as tar:
        for name, content in (new for old in found for new in change(*old)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("column", ["text", "accent", "noise", "file_name"])
def test_labels_that_datasets_reads_beside_recordings_are_the_manifests(theirs, held, column):
    """`datasets` reads metadata.parquet and never the manifest; `verify` read the manifest alone."""
    lie(theirs / "metadata.parquet", lambda row: row.update({column: "martian"}))
    status, said = held(theirs)
    assert status == 2
    assert f"metadata.parquet: {column} of sample" in said


def test_rows_that_metadata_lacks_or_adds_are_found(theirs, held):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = theirs / "metadata.parquet"
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(0, len(table) - 1), path)
    assert "ends before sample" in held(theirs)[1]
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    assert "more rows than the manifest" in held(theirs)[1]


def test_an_untouched_set_in_shards_holds(shards, held):
    status, said = held(shards[0])
    assert status == 0, said


def test_labels_inside_shards_are_the_manifests(shards, held):
    import json

    theirs, shard = shards
    if shard.suffix == ".parquet":
        lie(shard, lambda row: row.update(accent="martian"))
    else:
        rewrite_tar(
            shard,
            lambda name, content: [
                (
                    name,
                    json.dumps(json.loads(content) | {"accent": "martian"}).encode()
                    if name.endswith("json")
                    else content,
                )
            ],
        )
    status, said = held(theirs)
    assert status == 2
    assert "'martian', the manifest says" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: [(name, b"LIES" if name.endswith("txt") else data)], "is not the text of its row"),
        (lambda name, data: [(name, b'{"accent": 1,' + data[1:] if name.endswith("json") else data)], "a key is there twice"),
        (lambda name, data: [(name, data)] * (2 if name.endswith("flac") else 1), "should be"),
        (lambda name, data: [(name, data), (f"x{name}", data)][: 1 + name.endswith("txt")], "should be"),
        (lambda name, data: [] if name.endswith("json") else [(name, data)], "should be"),
    ],
)  # fmt: skip
def test_members_of_a_tar_shard_are_those_of_its_rows(packed, tmp_path, held, change, said):
    """A recording was there twice: some readers take the first, others the last."""
    shutil.copytree(packed("webdataset"), tmp_path / "theirs")
    rewrite_tar(tmp_path / "theirs" / "shards" / "part-00000.tar", change)
    status, found = held(tmp_path / "theirs")
    assert status == 2
    assert said in found


def test_shards_that_nobody_lists_are_found(shards, held):
    theirs, shard = shards
    for name in (f"part-00001{shard.suffix}", f"part-000000{shard.suffix}", "notes.txt"):
        shutil.copy(shard, shard.with_name(name))
    status, said = held(theirs)
    assert status == 2
    assert said.count("is no file of this set") == 3


def test_recordings_that_nobody_lists_are_found(theirs, held):
    """A link to a file of the reader's among the recordings: loaders take whatever the pattern matches."""
    home = theirs / "audio" / "00000"
    (home / f"{'a' * 32}.flac").symlink_to("/etc/passwd")
    (home / next(home.glob("*.flac")).name.replace(".flac", ".wav")).write_bytes(b"x")
    (theirs / "audio" / "77777").mkdir()
    (theirs / "theirs.py").write_text("import os")
    status, said = held(theirs)
    assert status == 2
    assert said.count("is no file of this set") == 3
    assert "'theirs.py': is a program" in said


def _is_found(dataset, held, name, old, new):
    """Replace a text in a file of the set, and look for the file's name in what verify says."""
    text = (dataset / name).read_text(encoding="utf-8")
    assert old in text
    (dataset / name).write_text(text.replace(old, new), encoding="utf-8")
    status, said = held(dataset)
    assert status == 2
    assert f"{name}: " in said


@pytest.mark.parametrize(
    ("old", "new"),
    [("metadata.parquet", "evil.parquet"), ("split: test", "split: train"), ("  data_files:", "  data_dir: ..\n  data_files:"),
     ("configs:", "other:"), ("config_name: default", "config_name: [")],
)  # fmt: skip
def test_a_card_that_has_loaders_open_other_files_is_found(theirs, held, old, new):
    _is_found(theirs, held, "README.md", old, new)


@pytest.mark.parametrize(
    ("old", "new"), [("audio/*/*.flac", "evil/*.flac"), ('"sha256": "', '"sha256": "0'), ('"distribution"', '"x"')]
)
def test_croissant_metadata_that_names_other_files_is_found(theirs, held, old, new):
    _is_found(theirs, held, "croissant.json", old, new)
