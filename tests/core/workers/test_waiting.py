"""Waits that a signal ends, wherever it was noted."""

import signal
import threading
import time
from concurrent.futures import Future

import pytest

from roomtone.core.workers.waiting import wait_for_any


def test_the_done_are_told_from_the_others():
    done, open_ = Future(), Future()
    done.set_result(1)
    assert wait_for_any([done, open_]) == ({done}, {open_})
    assert wait_for_any([]) == (set(), set())


def test_a_signal_that_wakes_nobody_ends_a_wait():
    """Another thread takes the signal, as one does that comes just before a wait begins: the waiting thread is not woken by it."""

    def end(number, frame):
        raise KeyboardInterrupt

    def signal_itself():
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, end)
    rescue = Future()
    timer = threading.Timer(20.0, rescue.set_result, [None])
    timer.start()
    try:
        threading.Thread(target=signal_itself).start()
        with pytest.raises(KeyboardInterrupt):
            wait_for_any([rescue])
        assert not rescue.done()
    finally:
        timer.cancel()
        signal.signal(signal.SIGUSR1, before)
