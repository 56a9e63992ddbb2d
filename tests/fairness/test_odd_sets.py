"""Sets that no run of ours writes: one line each, in evaluations and exports too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roomtone.cli.main import main


@pytest.mark.parametrize(
    ("change", "command", "said"),
    [
        ("nested", ["evaluate", "asr=hypotheses", "path=answers.csv"], "column 'attr_x' holds map<string, string"),
        ("nested", ["coverage"], "column 'attr_x' holds map<string, string"),
        ("no audio", ["export", "format=kaldi", "to=out"], "has no audio_path"),
        (
            "a number",
            ["evaluate", "asr=hypotheses", "path=answers.csv"],
            "dataset: expected the folder of a set, got nan",
        ),
    ],
)
def test_one_line_each(change, command, said, make_set, tmp_path, monkeypatch, capsys) -> None:
    row = {"accent": "irish", "speaker": "s", "condition": "clean", "text": "one two"}
    dataset = make_set([row | {"sample_id": f"id{k}", "utterance_id": f"u{k}"} for k in range(3)])
    shutil.copytree(dataset, tmp_path / "odd")
    monkeypatch.chdir(tmp_path)
    Path("answers.csv").write_text("sample_id,hypothesis\n")
    part = next(Path("odd/manifest").glob("*.parquet"))
    table = pq.read_table(part)
    if change == "nested":
        cells = pa.array([[("a", "b")]] * table.num_rows, pa.map_(pa.string(), pa.string()))
        pq.write_table(table.append_column("attr_x", cells), part)
    if change == "no audio":
        pq.write_table(table.drop_columns(["audio_path"]), part)
    assert main([*command, f"dataset={'nan' if change == 'a number' else 'odd'}"]) == 1
    said_now = capsys.readouterr()
    assert said in said_now.err
    assert len(said_now.err.strip().splitlines()) == 1
