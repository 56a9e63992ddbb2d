"""Three answers: a missed label rejects one sample with both figures, and the run goes on; a preset's fault is called that."""

import dataclasses
import json

import numpy as np
import pytest

from roomtone.augment.generation import generate
from roomtone.augment.rendering import render as render_module
from roomtone.augment.runs.rejections import systematic_failures
from roomtone.augment.runs.summary import RunStoppedError
from roomtone.augment.settings import generate_settings
from roomtone.cli.main import main
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError


@pytest.mark.parametrize("value", ["1.5", "-1", "-0.1", "true", "some"])
def test_other_limits_are_refused_at_the_door(value, composed):
    with pytest.raises(RoomtoneError, match=r"max_rejected: expected a count such as 3, or a share from 0 to 1"):
        generate_settings(composed(f"max_rejected={value}", "output.dir=nowhere"))


def test_counts_and_shares_keep_their_kind(composed):
    for word, value in (("3", 3), ("1", 1), ("1.0", 1.0), ("0.2", 0.2)):
        found = generate_settings(composed(f"max_rejected={word}", "output.dir=nowhere")).max_rejected.value
        assert (found, type(found)) == (value, type(value))


@pytest.fixture
def one_miss(monkeypatch):
    """Skew the noise of one sample of the job by 0.3 dB, where a bug would."""
    honest, count = render_module.mix_stems, [0]

    def skewed(recipe, *args):
        made = honest(recipe, *args)
        if recipe.noise is None:
            return made
        count[0] += 1
        return dataclasses.replace(made, noise=made.noise * np.float32(10 ** (0.3 / 20))) if count[0] == 5 else made

    monkeypatch.setattr(render_module, "mix_stems", skewed)


def test_a_missed_label_rejects_one_sample_with_both_figures(job, composed, tmp_path, one_miss):
    """Two of the three scenarios ended after seconds with exit 1, no sample kept, for one label that could not be measured."""
    folder = tmp_path / "set"
    summary = generate(composed(*job[1:], "executor=serial", f"output.dir={folder}", "max_rejected=1"))
    assert (summary.planned, summary.rendered, len(summary.rejected), summary.exit_status) == (24, 23, 1, 3)
    (entry,) = summary.rejected
    assert entry["stage"] == "rendering"
    (missed,) = entry["missed"]
    assert (missed["label"], missed["asked"], missed["tolerance"]) == ("snr_db", 5.0, "0.1 dB")
    assert missed["measured"] == pytest.approx(4.7, abs=0.01)
    assert "snr_db asked 5.0 dB, got 4.700" in entry["reason"]
    written = [json.loads(line) for path in (folder / "rejected").iterdir() for line in path.read_text().splitlines()]
    assert written == [{**entry, "path": f"corpus:{entry['utterance_id']}"}]  # a set names no folder of this machine
    assert len(read_manifest(folder)) == 23
    assert "rejected 1 (see `rejected/`)" in (folder / "README.md").read_text()
    assert summary.systematic == ()


@pytest.fixture
def late_handset(tmp_path):
    """A preset that moves every file by 20 ms: whatever speech passes it, its label of time is missed."""
    path = tmp_path / "presets" / "handset" / "late.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "op: audiomentations\ntransform: Shift\nmin_shift: 0.02\nmax_shift: 0.02\nshift_unit: seconds\nrollover: false\n"
    )
    return tmp_path / "presets"


def late_words(job, folder, *more):
    words = [word for word in job[1:] if "handset" not in word and "noise" not in word]
    return [
        *words,
        "scenario.factors.noise=[none]",
        "scenario.factors.handset=[none,late]",
        f"output.dir={folder}",
        *more,
    ]


@pytest.mark.slow
def test_a_level_that_fails_on_most_of_its_samples_is_named(job, late_handset, tmp_path, capsys):
    folder = tmp_path / "set"
    words = late_words(job, folder, "executor=serial", "max_rejected=0.6")
    assert main(["generate", "--config-dir", str(late_handset), *words]) == 3
    said = capsys.readouterr().err
    sentence = "handset late: 6 of 6 samples miss asked_delay_samples (a fault of the preset, not of the recordings)"
    assert f"systematic: {sentence}" in said
    assert sentence in (folder / "README.md").read_text()
    assert len(read_manifest(folder)) == 6


@pytest.mark.slow
def test_past_the_limit_the_run_stops_and_what_was_rendered_is_a_set(job, late_handset, tmp_path, capsys):
    """Exit 4 once left a folder with neither card nor matrix."""
    folder = tmp_path / "set"
    words = late_words(job, folder, "executor=serial", "output.shard_samples=2", "max_rejected=2")
    assert main(["generate", "--config-dir", str(late_handset), *words]) == 4
    said = capsys.readouterr().err
    assert "3 of 6 samples rejected (12 planned), max_rejected allows 2" in said
    assert "handset late: 3 of 3 samples miss asked_delay_samples" in said
    assert f"all are listed in {folder}/rejected" in said
    record = json.loads((folder / "dataset.json").read_text())
    assert record["counts"] == {"planned": 12, "rendered": 3, "rejected": 3, "not_reached": 6}
    assert record["runs"][0]["finished"] is False
    assert len(read_manifest(folder)) == 3
    card = (folder / "README.md").read_text()
    assert "Planned 12, rendered 3, rejected 3 (see `rejected/`), not reached 6: the run stopped" in card
    assert (folder / "coverage" / "matrix.csv").is_file()
    more = late_words(job, folder, "executor=serial", "output.shard_samples=2", "max_rejected=6")
    assert main(["generate", "--config-dir", str(late_handset), *more]) == 3
    record = json.loads((folder / "dataset.json").read_text())
    assert record["counts"] == {"planned": 12, "rendered": 6, "rejected": 6, "not_reached": 0}


def test_the_counts_of_a_stop_hold_what_other_workers_finished(job, late_handset, composed, tmp_path):
    folder = tmp_path / "set"
    words = late_words(job, folder, "executor.workers=2", "output.shard_samples=2", "max_rejected=0")
    cfg = composed(*words, config_dir=str(late_handset))
    cfg["config_dir"] = str(late_handset)
    with pytest.raises(RunStoppedError) as stopped:
        generate(cfg)
    summary = stopped.value.summary
    assert summary.planned == summary.rendered + len(summary.rejected) + summary.not_reached == 12
    assert summary.rendered == len(read_manifest(folder))
    assert summary.exit_status == 4


def entries(conditions, stage="rendering", label=None):
    missed = [] if label is None else [{"label": label, "asked": 0, "measured": 1, "tolerance": "0"}]
    return [{"condition": name, "stage": stage, "missed": missed} for name in conditions]


def test_a_fault_is_laid_at_the_level_that_fails_and_not_at_those_beside_it():
    labels = {
        "clean": {},
        "ward": {"room": "ward"},
        "ward+gsm": {"room": "ward", "handset": "gsm"},
        "pink+gsm": {"noise": "pink@5dB", "handset": "gsm"},
        "pink": {"noise": "pink@5dB"},
    }
    tried = dict.fromkeys(labels, 10)
    rejected = entries(["ward+gsm"] * 10 + ["pink+gsm"] * 9, label="level_dbov")
    assert systematic_failures(tried, rejected, labels) == (
        "handset gsm: 19 of 20 samples miss level_dbov (a fault of the preset, not of the recordings)",
    )
    assert systematic_failures(tried, entries(["ward"] * 3), labels) == ()
    broken = entries(
        [name for name in labels for _ in range(9)], stage="reading"
    )  # nine of ten recordings are unreadable
    assert systematic_failures(tried, broken, labels) == ()
