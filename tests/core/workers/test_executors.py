"""Engines: every task has an outcome, a dying worker costs only the task that kills it, and workers go with their parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import read_settings
from roomtone.core.workers.engine import Engine, WorkerDied
from roomtone.core.workers.executors import ExecutorSettings, engine_of
from roomtone.core.workers.processes import ProcessEngine

TASKS = """
import os, signal, time, sys, pathlib

def square(n):
    return n * n

def fussy(n):
    if n == 5:
        raise ValueError("five")
    return n

def poison(n):
    if n == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return n

def transient(task):
    n, marker = task
    if n == 5 and not pathlib.Path(marker).exists():
        pathlib.Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n

def sleep_and_write(path):
    time.sleep(2)
    pathlib.Path(path).write_text("late")

def threads(_):
    return os.environ["OMP_NUM_THREADS"]
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module of tasks that spawned workers can import."""
    (tmp_path / "engine_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sys.modules.pop("engine_tasks", None)
    import engine_tasks

    return engine_tasks


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_every_task_has_one_outcome(tasks, name):
    with engine_of(ExecutorSettings(name, 2)) as engine:
        outcomes = list(engine.run(tasks.fussy, iter(range(10))))
    assert sorted(o.task for o in outcomes) == list(range(10))
    assert {o.task: o.value for o in outcomes if o.error is None} == {n: n for n in range(10) if n != 5}
    assert [str(o.error) for o in outcomes if o.error] == ["five"]


def test_a_poisonous_task_costs_itself_alone(tasks):
    with ProcessEngine(2) as engine:
        outcomes = list(engine.run(tasks.poison, range(12)))
    assert sorted(o.task for o in outcomes if o.error is None) == [n for n in range(12) if n != 5]
    dead = [o for o in outcomes if o.error]
    assert [o.task for o in dead] == [5]
    assert isinstance(dead[0].error, WorkerDied)


def test_a_worker_that_dies_once_costs_nothing(tasks, tmp_path):
    marker = str(tmp_path / "died")
    with ProcessEngine(2) as engine:
        outcomes = list(engine.run(tasks.transient, [(n, marker) for n in range(12)]))
    assert sorted(o.value for o in outcomes) == list(range(12))
    assert os.path.exists(marker)


def test_workers_use_one_thread_below_and_the_parent_keeps_its_own(tasks, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with ProcessEngine(1) as engine:
        assert [o.value for o in engine.run(tasks.threads, [0])] == ["1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_tasks_are_taken_as_workers_come_free(tasks):
    taken = []

    def stream():
        for n in range(100):
            taken.append(n)
            yield n

    with ProcessEngine(2) as engine:
        outcomes = engine.run(tasks.square, stream())
        next(outcomes)
        assert len(taken) <= 10
        outcomes.close()


def test_workers_die_with_their_parent(tasks, tmp_path):
    """A plain process pool leaves orphans that go on writing beside the resumed run."""
    target = tmp_path / "orphan.txt"
    code = (
        "import engine_tasks\nfrom roomtone.core.workers.processes import ProcessEngine\n"
        "if __name__ == '__main__':\n"
        f"    for _ in ProcessEngine(1).run(engine_tasks.sleep_and_write, [{str(target)!r}]): pass\n"
    )
    script = tmp_path / "driver.py"
    script.write_text(code)
    driver = subprocess.Popen([sys.executable, "-P", str(script)])
    deadline = time.monotonic() + 20
    while not (children := _children(driver.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    time.sleep(0.8)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(3.5)
    assert not target.exists()
    assert not [pid for pid in children if os.path.exists(f"/proc/{pid}/exe")]


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as handle:
            return handle.read().split()
    except FileNotFoundError:
        pytest.skip("needs /proc")


def test_unknown_engines_and_absurd_workers_are_told_what_would_be_right():
    with pytest.raises(RoomtoneError, match="executor.name: 'proceses' is not allowed; did you mean 'processes'"):
        read_settings(ExecutorSettings, {"name": "proceses"}, where="executor")
    with pytest.raises(RoomtoneError, match="executor.workers: expected a whole number from 1 up or null, got 0"):
        read_settings(ExecutorSettings, {"name": "serial", "workers": 0}, where="executor")
    assert isinstance(engine_of(ExecutorSettings("serial", None)), Engine)


@pytest.mark.slow
def test_dask_on_loopback_gives_the_same_outcomes(tasks):
    pytest.importorskip("distributed")
    with (
        engine_of(ExecutorSettings("dask", 1)),
        engine_of(ExecutorSettings("dask", 2)) as engine,
    ):  # two clusters on a machine ask for no port in common
        outcomes = list(engine.run(tasks.fussy, range(10)))
    assert {o.task: o.value for o in outcomes if o.error is None} == {n: n for n in range(10) if n != 5}
    with pytest.raises(RoomtoneError, match="no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        engine_of(ExecutorSettings("dask", 1, "tcp://127.0.0.1:1"))
