"""What ends a run early, and that the same command goes on: Ctrl-C, a full disk, a time limit in a thread."""

import glob
import os
import resource
import signal
import threading
import time

import pytest

from roomtone.augment.runs.resume import open_run
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LocalPaths
from roomtone.core.workers.time_limit import time_limit


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "processes", "dask"])
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(engine, job, start, tmp_path, run_in_process, check_set):
    if engine == "dask":
        pytest.importorskip("distributed")
    folder = tmp_path / "set"
    workers = [] if engine == "serial" else ["executor.workers=2"]
    process = start([*job, f"executor={engine}", *workers, f"output.dir={folder}"])
    end = time.monotonic() + 60
    # not `Path.glob`, which raises where a folder goes away while it looks
    while not glob.glob(f"{folder}/tmp/0*/*") and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    if engine == "dask":
        process.send_signal(signal.SIGINT)
    else:  # a terminal tells the whole group
        os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on where it left off" in errors
    assert "Traceback" not in errors
    assert not (folder / "tmp").exists()
    run_in_process(job, "executor=serial", f"output.dir={folder}")
    check_set(folder)


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_full_disk_is_one_line_and_the_run_goes_on_once_there_is_room(
    engine, job, start, tmp_path, run_in_process, check_set
):
    """RLIMIT_FSIZE stands for a full disk: a write past it fails with EFBIG, wherever it happens to fall."""
    folder = tmp_path / "set"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        workers = [] if engine == "serial" else ["executor.workers=2"]
        process = start([*job, f"executor={engine}", *workers, f"output.dir={folder}"], NUMBA_CACHE_DIR="")
        _, errors = process.communicate(timeout=120)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert process.returncode == 1, errors
    said = [line for line in errors.splitlines() if line.startswith("roomtone: ")]
    assert len(said) == 1
    assert "File too large" in said[0]
    assert "the same command goes on where it left off" in said[0]
    assert "Traceback" not in errors
    run_in_process(job, "executor=serial", f"output.dir={folder}")
    check_set(folder)


def test_a_time_limit_holds_in_a_thread_too():
    """Dask runs its tasks in threads, where no alarm rings."""
    ended = []

    def read():
        begun = time.monotonic()
        try:
            with time_limit(0.2):
                while time.monotonic() < begun + 5:
                    time.sleep(0.01)
        except TimeoutError as error:
            ended.append((str(error), time.monotonic() - begun))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(10)
    assert ended[0][0] == "reading took longer than item_timeout_s=0.2 s"
    assert ended[0][1] < 2


def test_a_time_limit_that_was_kept_leaves_nothing_behind():
    def read():
        for _ in range(50):
            with time_limit(1.0):  # long enough for a busy machine to enter and leave
                pass
            time.sleep(0.002)
        time.sleep(1.2)

    errors = []
    thread = threading.Thread(target=lambda: errors.append(None) if read() is None else None)
    thread.start()
    thread.join(10)
    assert errors == [None]
    with time_limit(1.0):
        pass
    time.sleep(1.2)


def test_a_run_that_ended_before_its_first_sample_does_not_bind_the_folder(tmp_path):
    """A noise folder without audio was refused, and then the corrected command too: "this set was begun with another configuration"."""
    storage = open_storage(str(tmp_path / "set"))

    def begin(seed: int) -> int:
        identity = {"seed": seed, "scenario": {"name": "ours"}}
        return int(open_run(storage, identity, LocalPaths({}), {}, (), shards=1, append=False).record["seed"])

    assert [begin(1), begin(2), begin(2)] == [1, 2, 2]
    storage.write_text("manifest/part-00000.parquet", "of a sample")
    assert begin(2) == 2
    with pytest.raises(RoomtoneError, match="begun with another configuration: seed was 2, is 3"):
        begin(3)
