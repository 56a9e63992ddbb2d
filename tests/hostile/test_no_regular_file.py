"""A pipe, a device, a socket or a folder in the place of every file that a user or a stranger's set names: one line, soon, and no hang.

Each place has a pipe here. That no reader opens anything but regular files is held by `tests/test_readers.py`, so that the
other kinds are tried at one place each.
"""

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

#: Seconds after which the test lets a reader of the pipe go on, and those that a command may take.
LET_GO_S, MOST_S = 60.0, 50.0
GENERATE = (
    "generate", "scenario.factors.room=[none]", "scenario.factors.noise=[none]", "scenario.factors.equipment=[none]",
    "scenario.factors.handset=[none]", "design=full", "executor=serial",
)  # fmt: skip


def put(path, kind):
    """Put a pipe, socket, device or folder where a file is expected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # the name of a socket is short
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
        os.chdir(here)
    elif kind == "device":
        path.symlink_to("/dev/null")
    else:
        path.mkdir()


@pytest.fixture
def ends(roomtone):
    """ends(words, path, kind) -> (status, all that was said); it fails where the command waits or shows a traceback."""

    def run(words, path, kind="pipe"):
        put(path, kind)
        over = threading.Event()
        watch = threading.Thread(target=_let_go, args=(path, over), daemon=True)
        watch.start()
        begun = time.monotonic()
        try:
            status, out, err = roomtone(*words)
        finally:
            over.set()
            watch.join()
        assert time.monotonic() - begun < MOST_S
        assert "Traceback" not in err, err
        return status, out + err

    return run


def _let_go(path, over):
    """Open the pipe for writing and close it, again and again, so that whoever waits for it reads its end."""
    if over.wait(LET_GO_S):
        return
    while not over.wait(0.05):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            continue


@pytest.fixture(scope="module")
def evaluated(workshop, tmp_path_factory):
    """The set with answers beside it, a coverage, and what a reader looks for first in an evaluation."""
    import pandas as pd

    from roomtone.cli.main import main
    from roomtone.core.dataset.manifest import read_manifest

    home = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(workshop / "set", home / "set")
    rows = read_manifest(home / "set")
    lines = [{"sample_id": row.sample_id, "hypothesis": row.text} for row in rows.itertuples()]
    (home / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["sign", f"dataset={home / 'set'}", f"key={home / 'key.pem'}", "new_key=true"]) == 0
    assert main(["coverage", f"dataset={home / 'set'}", "pictures=false"]) == 0
    (home / "set" / "evaluation" / "scores").mkdir(parents=True)
    summary = {"recogniser": {"recogniser": "command"}, "settings": {"group": "accent", "condition": "condition"}}
    (home / "set" / "evaluation" / "evaluation.json").write_text(json.dumps(summary))
    pd.DataFrame(lines).to_parquet(home / "set" / "evaluation" / "scores" / "part-00000.parquet")
    return home


#: What a user types: command with `{}` for the file, and the file's name.
TYPED = {
    "corpus.jsonl": [*GENERATE, "corpus=table", "corpus.path={}"],
    "corpus.csv": [*GENERATE, "corpus=table", "corpus.path={}"],
    "corpus.jsonl.gz": [*GENERATE, "corpus=table", "corpus.path={}"],
    "corpus.parquet": [*GENERATE, "corpus=table", "corpus.path={}"],
    "manifest.json": [*GENERATE, "corpus=nemo", "corpus.path={}"],
    "table.csv": ["coverage", "dataset={}", "to={home}/out"],
    "table.jsonl": ["coverage", "dataset={}", "to={home}/out"],
    "table.jsonl.gz": ["coverage", "dataset={}", "to={home}/out"],
    "table.parquet": ["coverage", "dataset={}", "to={home}/out"],
    "shard.tar": ["coverage", "dataset={}", "to={home}/out"],
    "matrix.csv": ["coverage", "dataset={set}", "baseline={}", "pictures=false"],
    "spelt.dict": ["coverage", "dataset={set}", "vocabulary=accent", "dictionary={}", "pictures=false"],
    "answers.csv": ["evaluate", "dataset={set}", "asr=hypotheses", "path={}"],
    "answers.jsonl": ["evaluate", "dataset={set}", "asr=hypotheses", "path={}"],
    "answers.parquet": ["evaluate", "dataset={set}", "asr=hypotheses", "path={}"],
    "terms.txt": ["evaluate", "dataset={set}", "asr=hypotheses", "path={answers}", "terms={}"],
    "certificate.json": ["evaluate", "dataset={set}", "asr=hypotheses", "path={answers}", "certificate={}"],
    "grammar.gram": ["evaluate", "dataset={set}", "asr=pocketsphinx", "asr.grammar={}"],
    "key.pub": ["verify", "dataset={set}", "key={}"],
    "key.pem": ["sign", "dataset={set}", "key={}"],
    "alarm.wav": ["measure", "recording={}", "as=equipment", "name=alarm", "to={home}/out"],
    "place/place.yaml": ["measure", "place={home}/place", "to={home}/out"],
    "speech.wav": ["listen", "clean", "audio={}", "to={home}/out.wav"],
    "lab/scenario/mine.yaml": [*GENERATE[:1], "--config-dir", "{home}/lab", "scenario=mine"],
    "lab/noise/hum.yaml": ["show", "hum", "--config-dir", "{home}/lab"],
}


@pytest.mark.parametrize("name", TYPED)
def test_a_pipe_that_is_typed_is_refused_in_one_line(name, evaluated, ends, tmp_path):
    dataset = shutil.copytree(evaluated / "set", tmp_path / "set")
    shutil.copy(evaluated / "answers.jsonl", tmp_path / "heard.jsonl")
    given = {"home": tmp_path, "set": dataset, "answers": tmp_path / "heard.jsonl"}
    words = [word.format(tmp_path / name, **given) for word in TYPED[name]]
    words += [f"output.dir={tmp_path / 'made'}"] * (words[0] == "generate")
    status, said = ends(words, tmp_path / name)
    assert status == 1, said
    assert len([line for line in said.splitlines() if Path(name).stem in line]) == 1, said


@pytest.mark.parametrize("kind", ["socket", "device", "folder"])
@pytest.mark.parametrize(
    "name", ["corpus.jsonl", "table.csv", "answers.parquet", "terms.txt", "certificate.json", "speech.wav"]
)
def test_so_is_what_else_is_no_file(name, kind, evaluated, ends, tmp_path):
    dataset = shutil.copytree(evaluated / "set", tmp_path / "set")
    given = {"home": tmp_path, "set": dataset, "answers": evaluated / "answers.jsonl"}
    words = [word.format(tmp_path / name, **given) for word in TYPED[name]]
    words += [f"output.dir={tmp_path / 'made'}"] * (words[0] == "generate")
    status, said = ends(words, tmp_path / name, kind)
    assert status == 1, said
    assert name in said


#: What lies in a stranger's set: the file, the command, and the status; where the file is not needed it is passed over.
INSIDE = {
    ("dataset.json", "coverage"): 1,
    ("config.yaml", "generate"): 1,
    ("local.yaml", "verify"): 0,
    ("rejected/part-00000.jsonl", "verify"): (1, 2),
    ("audio", "verify"): 2,
    ("audio", "coverage"): 0,
    ("audio", "listen"): 1,
    ("SHA256SUMS", "sign"): 0,
    ("SHA256SUMS", "key"): 1,
    ("coverage/holes.yaml", "coverage"): 1,
    ("coverage/figures.json", "coverage"): 0,
    ("coverage/matrix.csv", "baseline"): 1,
    ("evaluation/scores/part-00000.parquet", "compare"): 1,
    ("evaluation/evaluation.json", "compare"): 1,
    ("evaluation/certificates.jsonl", "evaluate"): 0,
    (".lock", "generate"): 1,
}


@pytest.mark.parametrize(("name", "command"), INSIDE)
def test_a_pipe_in_a_set_is_waited_for_by_nobody(name, command, evaluated, ends, tmp_path):
    dataset = Path(shutil.copytree(evaluated / "set", tmp_path / "set"))
    path = dataset / name if name != "audio" else sorted((dataset / "audio").rglob("*.flac"))[0]
    words = {
        "verify": ["verify", f"dataset={dataset}", "share=0", "executor=serial"],
        "coverage": ["coverage", f"dataset={dataset}", f"pictures={str(name == 'audio').lower()}"],
        "key": ["verify", f"dataset={dataset}", f"key={evaluated / 'key.pem.pub'}", "share=0", "executor=serial"],
        "baseline": [
            "coverage",
            f"dataset={dataset}",
            f"baseline={dataset}",
            "pictures=false",
            f"to={tmp_path / 'out'}",
        ],
        "compare": ["compare", f"a={dataset}", f"b={evaluated / 'set'}", f"to={tmp_path / 'out'}"],
        "evaluate": ["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={evaluated / 'answers.jsonl'}"],
        "listen": ["listen", "clean", f"audio={path}", f"to={tmp_path / 'out.wav'}"],
        "sign": ["sign", f"dataset={dataset}", f"key={tmp_path / 'key.pem'}", "new_key=true"],
        "generate": ["generate", "--config-dir", dataset, "--config-name", "config", f"output.dir={dataset}"],
    }[command]
    status, said = ends(words, path)
    wanted = INSIDE[name, command]
    assert status in (wanted if isinstance(wanted, tuple) else (wanted,)), (status, said)
