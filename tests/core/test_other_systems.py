"""Where a system lacks what POSIX and Linux have, that is said and nothing crashes. No such system is at hand: one is made by taking away
the calls and modules that Windows has not, before anything of Roomtone is imported."""

import subprocess
import sys

import pytest

WITHOUT = """
import os, pkgutil, importlib, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty"):
    sys.modules[name] = None
for name in ("getuid", "geteuid", "killpg", "getpgid", "setsid", "sched_getaffinity", "fork", "mkfifo", "posix_fadvise"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "setitimer", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def run(script, cwd):
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT + script], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_a_set_is_made_and_verified_without_posix_calls(tmp_path):
    out = run(
        """
from roomtone.augment import generate
from roomtone.cli.arguments import Arguments
from roomtone.cli.compose import compose_config, plain
from roomtone.cli.main import main
words = ["room=none", "equipment=none", "handset=none", "noise=white@5dB", "executor=serial", "corpus.select.where={accent: scottish}"]
generate(plain(compose_config(Arguments((*words, "corpus.select.max_per_accent=1", "output.dir=set")), "generate")))
assert main(["verify", "dataset=set", "share=1.0"]) == 0
assert main(["evaluate", "dataset=set", "asr=command", "asr.command='echo {audio}'"]) == 1
""",
        tmp_path,
    )
    assert "2 rows and files checked, 2 rendered again: all hold" in out


@pytest.mark.slow
def test_every_module_is_imported_without_what_windows_lacks(tmp_path):
    out = run(
        """
import roomtone
found = []
for name in ("core", "coverage", "augment", "measure", "fairness", "cli"):
    package = importlib.import_module(f"roomtone.{name}")
    found += [one.name for one in pkgutil.walk_packages(package.__path__, f"roomtone.{name}.")]
for name in found:
    if ".demo_voice" not in name and not name.endswith("__main__"):
        importlib.import_module(name)
print(len(found))
""",
        tmp_path,
    )
    assert int(out) > 250
