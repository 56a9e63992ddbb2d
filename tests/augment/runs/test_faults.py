"""kill -9 at every point of the commit, of worker, driver and the whole group; what a second run leaves is always the same set."""

import importlib.util
import itertools
import os
import random
import signal
import sys
import time
from functools import partial
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
    ("engine", "who", "points"),
    [
        *[("processes", who, POINTS) for who in ("self", "driver")],
        (
            "processes",
            "group",
            ("after_write", "after_rename"),
        ),  # where all die at once: as the only process, which dies everywhere below
        ("dask", "driver", ("after_write", "after_rename")),
    ],
)
def test_killed_anywhere_and_resumed_it_is_the_same_set(
    engine, who, points, job, fork, tmp_path, run_in_process, check_set, snapshot
):
    """The runs that are killed at the points go three at a time; each is then looked at and finished."""
    if engine == "dask":
        pytest.importorskip("distributed")
    workers = 1 if who == "self" else 2
    for some in (points[:3], points[3:]):
        runs = {}
        for point in some:
            words = [f"executor={engine}", f"executor.workers={workers}", f"output.dir={tmp_path / point}"]
            runs[point] = fork(
                partial(run_in_process, job, *words),
                ROOMTONE_FAULT=f"{point}:{2 if 'write' in point else 1}:{tmp_path / f'killed-{point}'}",
                ROOMTONE_FAULT_WHO=who,
            )
        for point, process in runs.items():
            status = process.wait(120)
            errors = process.errors.read_text()
            assert (tmp_path / f"killed-{point}").exists(), f"nothing passed {point}: {errors}"
            folder = tmp_path / point
            if who == "self":  # the engine gives the shard to another worker: the run itself is to succeed
                assert status == 0, errors
            else:
                assert status == -signal.SIGKILL
                assert _gone(process.pid), "somebody is left to write"
                published = {path for path in snapshot(folder) if "/tmp/" not in path and "/audio/" in path}
                run = run_in_process(job, "executor=serial", f"output.dir={folder}")
                assert run.rendered == run.planned == 24
                assert published <= set(snapshot(folder))
            check_set(folder)
            assert run_in_process(job, "executor=serial", f"output.dir={folder}").resumed == 24


@pytest.mark.parametrize("point", [*POINTS, *DRIVER_POINTS])
def test_the_only_process_killed(point, job, fork, tmp_path, run_in_process, check_set):
    """Without workers everything is written by one process, its own records too."""
    words = [*job, "executor=serial", f"output.dir={tmp_path / 'set'}"]
    killed = fork(partial(run_in_process, words), ROOMTONE_FAULT=f"{point}:1:{tmp_path / 'marker'}")
    assert killed.wait(120) == -signal.SIGKILL
    run_in_process(words)
    check_set(tmp_path / "set")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_ten_random_kills(fork, tmp_path):
    """`bench/random_kills.py` does a hundred, with Dask and S3 too; here three are of a pool of one worker, seven of the only process."""
    spec = importlib.util.spec_from_file_location(
        "random_kills", Path(__file__).parents[3] / "bench" / "random_kills.py"
    )
    bench = sys.modules["random_kills"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    kills = bench.Kills(
        tmp_path,
        bench.corpus(tmp_path / "corpus", 2),
        lambda words: fork(partial(bench.make_set, words)),
        ["output.shard_samples=4", "executor.workers=1"],
    )
    rng, counted = random.Random(19), 0
    pools = itertools.islice(bench.draw_trials(rng, ("processes",), ("folder",)), 3)
    alone = itertools.islice(bench.draw_trials(rng, ("serial",), ("folder",)), 17)
    for number, trial in enumerate(itertools.chain(pools, alone)):
        fault = kills.run(trial, number)
        assert not fault, (trial, fault)
        counted += fault is not None
        if counted == 10:
            break
    assert counted == 10


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
