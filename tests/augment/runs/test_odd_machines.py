"""Two runs on one set, a clock that goes backwards, workers that are stopped, 64 files open at most: the set is the same, or one line says why not."""

import glob
import itertools
import os
import resource
import signal
import time
from functools import partial
from pathlib import Path

import pytest


def test_two_runs_on_one_set(job, fork, tmp_path, run_in_process, check_set):
    """One writes; the other waits for a while, and finds the set whole or says that another run writes into it."""
    words = [*job, "executor=serial", f"output.dir={tmp_path / 'set'}"]

    both = [fork(partial(run_in_process, words)) for _ in range(2)]
    ended = [process.wait(240) for process in both]
    assert 0 in ended
    for status, process in zip(ended, both):
        assert status == 0 or "another run is writing into this set" in process.errors.read_text()
    check_set(tmp_path / "set")


def test_a_clock_that_goes_backwards(job, fork, tmp_path, run_in_process, check_set):
    """A run begins in 2040 and is killed; its files are of 2040; the next goes on in 2001, each moment earlier than the one before."""
    folder = tmp_path / "set"
    words = [*job, "executor=serial", f"output.dir={folder}"]

    def at(start, step):
        ticks = itertools.count()
        time.time = lambda: start + step * next(ticks)
        time.time_ns = lambda: int((start + step * next(ticks)) * 1e9)
        run_in_process(words)

    killed = fork(partial(at, 2.2e9, 1.0), ROOMTONE_FAULT=f"after_manifest:2:{tmp_path / 'marker'}")
    assert killed.wait(240) == -signal.SIGKILL
    for path in folder.rglob("*"):
        os.utime(path, (2.2e9, 2.2e9))
    later = fork(partial(at, 1e9, -3600.0))
    assert later.wait(240) == 0, later.errors.read_text()
    check_set(folder)
    assert run_in_process(words).resumed == 24


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_workers_that_are_stopped(job, fork, tmp_path, run_in_process, check_set):
    """SIGSTOP, as a terminal or a scheduler sends it: Ctrl-C ends the run all the same, and nobody is left."""
    folder = tmp_path / "set"
    words = [*job, "executor=processes", "executor.workers=1", f"output.dir={folder}"]
    run = fork(partial(run_in_process, words))
    end = time.monotonic() + 240
    while not glob.glob(f"{folder}/tmp/0*/*") and run.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    workers = [pid for pid in _children(run.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    assert workers, run.errors.read_text()
    os.kill(run.pid, signal.SIGINT)
    assert run.wait(240) != 0
    end = time.monotonic() + 60
    while (left := [pid for pid in workers if _state(pid) != "Z"]) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left, [_state(pid) for pid in left]
    run_in_process(job, "executor=serial", f"output.dir={folder}")
    check_set(folder)


def _state(pid):
    """Return the state of a process, Z where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def _children(parent):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_64_files_open_at_most(job, fork, tmp_path, run_in_process, check_set):
    def run():
        before = len(os.listdir("/proc/self/fd"))  # of the process that runs the tests, which holds many
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + 61, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        run_in_process(job, "executor=serial", f"output.dir={tmp_path / 'set'}")

    process = fork(run)
    assert process.wait(240) == 0, process.errors.read_text()
    check_set(tmp_path / "set")
