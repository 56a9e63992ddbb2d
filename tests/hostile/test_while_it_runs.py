"""What happens after the checks: links laid where results are about to be written, signals where C code works."""

import ast
import io
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("report.html", "report.md", "card.md", "evaluation.json", "cells.csv", "gaps.csv", "scores/part-00000.parquet")


@pytest.fixture(scope="module")
def evaluated(workshop, tmp_path_factory):
    """A set with hypotheses beside it, one for each sample."""
    import pandas as pd

    from roomtone.core.dataset.manifest import read_manifest

    folder = tmp_path_factory.mktemp("late")
    shutil.copytree(workshop / "set", folder / "set")
    rows = read_manifest(folder / "set")
    pd.DataFrame({"sample_id": rows["sample_id"], "hypothesis": rows["text"]}).to_csv(folder / "h.csv", index=False)
    return folder


@pytest.mark.parametrize("lay", [os.symlink, os.link])
def test_an_evaluation_writes_through_no_link_that_comes_late(evaluated, roomtone, tmp_path, monkeypatch, lay):
    """Links were looked for once, at the beginning; one laid seconds later was followed, and a hard link never seen."""
    from roomtone.fairness import evaluation

    dataset, treasure = tmp_path / "set", tmp_path / "treasure"
    shutil.copytree(evaluated / "set", dataset)
    treasure.mkdir()
    looked = evaluation.refuse_links

    def look_then_lay(folder):
        looked(folder)
        for name in NAMES:
            link = Path(folder) / name
            link.parent.mkdir(parents=True, exist_ok=True)
            kept = treasure / link.name
            kept.write_text("mine")
            lay(kept, link)

    monkeypatch.setattr(evaluation, "refuse_links", look_then_lay)
    words = ["asr=hypotheses", f"path={evaluated / 'h.csv'}", "resamples=0", "permutations=199"]
    status, _, err = roomtone("evaluate", f"dataset={dataset}", *words)
    assert status == 0, err
    assert {path.read_text() for path in treasure.iterdir()} == {"mine"}
    assert all((dataset / "evaluation" / name).stat().st_nlink == 1 for name in NAMES)
    assert not any((dataset / "evaluation" / name).is_symlink() for name in NAMES)


def test_results_are_written_by_the_one_writer():
    """`write_text`, and `open` for writing, go through links; what writes into `evaluation/` and `coverage/` uses `write_whole`."""
    found = {
        f"{path.relative_to(ROOT)}: {node.func.attr}"
        for package in ("fairness", "coverage")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("write_text", "write_bytes")
    }
    # copies of recordings: into a fresh folder of mode 700, and into the folder of an export
    assert found == {"fairness/exports/job.py: write_bytes", "fairness/recognisers/base.py: write_bytes"}


def test_a_signal_while_duckdb_works_is_one_line(monkeypatch, capsys):
    """DuckDB makes "Query interrupted", a RuntimeError, of the interrupt, where it looks for one: a traceback."""
    from roomtone.cli import main as cli

    def dispatch(words):
        import duckdb

        with duckdb.connect() as connection:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                connection.execute("SELECT count(*) FROM range(20000) a, range(20000) b").fetchall()
            except KeyboardInterrupt as interrupt:
                raise RuntimeError("Query interrupted") from interrupt

    monkeypatch.setattr(cli, "_dispatch", dispatch)
    assert cli.main(["coverage"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err.splitlines() == ["roomtone: stopped; the same command goes on where it left off"]


def test_a_fault_without_a_signal_stays_a_fault(monkeypatch):
    from roomtone.cli import main as cli

    def dispatch(words):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(cli, "_dispatch", dispatch)
    with pytest.raises(RuntimeError, match="of our own"):
        cli.main(["coverage"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_a_callback_of_libsndfile_ends_the_command(monkeypatch, capsys, number):
    """It was printed as an "Exception ignored" of the callback, and the command went on to its end."""
    import numpy as np
    import soundfile

    from roomtone.cli import main as cli

    class Interrupting(io.BytesIO):
        def readinto(self, buffer):
            if not sent:
                sent.append(1)
                os.kill(os.getpid(), number)
            return super().readinto(buffer)

    sent = []
    recording = io.BytesIO()
    soundfile.write(recording, np.zeros(16000), 16000, format="WAV")

    def dispatch(words):
        soundfile.read(Interrupting(recording.getvalue()))
        end = time.monotonic() + 20.0
        while time.monotonic() < end:
            time.sleep(0.01)
        return 0

    monkeypatch.setattr(cli, "_dispatch", dispatch)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        assert cli.main(["corpus"]) == 128 + number
    finally:
        signal.signal(signal.SIGINT, before)
    assert sent
    assert capsys.readouterr().err.splitlines() == ["roomtone: stopped; the same command goes on where it left off"]


@pytest.fixture
def two_evaluations(evaluated, roomtone, tmp_path):
    """A set with two evaluations of the same hypotheses."""
    shutil.copytree(evaluated / "set", tmp_path / "twice")
    words = ["asr=hypotheses", f"path={evaluated / 'h.csv'}", "resamples=0", "permutations=199"]
    first = tmp_path / "twice" / "evaluation-1"
    status, _, err = roomtone("evaluate", f"dataset={tmp_path / 'twice'}", f"to={first}", *words)
    assert status == 0, err
    shutil.copytree(first, tmp_path / "twice" / "evaluation-2")
    return tmp_path / "twice"


def test_settings_of_an_evaluation_that_came_with_a_set_are_bounded(two_evaluations, refused):
    """A column that is none was a KeyError, and a billion permutations ran for hours."""
    import json

    place = two_evaluations / "evaluation-1" / "evaluation.json"
    summary = json.loads(place.read_text())
    pair = [f"a={two_evaluations / 'evaluation-1'}", f"b={two_evaluations / 'evaluation-2'}"]
    for key, value, said in (
        ("condition", "nope", "no column 'nope'"),
        ("permutations", 10**9, "permutations: at most"),
        ("resamples", 10**9, "resamples: at most"),
    ):
        changed = {**summary, "settings": summary["settings"] | {key: value}}
        for name in ("evaluation-1", "evaluation-2"):
            (two_evaluations / name / "evaluation.json").write_text(json.dumps(changed))
        refused(said, "compare", *pair)


def test_a_raised_two_in_the_name_of_a_version_is_no_figure(tmp_path, refused):
    """`evaluation-1²` was a ValueError: `²` is a digit, and no number."""
    for name in ("evaluation-1²", "evaluation-2", "evaluation-٣"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "evaluation.json").write_text("{}")
    refused("no evaluation lies there", "compare", f"history={tmp_path}")
