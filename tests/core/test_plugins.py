"""What other installed packages add: the package of docs/extend.md, laid out as pip installs it and found by importlib.metadata."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import soundfile

from roomtone.core.plugins import added_names

PAGE = Path(__file__).parents[2] / "docs" / "extend.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the repository's docs are not beside the tests")

#: Run in a process of its own, because what is installed is looked up once; prints what each command did.
SCRIPT = """
import contextlib, io, json, sys
from roomtone.cli.main import main

found = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    found.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


def install(site: Path, *, broken: bool = False) -> None:
    """Put the package of the page into a folder of packages, as pip would: modules, data, and dist-info with its entry points."""
    files = re.findall(r"```\w+\n# acme/(\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(files) == 5
    for name, text in files:
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("import nothing_of_this_name\n" if broken and name.endswith(".py") else text)
    project = tomllib.loads((site / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups]
    (info / "entry_points.txt").write_text("\n".join(lines))


def run(site: Path, home: Path, *commands: list[str]) -> list[tuple[int, str, str]]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT, json.dumps(commands)],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [tuple(entry) for entry in json.loads(done.stdout.splitlines()[-1])]


@pytest.mark.slow
def test_an_installed_package_adds_an_op_a_reader_a_recogniser_an_export_and_presets(tmp_path, speech):
    install(tmp_path / "site")
    (tmp_path / "takes").mkdir()
    for i, (speaker, accent) in enumerate((("ann", "scottish"), ("bob", "irish"))):
        soundfile.write(tmp_path / "takes" / f"{speaker}-{accent}-hello_there.wav", speech[i * 100 :], 16000)
    levels = ["room=none", "noise=[none,clicks@5dB]", "equipment=none", "handset=none", "design=full"]
    corpus = ["corpus=acme_takes", "corpus.path=takes"]
    listed, made, heard, exported, wrong = run(
        tmp_path / "site",
        tmp_path,
        ["list", "noise"],
        ["generate", *corpus, *levels, "executor=serial", "output.dir=set"],
        ["evaluate", "dataset=set", "asr=acme_parrot", "asr.says=hello", "permutations=199", "resamples=0"],
        ["export", "dataset=set", "format=acme_list", "to=listed"],
        ["export", "dataset=set", "format=acme_lits", "to=other"],
    )
    assert re.search(r"^clicks +Clicks of our relay", listed[1], re.MULTILINE)
    assert made[0] == 0, made
    state = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert state["runs"][0]["versions"]["acme-roomtone"] == "1.0"
    assert heard[0] == 0, heard
    assert "acme_parrot" in (tmp_path / "set" / "evaluation" / "report.html").read_text()
    assert exported[0] == 0, exported
    assert "acme_list: one path a line" in exported[1]
    assert len((tmp_path / "listed" / "list.txt").read_text().split()) == 4  # two speakers, clean and clicks
    assert wrong[:1] + wrong[2:] == (1, "roomtone: format: unknown 'acme_lits'; did you mean 'acme_list'?\n")


def test_a_broken_package_stops_nobody_who_does_not_use_it(tmp_path):
    """It is named where it is used, and where all that there is is listed."""
    install(tmp_path / "site", broken=True)
    plain, used = run(
        tmp_path / "site",
        tmp_path,
        ["list", "export"],
        ["export", "dataset=set", "format=acme_list", "to=listed"],
    )
    assert plain[0] == 0, plain
    assert re.search("^acme_list .*cannot be loaded", plain[1], re.MULTILINE)
    assert re.search("^kaldi ", plain[1], re.MULTILINE)
    assert used[0] == 1
    assert "'acme_list' of the installed package acme-roomtone 1.0 cannot be loaded" in used[2]
    assert "nothing_of_this_name" in used[2]


def test_without_such_a_package_there_is_nothing_to_add():
    assert added_names("roomtone.no_such_group") == []
