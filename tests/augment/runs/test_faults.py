"""kill -9 at every point of the commit, of worker, driver and the whole group; what a second run leaves is always the same set."""

import os
import signal
import time
from pathlib import Path

import pytest

from roomtone.core.workers.fault_injection import DRIVER_POINTS, POINTS


def _gone(group, *, within=20.0):
    """Wait until no process of a group is left; a zombie is none."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        if all(_state(pid) == "Z" for pid in _group(group)):
            return True
        time.sleep(0.05)
    return False


def _group(group):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                found.append(int(entry.name))
        except (ProcessLookupError, PermissionError):
            continue
    return found


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
@pytest.mark.parametrize(
    ("engine", "who"), [("processes", "self"), ("processes", "driver"), ("processes", "group"), ("dask", "driver")]
)
def test_killed_anywhere_and_resumed_it_is_the_same_set(
    engine, who, job, start, tmp_path, run_in_process, check_set, snapshot
):
    """The runs that are killed at the six points go three at a time; each is then looked at and finished."""
    if engine == "dask":
        pytest.importorskip("distributed")
    for points in (POINTS[:3], POINTS[3:]):
        runs = {}
        for point in points:
            runs[point] = start(
                [*job, f"executor={engine}", "executor.workers=2", f"output.dir={tmp_path / point}"],
                ROOMTONE_FAULT=f"{point}:{2 if 'write' in point else 1}:{tmp_path / f'killed-{point}'}",
                ROOMTONE_FAULT_WHO=who,
            )
        for point, process in runs.items():
            _, errors = process.communicate(timeout=120)
            assert (tmp_path / f"killed-{point}").exists(), f"nothing passed {point}: {errors}"
            folder = tmp_path / point
            if who == "self":  # the engine gives the shard to another worker: the run itself is to succeed
                assert process.returncode == 0, errors
            else:
                assert process.returncode == -signal.SIGKILL
                assert _gone(process.pid), "somebody is left to write"
                published = {path for path in snapshot(folder) if "/tmp/" not in path and "/audio/" in path}
                run = run_in_process(job, "executor=serial", f"output.dir={folder}")
                assert run.rendered == run.planned == 24
                assert published <= set(snapshot(folder))
            check_set(folder)
            assert run_in_process(job, "executor=serial", f"output.dir={folder}").resumed == 24


@pytest.mark.parametrize("point", [*POINTS, *DRIVER_POINTS])
def test_the_only_process_killed(point, job, tmp_path, run_in_process, check_set):
    """Without workers everything is written by one process, its own records too; a fork dies, its parent resumes."""
    folder = tmp_path / "set"
    child = os.fork()
    if child == 0:
        os.environ["ROOMTONE_FAULT"] = f"{point}:1:{tmp_path / 'marker'}"
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        try:
            run_in_process(job, "executor=serial", f"output.dir={folder}")
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    run_in_process(job, "executor=serial", f"output.dir={folder}")
    check_set(folder)


def test_an_orphan_publishes_nothing(job, tmp_path, composed):
    """A worker that outlives its driver finds the lock free, or held by another run, and gives up before it renames."""
    from roomtone.augment.runs.shard_writer import ShardWriter
    from roomtone.core.dataset.containers import CONTAINERS
    from roomtone.core.dataset.storage import open_storage
    from roomtone.core.errors import RoomtoneError

    place = open_storage(tmp_path / "set")
    with place.lock("first"):
        assert place.held_by("first")
        assert not place.held_by("other")
    assert not place.held_by("first")
    with (
        place.lock("second"),
        ShardWriter(place, 0, CONTAINERS["flac"], "first") as writer,
        pytest.raises(RoomtoneError, match="is over; nothing is published"),
    ):
        writer.commit([], [])
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [".lock"]
