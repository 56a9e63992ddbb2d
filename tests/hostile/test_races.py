"""Somebody who may write into the set's folder puts a link in the place of one of its folders again and again while it is worked on."""

import ctypes
import subprocess
import sys
import time

import pytest

from roomtone.core.bounded.held_folders import HOLDS_FOLDERS
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError

pytestmark = pytest.mark.skipif(
    not HOLDS_FOLDERS or not hasattr(ctypes.CDLL(None), "renameat2"), reason="needs folders held open, and renameat2"
)


@pytest.fixture
def raced(tmp_path):
    """A set whose `audio/00000` is exchanged with a link to `elsewhere` thousands of times a second."""
    (tmp_path / "set" / "audio" / "00000").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "set" / "evil"
    link.symlink_to(tmp_path / "elsewhere")
    names = f"{bytes(tmp_path / 'set' / 'audio' / '00000')!r}, -100, {bytes(link)!r}"
    swap = f"import ctypes\nlibc = ctypes.CDLL(None)\nprint('swapping', flush=True)\nwhile True: libc.renameat2(-100, {names}, 2)"
    swapping = subprocess.Popen([sys.executable, "-c", swap], stdout=subprocess.PIPE)
    swapping.stdout.readline()
    yield tmp_path
    swapping.kill()
    swapping.communicate()


def test_nothing_is_published_through_a_link_that_comes_and_goes(raced):
    storage = open_storage(raced / "set")
    refused = 0
    end = time.monotonic() + 1.0
    i = 0
    while time.monotonic() < end or i < 100:
        i += 1
        with storage.attempt("x") as folder:
            (folder / "y").write_bytes(b"z")
            try:
                storage.publish({f"audio/00000/{i:032x}.flac": folder / "y"})
            except RoomtoneError:
                refused += 1
    assert 0 < refused < i
    assert not list((raced / "elsewhere").iterdir())


def test_nothing_is_removed_through_a_link_that_comes_and_goes(raced):
    names = [f"{i:032x}.flac" for i in range(2_000)]
    for name in names:
        (raced / "elsewhere" / name).touch()
    storage = open_storage(raced / "set")
    for name in names:
        storage.remove(f"audio/00000/{name}")
    assert len(list((raced / "elsewhere").iterdir())) == len(names)
