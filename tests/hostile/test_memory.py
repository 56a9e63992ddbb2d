"""Files of kilobytes that mean gigabytes: a text stored once and repeated, files without content, runs of a billion shards."""

import json
import os
import shutil
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roomtone.core.dataset.manifest import manifest_parts, read_manifest
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError

#: Bytes that an attack may take beyond what the process has: the files mean three times as much and more.
_MOST = 1_000_000_000
_SPARSE = 3_000_000_000


@pytest.fixture
def lean():
    """Let the address space of this process grow by no more than `_MOST` while a test runs: beyond that is a MemoryError."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + _MOST, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def bomb(source, target, name, *, rows=30_000, size=99_000, groups=1):
    """Write a table like another one of many rows, in whose column `name` one long text stands in each row, stored once."""
    table = pq.read_table(source, partitioning=None)
    columns = {}
    for field in table.schema:
        value = table[field.name].combine_chunks().slice(0, 1)
        repeats = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), value)
        columns[field.name] = pa.nulls(rows, field.type) if value.null_count else repeats
    columns[name] = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * size]))
    if "audio" in columns:
        one = table["audio"][0].as_py()
        columns["audio"] = pa.array([one] * rows, table.schema.field("audio").type)
    repeated = pa.table(columns)
    with pq.ParquetWriter(
        target,
        repeated.schema,
        store_schema=False,
        use_dictionary=True,
        dictionary_pagesize_limit=10**8,
        compression="zstd",
    ) as writer:
        for _ in range(groups):
            writer.write_table(repeated, row_group_size=rows)
    assert target.stat().st_size < 1_000_000


@pytest.fixture
def part(theirs):
    return theirs / "manifest" / "part-00000.parquet"


@pytest.mark.parametrize("name", ["sample_id", "accent", "recipe"])
def test_one_text_in_each_of_many_rows_is_refused_by_every_reader(theirs, part, roomtone, name, lean):
    """43 kB took more than 6 GB, because a footer states what is stored and not what it means."""
    bomb(part, part, name)
    began = time.perf_counter()
    with pytest.raises(RoomtoneError, match=f"column '{name}' means 2,9.* bytes where few are stored"):
        read_manifest(theirs)
    for command in ("verify", "coverage"):
        words = ["share=0", "executor=serial"] if command == "verify" else []
        status, out, err = roomtone(command, f"dataset={theirs}", *words)
        assert status in (1, 2)
        assert f"column '{name}' means" in out + err
        assert "Traceback" not in out + err
    assert time.perf_counter() - began < 20


def test_many_columns_and_row_groups_that_mean_little_each_are_added_up(part, lean):
    bomb(part, part, "accent", rows=2500, size=99_000, groups=12)
    with pytest.raises(RoomtoneError, match="means 3,0.* bytes, more than 2,000,000,000"):
        manifest_parts(part.parents[1])


def test_what_a_set_really_holds_is_taken(part):
    table = pa.table(
        {
            "sample_id": [f"{number:032d}" for number in range(50_000)],
            "recipe": ["r" * 2000 + str(n) for n in range(50_000)],
        }
    )
    pq.write_table(table, part, compression="zstd")
    with open(part, "rb") as file:
        check_footer(file, "part")


def test_a_parquet_shard_of_one_text_is_refused(tmp_path, lean):
    from roomtone.core.dataset.sample_bytes import sample_bytes

    (tmp_path / "shards").mkdir()
    table = pa.table({"sample_id": ["a"], "audio": pa.array([{"bytes": b"fLaC", "path": "a.flac"}])})
    pq.write_table(table, tmp_path / "honest.parquet")
    bomb(tmp_path / "honest.parquet", tmp_path / "shards" / "part-00000.parquet", "sample_id", rows=6000, size=600_000)
    with pytest.raises(RoomtoneError, match="column 'sample_id' means"):
        sample_bytes(tmp_path, "shards/part-00000.parquet#a.flac")


def test_a_recording_that_a_shard_repeats_is_held_once(tmp_path, lean):
    from roomtone.core.dataset.sample_bytes import sample_bytes

    (tmp_path / "shards").mkdir()
    rows, audio = 3000, b"x" * 1_000_000
    bytes_ = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([audio]))
    shard = pa.table({
        "sample_id": [f"s{n}" for n in range(rows)],
        "audio": pa.StructArray.from_arrays([bytes_, pa.array(["a"] * rows)], ["bytes", "path"]),
    })  # fmt: skip
    path = tmp_path / "shards" / "part-00000.parquet"
    pq.write_table(shard, path, store_schema=False, dictionary_pagesize_limit=10**8, compression="zstd")
    assert sample_bytes(tmp_path, "shards/part-00000.parquet#s7.flac") == audio


def test_a_table_of_another_make_is_refused(theirs, part, tmp_path, lean):
    from roomtone.coverage.sources.hugging_face import _read
    from roomtone.fairness.results import read_scores
    from roomtone.fairness.scoring.hypotheses import read_samples

    (tmp_path / "scores").mkdir()
    bomb(part, tmp_path / "scores" / "part-00000.parquet", "text")
    for read in (
        lambda: read_scores(tmp_path),
        lambda: _read(tmp_path / "scores" / "part-00000.parquet"),
        lambda: read_samples(tmp_path / "scores" / "part-00000.parquet", "text", "hypotheses"),
    ):
        with pytest.raises(RoomtoneError, match="column 'text' means"):
            read()


@pytest.mark.parametrize(
    "name", ["dataset.json", "rejected/part-00000.jsonl", "README.md", "croissant.json", "SHA256SUMS", "SHA256SUMS.sig"]
)
def test_a_file_without_content_that_states_gigabytes_is_refused(theirs, roomtone, lean, name):
    key = theirs.parent / "key"
    roomtone("sign", f"key={key}", "new_key=true", f"dataset={theirs}")
    (theirs / name).parent.mkdir(exist_ok=True)
    with open(theirs / name, "ab") as file:
        os.truncate(file.fileno(), _SPARSE)
    words = ["verify", f"dataset={theirs}", "share=0", "executor=serial"]
    status, out, err = roomtone(*words, *([f"key={key}.pub"] if name.startswith("SHA") else []))
    assert status in (1, 2)
    assert "Traceback" not in out + err
    assert "bytes" in out + err


def test_so_is_a_recording(theirs, lean):
    from roomtone.augment.runs.shard_writer import file_fault

    row = read_manifest(theirs).iloc[0].to_dict()
    os.truncate(theirs / row["audio_path"], _SPARSE)
    assert "a recording has at most" in file_fault(theirs, row)


@pytest.mark.parametrize("runs", [[(0, 60_000_000)], [(10**7 * k, 10**6) for k in range(40)], [(0, 10**18)]])
def test_runs_of_any_number_of_shards_take_no_memory(theirs, roomtone, lean, runs):
    from roomtone.core.dataset.removal import remove_set

    record = json.loads((theirs / "dataset.json").read_text(encoding="utf-8"))
    record["runs"] = [{**record["runs"][0], "first_shard": first, "shards": shards} for first, shards in runs]
    (theirs / "dataset.json").write_text(json.dumps(record), encoding="utf-8")
    status, out, _ = roomtone("verify", f"dataset={theirs}", "share=0", "executor=serial")
    assert status == 2
    assert "is lost" in out
    copied = shutil.copytree(theirs, theirs.parent / "again")
    remove_set(open_storage(copied))
    assert not (copied / "dataset.json").exists()
