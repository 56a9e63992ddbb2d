"""A recogniser's answers on disk: JSON Lines in a folder that travels with its set, and so may have been filled in by a stranger.

Each line carries the code of the user who wrote it (`core/user_seal.py`) over the recogniser's folder, the answer with the hash of the file that
was heard (`heard.py`), and the hash of its samples that the set's row states. A line whose code this user's key did not make is no answer: who
ships a set would otherwise decide its verdict. Nor is one whose file has other bytes by now. A line that a kill cut short does not parse; its
sample is transcribed again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import write_whole
from roomtone.core.user_seal import user_seal
from roomtone.fairness.recognisers.base import SampleAudio
from roomtone.fairness.recognisers.heard import is_unchanged

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger("roomtone")


class StoredAnswers:
    """The answers of one recogniser with its settings; `manifest` says which samples its rows stand for (`pcm_sha256`, where stated)."""

    def __init__(self, folder: Path, manifest: pd.DataFrame, clips: Iterable[SampleAudio]) -> None:
        self._folder = folder
        self._clips = {clip.sample_id: clip for clip in clips}
        hashes = manifest["pcm_sha256"] if "pcm_sha256" in manifest else [None] * len(manifest)
        self._samples = {
            str(name): value if isinstance(value, str) else None for name, value in zip(manifest["sample_id"], hashes)
        }

    def read(self, *, trust: bool) -> dict[str, dict[str, Any]]:
        """Return the answers of earlier runs by sample id; of two the one with a hypothesis. Says how many were not taken.

        Args:
            trust: take those of others too.
        """
        seal = user_seal(make=False)
        found: dict[str, dict[str, Any]] = {}
        ignored = set()
        for answer, code in read_answers(self._folder):
            name = answer["sample_id"]
            if name not in self._samples:
                continue
            if not trust and not (
                seal is not None
                and seal.made(self._sealed(answer), code)
                and is_unchanged(self._clips[name], answer.get("heard"))
            ):
                ignored.add(name)
            elif name not in found or found[name]["hypothesis"] is None:
                found[name] = answer
        if lost := len(ignored - found.keys()):
            _LOG.warning(
                "%s holds answers to %d recordings that you did not write on this machine for what is in the files now: they are ignored, and the"
                " recordings transcribed; type trust_stored=true to take them",
                self._folder,
                lost,
            )
        return found

    @contextlib.contextmanager
    def append(self, identity: Mapping[str, Any]) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Give a function that writes an answer, flushed, to a file of this run.

        Args:
            identity: of the recogniser, fit to be shared; kept beside the answers.
        """
        seal = user_seal(make=True)
        opened: list[TextIO] = []
        with contextlib.ExitStack() as stack:

            def write(answer: Mapping[str, Any]) -> None:
                if not opened:  # a model that does not load leaves no folder
                    write_whole(self._folder / "settings.json", json.dumps(identity, indent=2, default=str).encode())
                    path = self._folder / f"run-{uuid.uuid4().hex}.jsonl"
                    opened.append(stack.enter_context(open(path, "x", encoding="utf-8")))
                code = None if seal is None else seal.code(self._sealed(answer))
                opened[0].write(json.dumps({**answer, "code": code}, ensure_ascii=False) + "\n")
                opened[0].flush()

            yield write

    def _sealed(self, answer: Mapping[str, Any]) -> list[Any]:
        return ["answer", self._folder.name, self._samples[answer["sample_id"]], dict(answer)]


def read_answers(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the stored answers of a folder, each with its code, which nothing has checked yet.

    Args:
        folder: of a recogniser; it need not be there.

    Raises:
        RoomtoneError: a line of gigabytes.
    """
    for path in sorted(folder.glob("run-*.jsonl")):
        try:
            with open_bounded_text(path, errors="replace") as file:
                for line in file:
                    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                        answer = json.loads(line)
                        code = answer.pop("code", None)
                        json.dumps(answer, ensure_ascii=False).encode()  # half a surrogate pair is no text
                        if isinstance(answer["sample_id"], str) and isinstance(answer["hypothesis"], str | None):
                            yield answer, code
        except OSError as error:
            raise RoomtoneError(f"{path}: {error}") from error
