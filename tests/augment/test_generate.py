"""The main job end to end: the set equals its plan, itself under any workers and order, and its own rows."""

import glob
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.augment import rerender, stems
from roomtone.augment.generation import generate
from roomtone.augment.runs.shard_writer import file_fault
from roomtone.augment.runs.summary import RunStoppedError
from roomtone.augment.scenarios.planner import make_plan
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError, TooManyRejectedError
from roomtone.core.local_paths import read_local_paths

LEVELS = (
    "scenario.factors.room=[none,ward]",
    "scenario.factors.noise=[none,babble@5dB]",
    "scenario.factors.equipment=[none,alarm_high@10dB]",
    "scenario.factors.handset=[none,landline_mulaw]",
)
CARDS = Path("/usr/share/pocketsphinx/test/data")


def identity(dataset):
    rows = read_manifest(dataset)
    return set(zip(rows["sample_id"], rows["pcm_sha256"], strict=True))


@pytest.fixture
def configure(composed, small_table, tmp_path):
    def make(name="set", *overrides, table=small_table):
        return composed(
            "corpus=table",
            f"corpus.path={table}",
            "design=full",
            "executor=serial",
            f"output.dir={tmp_path / name}",
            *LEVELS,
            *overrides,
        )

    return make


@pytest.fixture(scope="module")
def rendered(composed, write_corpus, tmp_path_factory):
    """One finished set of six utterances in sixteen conditions."""
    folder = tmp_path_factory.mktemp("rendered")
    table = write_corpus(folder / "corpus", 6)
    cfg = composed(
        "corpus=table",
        f"corpus.path={table}",
        "design=full",
        "executor=serial",
        f"output.dir={folder / 'set'}",
        *LEVELS,
    )
    return generate(cfg), folder / "set"


def test_every_planned_sample_is_rendered_and_every_file_is_its_row(rendered):
    summary, dataset = rendered
    rows = read_manifest(dataset)
    assert summary.planned == summary.rendered == len(rows) == 6 * 16
    assert summary.exit_status == 0
    assert rows["sample_id"].is_unique
    assert not rows["sample_id"].str.contains(r"[./]").any()
    assert sorted(rows["condition"].unique())[0].startswith("alarm_high")
    assert (rows.groupby("condition").size() == 6).all()
    for row in rows.to_dict("records"):
        assert file_fault(dataset, row) is None
        pcm, rate = soundfile.read(dataset / row["audio_path"], dtype="int16")
        assert (rate, len(pcm)) == (16000, row["num_samples"])


def test_every_row_holds_its_labels_by_an_independent_measure(rendered, active_level):
    _, dataset = rendered
    rows = read_manifest(dataset)
    for row in rows[rows["condition"] != "clean"].iloc[::3].to_dict("records"):
        parts = stems(dataset, row["sample_id"])
        level, _ = active_level(parts.speech, 16000)
        if row["noise"] != "none":
            noise = 10 * np.log10(np.mean(parts.noise.astype(np.float64) ** 2))
            assert level - noise == pytest.approx(row["snr_db"], abs=0.1)
            assert row["measured_snr_db"] == pytest.approx(level - noise, abs=0.05)
        if row["equipment"] != "none":
            tone = parts.equipment[parts.sounding].astype(np.float64)
            assert level - 10 * np.log10((tone**2).mean()) == pytest.approx(row["equipment_snr_db"], abs=0.2)


def test_every_row_renders_again_to_its_hash(rendered):
    from roomtone.core.audio.encoding import pcm_sha256

    _, dataset = rendered
    rows = read_manifest(dataset)
    for row in rows.to_dict("records"):
        pcm, rate = rerender(dataset, row["sample_id"])
        assert pcm_sha256(pcm) == row["pcm_sha256"], row["condition"]
        assert rate == row["sample_rate_hz"]


def test_clean_is_the_input_at_the_stated_level(rendered, active_level):
    _, dataset = rendered
    rows = read_manifest(dataset)
    for row in rows[rows["condition"] == "clean"].to_dict("records"):
        pcm, _ = soundfile.read(dataset / row["audio_path"])
        assert active_level(pcm, 16000)[0] == pytest.approx(-26.0, abs=0.05)
        source, _ = soundfile.read(read_local_paths(dataset).resolve(json.loads(row["recipe"])["clean"]["path"]))
        assert np.corrcoef(source, pcm)[0, 1] > 0.9999


def test_the_target_never_babbles_behind_himself(rendered):
    """Six talkers are drawn from a corpus in which every speaker is a candidate for every other."""
    _, dataset = rendered
    rows = read_manifest(dataset)
    speaker = dict(zip(rows["utterance_id"], rows["speaker"], strict=True))
    babbled = rows[rows["noise"] != "none"]
    assert len(babbled) == 48
    heard = 0
    for row in babbled.to_dict("records"):
        for asset in row["noise_asset"].split("|"):
            corpus, _, utterance = asset.partition(":")
            heard += corpus == "table"
            assert corpus != "table" or speaker[utterance] != row["speaker"]
    assert heard > 0


def test_a_label_that_is_missed_stops_the_run_and_names_the_sample(configure, monkeypatch, capsys):
    """The fault is planted where the gain is set; the set must not hold a single wrong row."""
    import dataclasses

    from roomtone.augment.rendering import render as render_module

    honest = render_module.mix_stems

    def skewed(*args):
        stems = honest(*args)
        return (
            stems
            if stems.noise is None
            else dataclasses.replace(stems, noise=stems.noise * np.float32(10 ** (0.3 / 20)))
        )

    monkeypatch.setattr(render_module, "mix_stems", skewed)
    cfg = configure("skewed", "scenario.factors.room=[none]")
    missed = r"in babble@5dB.* \(sample [0-9a-f]{32}\): snr_db asked 5.0 dB, got 4\.[67]"
    with pytest.raises(RunStoppedError, match=r"noise babble@5dB: 24 of 24 samples miss snr_db .*" + missed):
        generate(cfg)
    assert set(read_manifest(cfg["output"]["dir"])["noise"]) == {"none"}


def test_the_folder_is_as_the_design_says(rendered):
    _, dataset = rendered
    names = {path.name for path in dataset.iterdir()}
    assert {"README.md", "dataset.json", "manifest", "audio"} <= names
    assert "tmp" not in names
    state = json.loads((dataset / "dataset.json").read_text())
    assert state["format_version"] == 1
    assert state["counts"] == {"planned": 96, "rendered": 96, "rejected": 0, "not_reached": 0}
    card = (dataset / "README.md").read_text()
    assert "96 renders of 6 utterances" in card
    assert "say nothing about how a recogniser treats people" not in card  # this table says its speech was recorded


def test_coverage_equals_a_crosstab_and_counts_no_copy(rendered):
    from roomtone.coverage import CoverageMatrix

    _, dataset = rendered
    rows = read_manifest(dataset)
    frame = CoverageMatrix(dataset).to_frame().set_index(["accent", "condition"])
    expected = pd.crosstab(rows["accent"], rows["condition"]).stack()
    for cell, count in expected.items():
        assert frame.loc[cell, "renders"] == count
        mine = rows[(rows["accent"] == cell[0]) & (rows["condition"] == cell[1])]
        assert frame.loc[cell, "utterances"] == mine["utterance_id"].nunique()
        assert frame.loc[cell, "speakers"] == mine["speaker"].nunique()


def test_a_second_replicate_is_no_further_utterance(configure):
    from roomtone.coverage import CoverageMatrix

    cfg = configure("twice", "replicates=2", "scenario.factors.room=[none]", "scenario.factors.handset=[none]")
    summary = generate(cfg)
    assert summary.rendered == 6 * (1 + 3 * 2)
    frame = CoverageMatrix(cfg["output"]["dir"]).to_frame()
    noisy = frame[(frame["condition"] == "babble@5dB") & (frame["renders"] > 0)]
    assert (noisy["renders"] == 2 * noisy["utterances"]).all()
    rows = read_manifest(cfg["output"]["dir"])
    assert rows["pcm_sha256"].is_unique


@pytest.mark.slow
def test_one_worker_two_workers_and_a_shuffled_table_give_the_same_set(configure, small_table, rendered, tmp_path):
    generate(configure("serial"))
    generate(configure("two", "executor=processes", "executor.workers=2"))
    lines = small_table.read_text().splitlines()
    random.Random(3).shuffle(lines)
    shuffled = small_table.with_name("shuffled.jsonl")
    shuffled.write_text("\n".join(lines) + "\n")
    generate(configure("shuffled", table=shuffled))
    reference = {sha for _, sha in identity(rendered[1])}
    assert identity(tmp_path / "serial") == identity(tmp_path / "two") == identity(tmp_path / "shuffled")
    assert {sha for _, sha in identity(tmp_path / "serial")} == reference


@pytest.mark.slow
def test_a_second_run_finishes_what_the_first_left_undone(configure, tmp_path):
    cfg = configure("again")
    whole = generate(cfg)
    before = identity(tmp_path / "again")
    part = sorted((tmp_path / "again" / "manifest").glob("*.parquet"))[0]
    part.unlink()
    again = generate(cfg)
    assert identity(tmp_path / "again") == before
    assert 0 <= again.resumed < whole.rendered == again.rendered
    third = generate(cfg)
    assert third.resumed == third.rendered


def test_a_flipped_sample_is_not_taken_for_done(configure, tmp_path):
    cfg = configure("flipped")
    generate(cfg)
    before = identity(tmp_path / "flipped")
    row = read_manifest(tmp_path / "flipped").iloc[5]
    path = tmp_path / "flipped" / row["audio_path"]
    pcm, rate = soundfile.read(path, dtype="int16")
    pcm[1000] += 1
    soundfile.write(path, pcm, rate, subtype="PCM_16")
    assert generate(cfg).resumed < 96
    assert identity(tmp_path / "flipped") == before
    assert file_fault(tmp_path / "flipped", row) is None


def test_another_configuration_is_refused_and_says_what_changed(configure):
    generate(configure("one", "scenario.factors.room=[none]"))
    with pytest.raises(RoomtoneError, match="seed was 0, is 5; output.append=true"):
        generate(configure("one", "scenario.factors.room=[none]", "seed=5"))


def test_appending_another_seed_is_a_union_and_repeating_it_changes_nothing(configure, tmp_path):
    small = ("scenario.factors.room=[none]", "scenario.factors.handset=[none]")
    generate(configure("grow", *small))
    first = identity(tmp_path / "grow")
    extra = configure("grow", *small, "seed=5", "output.append=true")
    generate(extra)
    both = identity(tmp_path / "grow")
    assert first < both
    assert generate(extra).resumed == len(both) - len(first)
    assert identity(tmp_path / "grow") == both


def test_overwrite_starts_anew_but_removes_no_stranger(configure, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(RoomtoneError, match="will not remove it"):
        generate(configure("mine", "output.overwrite=true"))
    with pytest.raises(RoomtoneError, match="not empty and not a stress-test set"):
        generate(configure("mine"))
    assert (tmp_path / "mine" / "thesis.txt").exists()
    small = ("scenario.factors.room=[none]", "scenario.factors.handset=[none]")
    generate(configure("new", *small))
    generate(configure("new", *small, "seed=9", "output.overwrite=true"))
    assert set(read_manifest(tmp_path / "new")["seed"]) == {9}


def test_a_changed_recording_is_refused_on_resume(configure, small_table, tmp_path):
    cfg = configure("changed")
    generate(cfg)
    victim = sorted(small_table.parent.glob("*.flac"))[0]
    pcm, rate = soundfile.read(victim, dtype="int16")
    size = victim.stat().st_size
    pcm[::2] = np.roll(pcm[::2], 1)
    soundfile.write(victim, pcm, rate, subtype="PCM_16")
    with open(victim, "r+b") as handle:
        handle.truncate(size) if victim.stat().st_size > size else handle.seek(0, 2)
    with pytest.raises(RoomtoneError, match=r"has changed|listing changed"):
        generate(cfg)


def test_two_runs_do_not_write_into_one_set(configure, tmp_path):
    with open_storage(tmp_path / "set").lock(), pytest.raises(RoomtoneError, match="another run is writing"):
        generate(configure("set"))


def test_inputs_that_cannot_be_read_are_set_aside_with_their_reason(configure, small_table, tmp_path):
    lines = small_table.read_text().splitlines()
    broken = small_table.parent / "broken.wav"
    broken.write_text("<html>404 not found</html>")
    silent = small_table.parent / "silent.wav"
    soundfile.write(silent, np.zeros(16000), 16000)
    for name in ("broken.wav", "silent.wav", "missing.wav"):
        lines.append(json.dumps({"audio": name, "text": "x", "speaker": "s", "accent": "a"}))
    small_table.write_text("\n".join(lines) + "\n")
    with pytest.raises(TooManyRejectedError, match=r"samples rejected \(144 planned\), max_rejected allows 2"):
        generate(configure("strict"))
    summary = generate(configure("lenient", "max_rejected=48"))
    assert summary.exit_status == 3
    assert summary.planned == summary.rendered + len(summary.rejected) == 9 * 16
    reasons = {Path(entry["path"]).name: entry["reason"] for entry in summary.rejected}
    assert set(reasons) == {"broken.wav", "silent.wav", "missing.wav"}
    assert "web page" in reasons["broken.wav"]
    assert "silence" in reasons["silent.wav"]
    listed = [
        json.loads(line)
        for path in (tmp_path / "lenient" / "rejected").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert len(listed) == len(summary.rejected)


def test_an_empty_corpus_and_a_repeated_id_are_errors(configure, small_table):
    lines = small_table.read_text().splitlines()
    small_table.write_text(lines[0] + "\n" + lines[0] + "\n")
    with pytest.raises(RoomtoneError, match="two utterances are called"):
        make_plan(configure())
    small_table.write_text("")
    with pytest.raises(RoomtoneError):
        make_plan(configure())


@pytest.mark.slow
def test_config_yaml_repeats_the_run(configure, composed, tmp_path):
    """The set's own config.yaml, without the presets' folder at hand, makes the same samples."""
    from roomtone.cli.main import main

    (tmp_path / "lab" / "noise").mkdir(parents=True)
    (tmp_path / "lab" / "noise" / "hiss.yaml").write_text("op: coloured_noise\nslope_db_per_octave: 3.0\n")
    cfg = configure("source")
    words = [
        "generate", "corpus=table", f"corpus.path={cfg['corpus']['path']}", "scenario.factors.noise=[none,hiss@5dB]", "design=one_at_a_time",
        "scenario.factors.room=[none]", "scenario.factors.equipment=[none]", "scenario.factors.handset=[none]", "executor=serial",
    ]  # fmt: skip
    assert main([*words, f"output.dir={tmp_path / 'source'}", "--config-dir", str(tmp_path / "lab")]) == 0
    repeat = [
        "generate",
        "--config-dir",
        str(tmp_path / "source"),
        "--config-name",
        "config",
        f"output.dir={tmp_path / 'again'}",
    ]
    assert main(repeat) == 0
    assert identity(tmp_path / "source") == identity(tmp_path / "again")


@pytest.mark.slow
def test_a_run_killed_half_way_and_resumed_equals_an_uninterrupted_one(small_table, tmp_path):
    from roomtone.cli.main import main

    words = ["generate", "corpus=table", f"corpus.path={small_table}", "design=full", *LEVELS]
    assert main([*words, "executor=serial", f"output.dir={tmp_path / 'whole'}"]) == 0
    victim = subprocess.Popen(
        [
            sys.executable, "-P", "-m", "roomtone.cli.main", *words, "executor=processes", "executor.workers=2",
            f"output.dir={tmp_path / 'cut'}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not glob.glob(f"{tmp_path}/cut/tmp/*/*") and victim.poll() is None:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    time.sleep(1.5)
    assert main([*words, "executor=serial", f"output.dir={tmp_path / 'cut'}"]) == 0
    assert identity(tmp_path / "cut") == identity(tmp_path / "whole")
    assert not (tmp_path / "cut" / "tmp").exists()


@pytest.mark.slow
@pytest.mark.skipif(not CARDS.is_dir(), reason="Debian's pocketsphinx-testdata is not installed")
def test_real_recordings_render_in_every_level(composed, tmp_path):
    """LibriVox sentences and card games: real speech, with each pair of levels of the hospital scenario."""
    rows = []
    for folder, listing in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (CARDS / folder / listing).read_text().splitlines():
            text, _, name = line.replace("<s>", "").replace("</s>", "").rpartition("(")
            audio = CARDS / folder / f"{name.rstrip(')').strip()}.wav"
            if audio.is_file():
                rows.append(
                    {
                        "audio": str(audio),
                        "text": text.strip(),
                        "speaker": folder,
                        "accent": "american",
                    }
                )
    assert len(rows) >= 5
    table = tmp_path / "real.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cfg = composed(
        "corpus=table",
        f"corpus.path={table}",
        "scenario=hospital_imaging_floor",
        "design=covering",
        f"output.dir={tmp_path / 'real'}",
    )
    plan = make_plan(cfg)
    summary = generate(cfg)
    assert summary.rendered == summary.planned == plan.samples > len(rows)
    manifest = read_manifest(tmp_path / "real")
    assert len(manifest) == summary.planned
    assert not [fault for row in manifest.to_dict("records") if (fault := file_fault(tmp_path / "real", row))]
