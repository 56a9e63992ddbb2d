"""Scores of a stranger's that are no counts, names that a library takes for patterns, and links where a run writes."""

import csv
import os

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def renders(folder):
    with open(folder / "matrix.csv", encoding="utf-8") as file:
        return sum(int(row["renders"]) for row in csv.DictReader(file))


@pytest.mark.parametrize("name", ["part-*.parquet", "part-[0-9]*.parquet", "part-0000?.parquet"])
def test_a_parts_name_is_no_pattern(theirs, roomtone, tmp_path, name):
    """DuckDB read `part-*.parquet` as all parts, so that samples were counted twice; it is no part's name, and refused."""
    parts = sorted((theirs / "manifest").iterdir())
    parts[-1].rename(theirs / "manifest" / name)
    status, _, err = roomtone("coverage", f"dataset={theirs}", "pictures=false", f"to={tmp_path}")
    assert status == 1
    assert "is no part of a manifest" in err
    assert len(err.strip().splitlines()) == 1


def test_nor_is_a_tables(roomtone, tmp_path):
    (tmp_path / "t[12]*.csv").write_text("audio,accent\na.wav,scottish\n")
    (tmp_path / "t1.csv").write_text("audio,accent\nb.wav,private\nc.wav,private\n")
    status, _, err = roomtone("coverage", f"dataset='{tmp_path}/t[12]*.csv'", "pictures=false", f"to={tmp_path}/out")
    assert status == 0, err
    assert "private" not in (tmp_path / "out" / "matrix.csv").read_text()
    assert renders(tmp_path / "out") == 1


def scores(**changes):
    counts = dict.fromkeys(("substitutions", "deletions", "insertions", "hits", "words"), 1)
    return pd.DataFrame([{"sample_id": name, **counts, "hypothesis": "one", **changes} for name in ("a", "b")])


SCORES = {
    "text": scores(words="x"),
    "lists": scores(words=[1]),
    "negative": scores(words=-5),
    "huge": scores(substitutions=2**62),
    "infinite": scores(hits=float("inf")),
    "twice": scores(sample_id="a"),
    "numbers for names": scores(sample_id=1),
    "no counts": scores()[["sample_id"]],
}
METADATA = {
    "no JSON": b"{",
    "an index that is not there": b'{"index_columns":["nope"],"columns":[],"column_indexes":[]}',
    "a type that is none": b'{"index_columns":[],"columns":[{"name":"words","field_name":"words","pandas_type":"x",'
    b'"numpy_type":"os.system","metadata":null}],"column_indexes":[]}',
}


@pytest.mark.parametrize("kind", SCORES)
def test_scores_that_are_no_counts_are_one_line(kind, refused, tmp_path):
    folder = tmp_path / "set" / "evaluation"
    (folder / "scores").mkdir(parents=True)
    (folder / "evaluation.json").write_text('{"recogniser": {"recogniser": "command"}, "settings": {}}')
    SCORES[kind].to_parquet(folder / "scores" / "part-00000.parquet")
    refused("evaluate the set again", "compare", f"a={folder.parent}", f"b={folder.parent}", f"to={tmp_path / 'out'}")


@pytest.mark.parametrize("kind", METADATA)
def test_the_metadata_of_a_parquet_file_is_believed_by_nobody(kind, refused, theirs, tmp_path):
    """`pandas.read_parquet` takes index and types from it, and raises whatever it meets."""
    table = pa.Table.from_pandas(scores()).replace_schema_metadata({b"pandas": METADATA[kind]})
    folder = theirs / "evaluation"
    (folder / "scores").mkdir(parents=True)
    (folder / "evaluation.json").write_text('{"recogniser": {"recogniser": "command"}, "settings": {}}')
    for path in (folder / "scores" / "part-00000.parquet", tmp_path / "answers.parquet"):
        pq.write_table(table, path)
    refused("not readable as scores", "compare", f"a={theirs}", f"b={theirs}", f"to={tmp_path / 'out'}")
    answers = f"path={tmp_path / 'answers.parquet'}"
    refused("not readable as parquet", "evaluate", f"dataset={theirs}", "asr=hypotheses", answers)


@pytest.mark.parametrize("name", ["audio", "manifest", "tmp"])
def test_a_run_that_goes_on_writes_through_no_link(mine, refused, tmp_path, name):
    """A folder was made behind the link before it was looked at, and samples were staged behind `tmp`."""
    (tmp_path / "elsewhere").mkdir()
    if (mine / name).exists():
        (mine / name).rename(tmp_path / "moved")
    os.symlink(tmp_path / "elsewhere", mine / name)
    words = ["generate", "--config-dir", mine, "--config-name", "config", f"output.dir={mine}", "executor=serial"]
    refused("is a link", *words)
    assert not list((tmp_path / "elsewhere").iterdir())
