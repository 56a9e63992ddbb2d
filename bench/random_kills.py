"""Random kills: whatever is killed whenever, the next run of the same command leaves the same set.

    python -P bench/random_kills.py [--kills 100] [--minutes M] [--seed 0] [--s3]

Each trial draws a container, an engine and a place (a folder, or with `--s3` an S3 server on loopback too) of those that had no turn yet, a
victim (the driver, one of its workers, or the whole process group) and a moment, kills with SIGKILL, and makes the same set once more, in its
own process. Then it must hold the samples of an uninterrupted one, hash for hash, and nothing else: no file without a row, nothing temporary,
no process left. A run that ended before its moment is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTAINERS = ("flac", "wav", "opus", "webdataset", "parquet")
ENGINES = ("serial", "processes", "dask")
LEVELS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@5dB]",
    "scenario.factors.equipment=[none]",
    "scenario.factors.handset=[none,landline_mulaw]",
    "design=full",
    "output.shard_samples=8",
)
#: First word of the program's own runs.
MAKE = "make-set"
#: Seconds that a trial may take, on a machine with much else to do.
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Trial:
    """One kill: what is made, by what, where, who dies, and when, as a share of an uninterrupted run."""

    container: str
    engine: str
    place: str
    victim: str
    moment: float


def draw_trials(rng: random.Random, engines: Sequence[str], places: Sequence[str]) -> Iterator[Trial]:
    """Yield trials without end: every container with every engine in every place once, in random order, then all of them again."""
    while True:
        kinds = list(itertools.product(CONTAINERS, engines, places))
        rng.shuffle(kinds)
        for container, engine, place in kinds:
            victims = ("driver",) if engine == "serial" else ("driver", "worker", "group")
            yield Trial(container, engine, place, rng.choice(victims), rng.uniform(0.0, 1.0))


class Kills:
    """Runs trials below a folder; `table` is the corpus, `start` makes a set in a process group of its own, `more` are further words."""

    def __init__(
        self,
        work: Path,
        table: Path,
        start: Callable[[Sequence[str]], subprocess.Popen[bytes]],
        more: Sequence[str] = (),
    ) -> None:
        self._work = work
        self._start = start
        self._words = ["corpus=table", f"corpus.path={table}", *LEVELS, *more]
        self._wanted: dict[str, dict[str, str]] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def run(self, trial: Trial, number: int) -> str | None:
        """Run one trial; return what is wrong afterwards, "" where nothing is, None where it ended before it was killed."""
        wanted = self._uninterrupted(trial)
        url = self._url(trial, f"trial-{number}")
        words = self._command(trial, url)
        process = self._start(words)
        killed = self._kill(process, trial)
        process.wait(PATIENCE_S)
        if killed is None:
            self._forget(url)
            return None
        left = _end_of_group(process.pid)
        make_set([*words, "executor=serial"])
        fault = left or self._fault(url, wanted)
        self._forget(url)
        return fault

    def _uninterrupted(self, trial: Trial) -> dict[str, str]:
        """Return the hashes of a set that nothing interrupted, and note how long one takes with this engine."""
        if trial.container not in self._wanted:
            url = str(self._work / f"whole-{trial.container}")
            make_set([*self._command(trial, url), "executor=serial"])
            self._wanted[trial.container] = hashes(url)
        key = (trial.engine, trial.place)
        if key not in self._seconds:
            url = self._url(trial, f"time-{'-'.join(key)}")
            begun = time.monotonic()
            if self._start(self._command(trial, url)).wait(PATIENCE_S) != 0:
                raise SystemExit(f"an uninterrupted run failed: {key}")
            self._seconds[key] = time.monotonic() - begun
            self._forget(url)
        return self._wanted[trial.container]

    def _url(self, trial: Trial, name: str) -> str:
        return str(self._work / name) if trial.place == "folder" else f"s3://bucket/{name}"

    def _command(self, trial: Trial, url: str) -> list[str]:
        return [
            *self._words,
            f"output={trial.container}",
            f"executor={trial.engine}",
            f"output.dir={url}",
        ]

    def _kill(self, process: subprocess.Popen[str], trial: Trial) -> str | None:
        """Kill at the trial's moment; return who died, None where everybody had ended."""
        end = time.monotonic() + trial.moment * self._seconds[trial.engine, trial.place]
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is not None:
            return None
        workers = [pid for pid in _group(process.pid) if pid != process.pid]
        if trial.victim == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif trial.victim == "worker" and workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(workers[len(workers) // 2], signal.SIGKILL)
            return "worker"
        else:
            os.kill(process.pid, signal.SIGKILL)
        return trial.victim

    def _fault(self, url: str, wanted: dict[str, str]) -> str:
        """Return what is wrong with a finished set, "" where nothing is."""
        found = hashes(url)
        if found != wanted:
            return f"{len(found.items() ^ wanted.items())} samples differ"
        files = set(_files(url))
        strangers = [name for name in files if "tmp" in name or name.startswith((".session", "audio/tmp"))]
        audio = {name for name in files if name.startswith(("audio/", "shards/"))}
        rows = _audio_files(url)
        if strangers or audio != rows:
            return f"left behind: {sorted(strangers)[:3]}, without a row: {sorted(audio - rows)[:3]}, without a file: {sorted(rows - audio)[:3]}"
        return ""

    def _forget(self, url: str) -> None:
        if "://" in url:
            import fsspec

            filesystem, path = fsspec.core.url_to_fs(url)
            with contextlib.suppress(FileNotFoundError):
                filesystem.rm(path, recursive=True)
        else:
            shutil.rmtree(url, ignore_errors=True)


def make_set(words: Sequence[str]) -> None:
    """Make a set as `roomtone generate` does, without the pictures of its coverage, of which kills know nothing."""
    from roomtone.augment.generation import generate
    from roomtone.cli.arguments import Arguments
    from roomtone.cli.commands.generate import plain, set_config
    from roomtone.cli.compose import compose_config

    cfg = compose_config(Arguments(tuple(words)), "generate")
    generate(plain(cfg), config=set_config(cfg))


def start_program(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start this file as a program that makes a set; what it says is lost."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-P", __file__, MAKE, *words], stdout=nowhere, stderr=nowhere, start_new_session=True
    )


def hashes(url: str) -> dict[str, str]:
    """Return the hash of the samples of each row, decoded from its file, by sample id."""
    from roomtone.augment.runs.shard_writer import file_fault
    from roomtone.core.dataset.manifest import read_manifest

    rows = read_manifest(url).to_dict("records")
    return {str(row["sample_id"]): file_fault(url, row) or str(row["pcm_sha256"]) for row in rows}


def _audio_files(url: str) -> set[str]:
    from roomtone.core.dataset.manifest import read_manifest

    return {str(path).partition("#")[0] for path in read_manifest(url, columns=["audio_path"])["audio_path"]}


def _files(url: str) -> list[str]:
    """Return the files of a set, relative to it."""
    if "://" not in url:
        return [str(path.relative_to(url)) for path in Path(url).rglob("*") if path.is_file()]
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    return [str(name).removeprefix(path.rstrip("/") + "/") for name in filesystem.find(path)]


def _group(group: int) -> list[int]:
    """Return the living processes of a group; a zombie is none."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if not entry.name.isdecimal() or os.getpgid(int(entry.name)) != group:
                continue
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
    return sorted(found)


def _end_of_group(group: int) -> str:
    """Wait for what is left of a process group to end by itself; return who does not."""
    end = time.monotonic() + 120.0
    while left := _group(group):
        if time.monotonic() > end:
            os.killpg(group, signal.SIGKILL)
            return f"{len(left)} processes went on without their driver"
        time.sleep(0.05)
    return ""


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[None]:
    """Run an S3 server on loopback with a bucket, and point this process's environment at it."""
    import boto3

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "FSSPEC_S3_ENDPOINT_URL": url,
        }
        try:
            end = time.monotonic() + 120.0
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                    break
                if time.monotonic() > end:
                    raise SystemExit("the S3 server does not start")
                time.sleep(0.2)
            boto3.client("s3", endpoint_url=url).create_bucket(Bucket="bucket")
            yield
        finally:
            server.terminate()
            server.wait()


def corpus(folder: Path, count: int) -> Path:
    """Write a table of utterances of the bundled corpus, with their recordings beside it, and return its path."""
    import json

    from roomtone.augment import open_corpus
    from roomtone.core.audio.recording_files import audio_path

    folder.mkdir(parents=True)
    rows = []
    for utterance in sorted(open_corpus({"reader": "demo"}), key=lambda one: one.utterance_id)[:: 96 // count][:count]:
        source = audio_path(utterance.audio.path)
        shutil.copy(source, folder / source.name)
        rows.append(
            {"audio": source.name, "text": utterance.text, "speaker": utterance.speaker, "accent": utterance.accent}
        )
    (folder / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "table.jsonl"


def main() -> int:
    """Run the trials, print a table, and return 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after so many, however many kills there were"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--s3", action="store_true")
    asked = parser.parse_args()
    rng, end = random.Random(asked.seed), time.monotonic() + 60.0 * asked.minutes
    places = ("folder", "s3") if asked.s3 else ("folder",)
    counted: Counter[tuple[str, ...]] = Counter()
    failed: list[tuple[Trial, str]] = []
    work = Path(tempfile.mkdtemp(prefix="random-kills-"))
    try:
        with s3_server(work) if asked.s3 else contextlib.nullcontext():
            kills = Kills(work, corpus(work / "corpus", 8), start_program)
            for number, trial in enumerate(draw_trials(rng, ENGINES, places)):
                if counted.total() == asked.kills or time.monotonic() > end:
                    break
                fault = kills.run(trial, number)
                if fault is None:
                    continue
                counted[trial.container, trial.engine, trial.place, trial.victim] += 1
                if fault:
                    failed.append((trial, fault))
                print(f"{counted.total()}: {trial}: {fault or 'equal'}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print_table(counted, failed)
    return 1 if failed else 0


def print_table(counted: Counter[tuple[str, ...]], failed: Sequence[tuple[Trial, str]]) -> None:
    """Print how many kills there were of each kind, and what failed."""
    print("| what | kills |\n|---|--:|")
    for place in range(4):
        sums: Counter[str] = Counter()
        for key, count in counted.items():
            sums[key[place]] += count
        for name, count in sorted(sums.items()):
            print(f"| {name} | {count} |")
    print(
        f"\n{counted.total()} kills, {counted.total() - len(failed)} sets equal to an uninterrupted one, {len(failed)} not"
    )
    for trial, fault in failed:
        print(f"- {trial}: {fault}")


if __name__ == "__main__":
    sys.exit(make_set(sys.argv[2:]) if sys.argv[1:2] == [MAKE] else main())
