"""A cluster that others started: scheduler and workers as programs of their own, on loopback."""

import glob
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.core.workers.executors import ExecutorSettings, engine_of

pytest.importorskip("distributed")


@pytest.fixture
def cluster(tmp_path):
    """(address, start a worker): `dask scheduler` and `dask worker` on loopback."""
    running = []

    def begin(*words):
        log = open(tmp_path / f"dask-{len(running)}.log", "wb")  # noqa: SIM115 - as long as the program
        program = subprocess.Popen(
            [sys.executable, "-P", "-m", "dask", *words], stdout=log, stderr=log, start_new_session=True, cwd=tmp_path
        )
        running.append((program, log))
        return program

    begin(
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--dashboard-address",
        "127.0.0.1:0",
        "--scheduler-file",
        str(tmp_path / "s.json"),
    )
    end = time.monotonic() + 60
    while not (tmp_path / "s.json").exists() and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.2)
    address = re.search(r'"address": "(tcp://127\.0\.0\.1:\d+)"', (tmp_path / "s.json").read_text())[1]

    def worker():
        return begin("worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")

    yield address, worker
    for program, log in reversed(running):
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
        log.close()


@pytest.mark.slow
def test_two_workers_of_a_cluster_give_the_set_that_serial_gives_while_one_is_killed_and_another_joins(
    cluster, job, run_in_process, check_set, tmp_path
):
    address, worker = cluster
    worker(), worker()
    run_in_process(job, "executor=dask", f"executor.address={address}", f"output.dir={tmp_path / 'plain'}")
    check_set(tmp_path / "plain")

    folder = tmp_path / "stormy"
    done = []
    run = threading.Thread(
        target=lambda: done.append(
            run_in_process(job, "executor=dask", f"executor.address={address}", f"output.dir={folder}")
        )
    )
    run.start()
    end = time.monotonic() + 60
    while not glob.glob(f"{folder}/tmp/*/*") and time.monotonic() < end:
        time.sleep(0.005)
    shard = next(iter(glob.glob(f"{folder}/tmp/*/*")), None)
    assert shard is not None or list(folder.glob("manifest/*"))
    victims = _processes_of_workers(address)
    os.kill(victims[0], 9)
    worker()
    run.join(120)
    assert done
    assert done[0].rendered == 24
    check_set(folder)


def _processes_of_workers(address):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return sorted(client.run(os.getpid).values())


@pytest.mark.slow
def test_a_cluster_that_does_not_see_the_folder_says_so(tmp_path, composed, job):
    """A worker on another machine, without the folder, must not make a set of its own there."""
    from dataclasses import replace

    from roomtone.augment.runs.resume import Run
    from roomtone.augment.runs.schedule import make_job, shards_of
    from roomtone.augment.runs.shard import render_shard
    from roomtone.augment.scenarios.planner import make_plan
    from roomtone.augment.settings import generate_settings
    from roomtone.core.dataset.storage import open_storage
    from roomtone.core.workers.serial import SerialEngine

    settings = generate_settings(composed(*job[1:], f"output.dir={tmp_path / 'set'}"))
    plan = make_plan(settings)
    run = Run(open_storage(str(tmp_path / "elsewhere")), 0, {})
    shard = next(shards_of(plan, make_job(settings, plan, run, SerialEngine()), 0, 8))
    with pytest.raises(RoomtoneError, match="a worker does not see it; a cluster needs a folder that all share"):
        render_shard(replace(shard))
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://192.0.2.7:8786", "beyond this machine and not encrypted"),
        ("192.0.2.7:8786", "expected tcp://HOST:PORT or tls://HOST:PORT"),
        ("inproc://x", "expected tcp://HOST:PORT"),
        ("tcp://no.such.host.invalid:1", "is no host that this machine knows"),
    ],
)
def test_an_open_scheduler_elsewhere_is_refused(address, message):
    """Whoever reaches a Dask scheduler runs programs on its workers; only TLS or the user's word lets us join one."""
    with pytest.raises(RoomtoneError, match=message):
        engine_of(ExecutorSettings("dask", 1, address))


@pytest.mark.slow
def test_the_users_word_is_taken():
    with pytest.raises(RoomtoneError, match="no Dask scheduler answers"):
        engine_of(ExecutorSettings("dask", 1, "tcp://127.0.0.1:1", allow_insecure=True))
