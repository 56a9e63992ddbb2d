"""A small job for tests of how sets are computed: six utterances, four conditions, no rooms; and a way to run it apart."""

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from roomtone.core.dataset.manifest import read_manifest

LEVELS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@5dB]",
    "scenario.factors.equipment=[none]",
    "scenario.factors.handset=[none,landline_mulaw]",
    "design=full",
)

#: Tells a fault of the driver who the driver is, then runs the command.
DRIVER = """
import os, sys
if __name__ == "__main__":
    os.environ["ROOMTONE_FAULT_DRIVER"] = str(os.getpid())
    from roomtone.cli.main import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="session")
def job(tmp_path_factory, write_corpus):
    """Words of a command line that makes 24 samples in three shards; `output.dir` and the executor are up to the test."""
    table = write_corpus(tmp_path_factory.mktemp("job") / "corpus", 6)
    return ["generate", "corpus=table", f"corpus.path={table}", *LEVELS, "output.shard_samples=8"]


@pytest.fixture(scope="session")
def run_in_process(composed):
    """run_in_process(words, *overrides) -> Summary, without another process."""
    from roomtone.augment.generation import generate

    def run(words, *overrides):
        return generate(composed(*words[1:], *overrides))

    return run


@pytest.fixture(scope="session")
def expected(job, run_in_process, tmp_path_factory):
    """The set that nothing interrupted: its rows, by sample id."""
    folder = tmp_path_factory.mktemp("expected") / "set"
    run_in_process(job, "executor=serial", f"output.dir={folder}")
    return rows_of(folder)


def rows_of(folder):
    records = read_manifest(folder).to_dict("records")
    return {row["sample_id"]: {k: None if v != v else v for k, v in row.items()} for row in records}


@pytest.fixture(scope="session")
def rows():
    return rows_of


@pytest.fixture
def start(tmp_path, monkeypatch):
    """start(words, **environment) -> Popen of the command in a process group of its own."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    begun = []

    def run(words, **environment):
        process = subprocess.Popen(
            [sys.executable, "-P", str(script), *words],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a runner in the background ignores SIGINT, and its children would inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
            cwd=tmp_path,
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Forked:
    """A run in a fork of this process, which has everything imported: in a process group of its own, as a driver is."""

    def __init__(self, run, errors, environment):
        self.errors, self.returncode = errors, None
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.setsid()
                signal.signal(signal.SIGINT, signal.default_int_handler)  # a test runner's worker ignores it
                sys.stdout = sys.stderr = open(errors, "w")  # noqa: SIM115 - it is open until the process ends
                os.dup2(sys.stderr.fileno(), 1)
                os.dup2(sys.stderr.fileno(), 2)
                os.environ.update({"ROOMTONE_FAULT_DRIVER": str(os.getpid()), **environment})
                run()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout):
        end = time.monotonic() + timeout
        while self.poll() is None:
            assert time.monotonic() < end, self.errors.read_text()
            time.sleep(0.01)
        return self.returncode


@pytest.fixture
def fork(tmp_path):
    """fork(run, **environment) -> Forked."""
    begun = []

    def start(run, **environment):
        begun.append(Forked(run, tmp_path / f"errors-{len(begun)}", environment))
        return begun[-1]

    yield start
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


@pytest.fixture(scope="session")
def check_set(expected):
    """Assert that a folder is the uninterrupted set, whole, with no temporary file and no stranger in it."""
    from roomtone.augment.runs.shard_writer import file_fault

    def check(folder):
        folder = Path(folder)
        found = rows_of(folder)
        assert found == expected
        assert not [fault for row in found.values() if (fault := file_fault(folder, row))]
        on_disk = {str(path.relative_to(folder)) for path in (folder / "audio").rglob("*") if path.is_file()}
        assert on_disk == {row["audio_path"] for row in found.values()}
        assert not [path for path in folder.rglob("*") if "tmp" in path.name]
        names = {path.name for path in folder.iterdir()}
        assert names <= {
            "manifest",
            "audio",
            "dataset.json",
            "README.md",
            "croissant.json",
            "metadata.parquet",
            "config.yaml",
            "local.yaml",
            ".lock",
            "coverage",
        }

    return check


@pytest.fixture
def snapshot():
    """snapshot(folder) -> {path: (size, time of writing)}: what an orphan would change."""

    def take(folder):
        return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in Path(folder).rglob("*") if p.is_file()}

    return take


@pytest.fixture(scope="session")
def need_dask():
    pytest.importorskip("distributed")
    return shutil.which("dask", path=str(Path(sys.executable).parent))
