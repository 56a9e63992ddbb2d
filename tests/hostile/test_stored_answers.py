"""A set that comes with an `evaluation/` of its author's: his answers decide no verdict, and his links choose no file that is written."""

import json
import os
import shutil

import numpy as np
import pytest
import soundfile

HEARD = "heard here"


def write_answers(dataset, rows, **more):
    """Fill every recogniser's folder below `evaluation/hypotheses` as an attacker would."""
    for folder in (dataset / "evaluation" / "hypotheses").iterdir():
        for path in folder.glob("run-*.jsonl"):
            path.unlink()
        lines = [{"sample_id": name, "hypothesis": "planted", "reason": None, "seconds": 0.1} | more for name in rows]
        (folder / "run-0.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def evaluate(tmp_path, caplog):
    """evaluate(dataset, **settings) -> (hypotheses, what was said) with a recogniser that always answers the same."""
    from roomtone.fairness.evaluation import Settings, score_dataset

    (tmp_path / "asr.sh").write_text(f"echo {HEARD}\n")

    def run(dataset, timeout_s=60.0, **settings):
        caplog.clear()
        asr = {"recogniser": "command", "command": f"sh {tmp_path}/asr.sh {{audio}}", "timeout_s": timeout_s}
        scores = score_dataset(dataset, Settings(asr=asr, **settings))
        return scores["hypothesis"].tolist(), caplog.text

    return run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A set of three short recordings."""
    from roomtone.core.dataset.manifest import write_part

    folder = tmp_path_factory.mktemp("small") / "set"
    (folder / "audio").mkdir(parents=True)
    rows = []
    for number, accent in enumerate(("scottish", "scottish", "welsh")):
        soundfile.write(folder / "audio" / f"{number}.wav", np.zeros(1600), 16000)
        row = {
            "sample_id": f"s{number}",
            "audio_path": f"audio/{number}.wav",
            "pcm_sha256": f"{number}" * 64,
            "text": "heard here",
        }
        rows.append(
            row
            | {
                "condition": "clean",
                "accent": accent,
                "speaker": f"p{number}",
                "utterance_id": f"u{number}",
                "language": "en",
            }
        )
    write_part(rows, folder / "manifest" / "part-00000.parquet")
    return folder


@pytest.fixture
def answered(small, evaluate, tmp_path):
    """A set of three rows that this user has evaluated, and its ids."""
    shutil.copytree(small, tmp_path / "set")
    heard, err = evaluate(tmp_path / "set")
    assert heard == [HEARD] * 3, err
    scores = tmp_path / "set" / "evaluation" / "hypotheses"
    path = next(scores.rglob("run-*.jsonl"))
    return tmp_path / "set", [json.loads(line) for line in path.read_text().splitlines()]


def test_own_answers_are_gone_on_from(answered, evaluate):
    dataset, _ = answered
    before = set((dataset / "evaluation" / "hypotheses").rglob("run-*.jsonl"))
    heard, err = evaluate(dataset)
    assert heard == [HEARD] * 3
    assert set((dataset / "evaluation" / "hypotheses").rglob("run-*.jsonl")) == before  # nothing was asked again
    assert "ignored" not in err


@pytest.mark.parametrize("code", ["none", "a guess", "wrong type", "of another answer", "of another key"])
def test_answers_of_a_stranger_decide_nothing(answered, evaluate, code, monkeypatch, tmp_path):
    """Who ships a set with its answers filled in chose the verdict."""
    dataset, lines = answered
    names = [line["sample_id"] for line in lines]
    codes = {
        "none": {},
        "a guess": {"code": "0" * 64},
        "wrong type": {"code": [1]},
        "of another answer": {"code": lines[0]["code"]},
    }
    if code == "of another key":  # this user's own answers are those of a stranger to another
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another_user"))
    else:
        write_answers(dataset, names, **codes[code])
    heard, err = evaluate(dataset)
    assert heard == [HEARD] * 3
    assert "answers to 3 recordings" in err
    assert "trust_stored=true" in err


def test_they_are_taken_where_that_is_typed_and_the_report_says_so(answered, evaluate, roomtone, tmp_path):
    dataset, lines = answered
    write_answers(dataset, [line["sample_id"] for line in lines])
    words = [
        "evaluate",
        f"dataset={dataset}",
        "asr=command",
        f'asr.command="sh {tmp_path}/asr.sh {{audio}}"',
        "asr.timeout_s=60",
    ]
    assert roomtone(*words, "trust_stored=true", "permutations=199", "resamples=0")[0] == 0
    assert "planted" in (dataset / "evaluation" / "report.html").read_text()
    said = json.loads((dataset / "evaluation" / "evaluation.json").read_text())["notes"]
    assert any("trust_stored=true" in note for note in said)


def test_a_file_cannot_ask_for_it(small, refused, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "mine.yaml").write_text("defaults: [evaluate, _self_]\ntrust_stored: true\n")
    refused("trust_stored", "evaluate", f"dataset={small}", "--config-dir", tmp_path / "conf", "--config-name", "mine")


def test_own_answers_are_moved_to_no_other_recording(answered, evaluate, edit_rows):
    """A set that went out and came back: one's own answers stand, but its files are others under the same ids."""
    dataset, _ = answered
    edit_rows(dataset, lambda rows: [row.update(pcm_sha256="f" * 64) for row in rows[:2]])
    heard, err = evaluate(dataset)
    assert heard == [HEARD] * 3
    assert "answers to 2 recordings" in err


def test_own_answers_do_not_outlive_their_recordings(answered, evaluate):
    """Other speech laid under the same names, with the same size and times, and the rows left as they were: the old answers were taken."""
    dataset, _ = answered
    for name in ("0.wav", "1.wav"):
        path = dataset / "audio" / name
        before = path.stat()
        other = np.random.default_rng(3).standard_normal(1600) * 0.1
        soundfile.write(path, other, 16000)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
    heard, err = evaluate(dataset)
    assert heard == [HEARD] * 3
    assert "answers to 2 recordings" in err


def test_a_copy_of_a_set_keeps_its_own_answers(answered, evaluate, tmp_path):
    """Files of another number and time whose bytes are the same."""
    shutil.copytree(answered[0], tmp_path / "copy")
    before = sorted((tmp_path / "copy").rglob("run-*.jsonl"))
    heard, err = evaluate(tmp_path / "copy")
    assert heard == [HEARD] * 3
    assert "ignored" not in err
    assert sorted((tmp_path / "copy").rglob("run-*.jsonl")) == before


def test_own_answers_are_moved_to_no_other_sample_or_recogniser(answered, evaluate):
    dataset, lines = answered
    folder = next((dataset / "evaluation" / "hypotheses").iterdir())
    moved = [line | {"sample_id": other["sample_id"]} for line, other in zip(lines, [*lines[1:], lines[0]])]
    next(folder.glob("run-*.jsonl")).write_text("".join(json.dumps(line) + "\n" for line in moved))
    _, err = evaluate(dataset)
    assert "answers to 3 recordings" in err
    elsewhere = folder.with_name("command-0123456789")
    folder.rename(elsewhere)
    heard, _ = evaluate(dataset, timeout_s=77.0)
    assert heard == [HEARD] * 3


def test_what_was_torn_or_is_no_answer_is_asked_again(answered, evaluate):
    dataset, lines = answered
    path = next((dataset / "evaluation" / "hypotheses").rglob("run-*.jsonl"))
    torn = [
        json.dumps(lines[0]),
        "[" * 100_000,
        "[]",
        '{"sample_id": 1, "hypothesis": "a"}',
        '{"sample_id": "s"}',
        json.dumps(lines[1])[:40],
    ]
    path.write_bytes("\n".join(torn).encode() + b"\xff\xc3")
    heard, err = evaluate(dataset)
    assert heard == [HEARD] * 3, err


@pytest.mark.parametrize(
    "name", ["", "report.html", "evaluation.json", "scores", "hypotheses", "certificates.jsonl", "a/b"]
)
def test_an_evaluation_writes_through_no_link(small, refused, tmp_path, name):
    """`evaluation/report.html` of a stranger's set, a link to one's own file, was followed, and the file overwritten."""
    dataset = tmp_path / "set"
    shutil.copytree(small, dataset)
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "note.txt").write_text("mine")
    link = dataset / "evaluation" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(treasure / "note.txt" if "." in name else treasure)
    refused("link", "evaluate", f"dataset={dataset}", "asr=command", 'asr.command="true {audio}"')
    assert sorted(path.name for path in treasure.iterdir()) == ["note.txt"]
    assert (treasure / "note.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "matrix.csv", "index.html"])
def test_nor_does_a_coverage(small, refused, roomtone, tmp_path, name):
    dataset = tmp_path / "set"
    shutil.copytree(small, dataset)
    shutil.rmtree(dataset / "coverage", ignore_errors=True)
    (tmp_path / "treasure").mkdir()
    (dataset / "coverage" / name).parent.mkdir(parents=True, exist_ok=True)
    (dataset / "coverage" / name).symlink_to(tmp_path / "treasure")
    refused("link", "coverage", f"dataset={dataset}")
    assert list((tmp_path / "treasure").iterdir()) == []
