"""The demo from recordings to a report, with nothing mocked: a planted handicap is named first, and without it nothing is."""

import json
from pathlib import Path

import pandas as pd
import pytest
import soundfile
from scipy.signal import butter, sosfiltfilt

from roomtone.cli.main import main
from roomtone.coverage import read_manifest

pytestmark = [pytest.mark.slow]

SCENARIO = """\
name: mild
description: Mild conditions, so that a weak recogniser still hears something in each.
factors:
  room: [none, imaging_control_room]
  noise: [none, pink@20dB]
  equipment: [none]
  handset: [none]
constraints: []
goals: {default: {utterances: 6, speakers: 3}}
"""
#: Accents of which a general model hears most words; those of second-language speakers lose most of them whatever is done.
HANDICAPPED = [("american", "pink@20dB"), ("british", "imaging_control_room")]


def low_pass(path: Path) -> None:
    samples, rate = soundfile.read(path)
    soundfile.write(path, sosfiltfilt(butter(8, 800, fs=rate, output="sos"), samples), rate, subtype="PCM_16")


def summary(dataset: Path) -> dict:
    return json.loads((dataset / "evaluation" / "evaluation.json").read_text())


def test_from_the_demo_to_a_report_with_and_without_a_planted_handicap(tmp_path, capsys) -> None:
    pytest.importorskip("pocketsphinx")
    (tmp_path / "conf" / "scenario").mkdir(parents=True)
    (tmp_path / "conf" / "scenario" / "mild.yaml").write_text(SCENARIO)
    dataset = tmp_path / "set"
    words = [
        "generate",
        "--config-dir",
        str(tmp_path / "conf"),
        "scenario=mild",
        "design=full",
        "corpus.select.where={voice_gender:female}",
        f"output.dir={dataset}",
    ]
    assert main(words) == 0
    manifest = read_manifest(dataset)
    assert manifest["condition"].nunique() == 4

    asked = ["evaluate", f"dataset={dataset}", "asr=pocketsphinx"]
    assert main(asked) == 0
    # the voices differ by gender in a room, which is no handicap of an accent
    assert not any(name.startswith("accent") for name in summary(dataset)["named_slices"])
    asked.append("subgroups.columns=[accent,condition]")
    assert main(asked) == 0
    without = summary(dataset)
    assert without["named_slices"] == []
    assert any("synthetic" in note for note in without["notes"])
    assert "Slices found by search" in (dataset / "evaluation" / "report.html").read_text()
    cells = pd.read_csv(dataset / "evaluation" / "cells.csv")
    assert len(cells) == 48
    assert cells["failed"].sum() == 0
    wer = cells.groupby("condition")[["errors", "words"]].sum().pipe(lambda f: f["errors"] / f["words"])
    assert wer["clean"] < wer["imaging_control_room+pink@20dB"]

    for accent, condition in HANDICAPPED:
        chosen = manifest[(manifest["accent"] == accent) & (manifest["condition"] == condition)]
        assert len(chosen) == 8
        kept = {dataset / path: (dataset / path).read_bytes() for path in chosen["audio_path"]}
        for path in kept:
            low_pass(path)
        forget(dataset, set(chosen["sample_id"]))
        capsys.readouterr()
        assert main(asked) == 0
        certificate = json.loads((dataset / "evaluation" / "certificate-1.json").read_text())
        assert {s["sample_id"] for s in certificate["samples"]} == set(
            chosen["sample_id"]
        )  # the first named slice is the planted one
        assert all(json.loads(s["recipe"]) for s in certificate["samples"])
        first = summary(dataset)["named_slices"][0]
        assert first.startswith(f"accent = {accent}")
        assert f"  {first}: " in capsys.readouterr().out
        for path, content in kept.items():
            path.write_bytes(content)
        forget(dataset, set(chosen["sample_id"]))


def forget(dataset: Path, ids: set[str]) -> None:
    """Take the answers to some samples out of the store, so that only these are asked again."""
    for path in (dataset / "evaluation" / "hypotheses").rglob("run-*.jsonl"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if json.loads(line)["sample_id"] not in ids))
