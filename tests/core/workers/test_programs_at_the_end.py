"""Programs and the end of the process that waits for them: none is left, none is started late."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LATE = """
import atexit, sys, threading, time
atexit.register(time.sleep, 1.0)  # runs last, while the thread below goes on
from roomtone.core.workers import programs

def again_and_again():
    while True:
        try:
            programs.run_program(["sleep", sys.argv[1]], timeout_s=5000)
        except OSError:
            return

threading.Thread(target=again_and_again, daemon=True).start()
while not programs._running:
    time.sleep(0.01)
"""


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_a_thread_starts_no_program_while_its_process_ends():
    """The thread whose program was killed asked for the next one, which nobody killed."""
    marker = f"43{os.getpid()}.5"
    words = [sys.executable, "-P", "-c", LATE, marker]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    left = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if sleeps(path, marker)]
    for each in left:
        os.kill(each, signal.SIGKILL)
    assert not left


def sleeps(path, marker):
    try:
        return path.read_bytes().split(b"\0")[:2] == [b"sleep", marker.encode()]
    except OSError:  # it ended
        return False
