"""What a release and a start must not do: run programs, differ from build to build, or hide what it is made of."""

import ast
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Runs the words as a command, and prints each program that this process starts, or forks to.
_WATCH = textwrap.dedent("""
    import sys
    started = []
    names = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn")
    sys.addaudithook(lambda event, args: started.append((event, str(args)[:200])) if event in names else None)
    from roomtone.cli.main import main
    status = main(sys.argv[1:])
    print("STARTED", status, started)
""")
_SMALL = ["noise=[none]", "room=[none]", "equipment=[none]", "handset=[none,landline_mulaw]", "executor=serial"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["--help"], ["generate", "--help"], ["list", "noise"], ["generate", "corpus.select.max_per_accent=1", *_SMALL]],
)
def test_no_stray_program_is_started(words, tmp_path):
    """A look-up of a port's library ran `ldconfig` and `gcc` at each start: whatever bears these names on the path ran as the user."""
    if len(words) > 2 and words[0] == "generate":
        words = [*words, f"output.dir={tmp_path / 'set'}"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _WATCH, *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=tmp_path,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("STARTED ")), "")
    assert line.startswith("STARTED 0 "), done.stdout[-500:] + done.stderr[-500:]
    started = [str(args) for _, args in ast.literal_eval(line.removeprefix("STARTED 0 "))]
    # matplotlib asks fontconfig for the machine's fonts when it first draws, and never again
    assert [args for args in started if not args.startswith("('fc-list', ['fc-list', ")] == []


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The wheel built twice from copies of the tree: with another clock, umask and folder."""
    if not (ROOT / "pyproject.toml").is_file() or not (ROOT / ".ci" / "release.py").is_file():
        pytest.skip("needs the source tree")
    folder = tmp_path_factory.mktemp("release")
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / ".ci" / "release.py"), str(folder)],
        capture_output=True, text=True, timeout=900, check=False, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.mark.slow
def test_a_wheel_is_the_same_bytes_again(release):
    """release.py builds it twice, in folders with other names, dates and modes, and fails where the bytes differ."""
    wheel = next(release.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert names == sorted(names) or names[-1].endswith("RECORD")
        assert {info.date_time for info in archive.infolist()} == {(2020, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 & 0o777 for info in archive.infolist()} <= {0o644, 0o664}
    lines = (release / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in lines} == {wheel.name, next(release.glob("*.cdx.json")).name}


@pytest.mark.slow
def test_the_bill_of_materials_names_all_that_is_needed(release):
    bill = json.loads(next(release.glob("*.cdx.json")).read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["name"] == "roomtone"
    names = {component["name"].lower().replace("_", "-") for component in bill["components"]}
    # what pyproject names, and what those need in turn
    assert {
        "numpy",
        "hydra-core",
        "omegaconf",
        "soundfile",
        "pyroomacoustics",
        "audiomentations",
        "duckdb",
        "pyarrow",
    } <= names
    assert {"pyyaml", "antlr4-python3-runtime", "cffi", "llvmlite"} <= names
    assert all(component["purl"].startswith("pkg:pypi/") and component["version"] for component in bill["components"])
    known = {component["bom-ref"] for component in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {edge["ref"] for edge in bill["dependencies"]} == known
    assert all(set(edge["dependsOn"]) <= known for edge in bill["dependencies"])
