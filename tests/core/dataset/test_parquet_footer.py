"""The footer that is read without Arrow says what Arrow says of good files, and refuses every other in one line."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roomtone.core.dataset import manifest, part_bounds
from roomtone.core.dataset.part_bounds import FooterError, read_footer
from roomtone.core.errors import RoomtoneError


def written(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


TABLES = {
    "several row groups": (pa.table({"a": range(10), "b": ["x" * k for k in range(10)]}), {"row_group_size": 3}),
    "nested and null": (pa.table({"l": [[1, 2], [], None], "s": [{"p": 1.5, "q": "é"}] * 3, "n": pa.nulls(3)}), {}),
    "no row": (pa.table({"a": pa.array([], pa.string())}), {}),
    "many columns": (
        pa.table({f"c{k}": [k, None, 7] if k % 2 else [str(k)] * 3 for k in range(300)}),
        {"compression": "zstd"},
    ),
    "truths, dates, bytes": (
        pa.table({"t": [True, False], "d": pa.array([1, 2], pa.date32()), "b": [b"\xff", None]}),
        {},
    ),
    "statistics and indices": (pa.table({"a": ["x", "y"]}), {"write_page_index": True, "write_page_checksum": True}),
}


@pytest.mark.parametrize("kind", TABLES)
def test_it_says_what_arrow_says(kind):
    table, options = TABLES[kind]
    data = written(table, **options)
    metadata = pq.read_metadata(io.BytesIO(data))
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = [[group.column(place) for place in range(group.num_columns)] for group in groups]
    assert read_footer(io.BytesIO(data)) == [
        (group.num_rows, [(chunk.path_in_schema.split(".")[0], chunk.total_uncompressed_size) for chunk in found])
        for group, found in zip(groups, chunks)
    ]


def test_whatever_is_damaged_is_refused_or_read():
    data, rng = written(TABLES["nested and null"][0]), random.Random(0)
    length = int.from_bytes(data[-8:-4], "little")
    refused = 0
    for _ in range(3000):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 2, 8))):
            changed[rng.randrange(len(data) - 8 - length, len(data))] = rng.randrange(256)
        try:
            read_footer(io.BytesIO(changed))
        except FooterError:
            refused += 1
    assert 300 < refused < 3000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PAR1",
        b"PAR1" * 3,
        b"\xff" * 100,
        b"\x1c" * 500 + (500).to_bytes(4, "little") + b"PAR1",
        b"\x19\xfc" + b"\xff" * 9 + b"\x0b\0\0\0PAR1",
    ],
)
def test_what_is_none_is_refused(data):
    with pytest.raises(FooterError):
        read_footer(io.BytesIO(data))


def test_a_part_is_checked_once_while_it_is_unchanged(tmp_path, monkeypatch):
    checked = []
    monkeypatch.setattr(manifest, "check_footer", lambda file, where: checked.append(where))
    part = tmp_path / "manifest" / "part-00000.parquet"
    part.parent.mkdir()
    for known, columns in enumerate((["sample_id"], ["sample_id", "more"]), start=1):
        part.write_bytes(written(pa.table({name: ["x"] for name in columns})))
        for _ in range(3):
            assert manifest.common_schema(manifest.manifest_parts(tmp_path)).names == columns
        assert len(checked) == known
    monkeypatch.undo()
    monkeypatch.setattr(part_bounds, "MAX_ROWS", 1)
    part.write_bytes(written(pa.table({"sample_id": ["x", "y"]})))
    with pytest.raises(RoomtoneError, match="2 rows"):
        manifest.manifest_parts(tmp_path)
