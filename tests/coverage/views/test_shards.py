"""Samples inside tar and Parquet shards: copied beside the page byte for byte within the budget, and said how to hear beyond it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roomtone.core.dataset.manifest import write_part
from roomtone.coverage import CoverageMatrix
from roomtone.coverage.report.html_page import write_page
from roomtone.coverage.views.matrix_view import SampleBudget


def recording(seconds: float) -> bytes:
    """Return a WAV of a tone."""
    soundfile = pytest.importorskip("soundfile")
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.2 * np.sin(np.arange(int(8000 * seconds)) / 3), 8000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def shard_set(folder: Path, kind: str) -> dict[str, bytes]:
    """Write a set of six samples inside one shard; return their recordings by id."""
    sounds = {f"s{i}": recording(0.2 + 0.1 * i) for i in range(6)}
    (folder / "shards").mkdir(parents=True)
    if kind == "tar":
        with tarfile.open(folder / "shards/part-00000.tar", "w") as tar:
            for name, data in sounds.items():
                info = tarfile.TarInfo(f"{name}.wav")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    else:
        audio = [{"bytes": data, "path": f"{name}.wav"} for name, data in sounds.items()]
        pq.write_table(pa.table({"sample_id": list(sounds), "audio": audio}), folder / "shards/part-00000.parquet")
    rows = [
        {
            "sample_id": name, "utterance_id": f"u{i // 2}", "speaker": f"p{i // 2}", "accent": "us", "condition": ("clean", "gsm")[i % 2],
            "text": "hello", "words": 1, "duration_s": 0.2 + 0.1 * i, "audio_path": f"shards/part-00000.{kind}#{name}.wav",
        }
        for i, name in enumerate(sounds)
    ]  # fmt: skip
    write_part(rows, folder / "manifest/part-00000.parquet")
    return sounds


def samples_of(folder: Path) -> tuple[list[dict], dict]:
    """Return all samples of a page's files, and the last file."""
    parts = []
    for path in sorted((folder / "coverage/index-files").glob("samples-*.js")):
        text = path.read_text()
        parts.append(json.loads(text[text.index(", {") + 2 : text.rindex(");")]))
    return [s for part in parts for cell in part["cells"].values() for s in cell["samples"]], parts[-1]


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_members_of_shards_are_copied_whole(tmp_path, kind):
    sounds = shard_set(tmp_path / "set", kind)
    page = write_page(CoverageMatrix(tmp_path / "set"), tmp_path / "set/coverage/index.html")
    samples, part = samples_of(tmp_path / "set")
    assert len(samples) == 6
    for sample in samples:
        assert (page.parent / sample["audio"]).read_bytes() == sounds[sample["id"]]
        assert sample["picture"]
    assert part["note"] is None
    gsm = [s for s in samples if s["clean"] is not None]
    assert len(gsm) == 3  # each of the three noisy ones has its clean recording beside it
    for sample in gsm:
        clean = (page.parent / part["clean"][sample["clean"]]["audio"]).read_bytes()
        assert clean == sounds[f"s{int(sample['id'][1:]) - 1}"]


def test_beyond_the_budget_it_is_said_how_to_listen(tmp_path):
    sounds = shard_set(tmp_path / "set", "tar")
    budget = SampleBudget(copied_bytes=len(sounds["s0"]) + len(sounds["s2"]) + 10)
    write_page(CoverageMatrix(tmp_path / "set"), tmp_path / "set/coverage/index.html", budget=budget)
    samples, part = samples_of(tmp_path / "set")
    left = [s for s in samples if s["audio"] is None]
    assert 0 < len(left) < 6
    assert all("drill_down" in s["why"] and "shards/part-00000.tar#" in s["why"] for s in left)
    assert part["note"].endswith("recordings inside shards were not copied beside the page.")
    copies = list((tmp_path / "set/coverage/index-files/audio").iterdir())
    assert sum(path.stat().st_size for path in copies) <= budget.copied_bytes


def test_a_large_matrix_lists_fewer_samples_of_each_cell(tmp_path):
    shard_set(tmp_path / "set", "tar")
    write_page(CoverageMatrix(tmp_path / "set"), tmp_path / "set/coverage/index.html", budget=SampleBudget(listed=4))
    samples, part = samples_of(tmp_path / "set")
    assert len(samples) == 4
    assert {cell["of"] for cell in part["cells"].values()} == {3}
    assert SampleBudget().share(192) == 12
    assert SampleBudget().share(6000) == 2
    assert SampleBudget().share(10**6) == 1


def test_a_table_in_memory_says_why_nothing_plays(tmp_path):
    rows = pd.DataFrame(
        {
            "sample_id": ["a"],
            "utterance_id": ["u"],
            "speaker": ["p"],
            "accent": ["us"],
            "condition": ["clean"],
            "audio_path": ["a.wav"],
        }
    )
    write_page(CoverageMatrix(rows), tmp_path / "set/coverage/index.html")
    samples, _ = samples_of(tmp_path / "set")
    assert samples[0]["audio"] is None
    assert "table in memory" in samples[0]["why"]
