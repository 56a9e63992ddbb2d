"""Runs a recogniser over a set: in parallel, with progress, resumable; every sample ends with a hypothesis or a reason.

Each answer is appended, flushed line by line, to a JSON Lines file of this run, in a folder named after the recogniser and its
settings; what an earlier run of the same user wrote there is not transcribed again (`stored_answers.py`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import storable_text
from roomtone.core.workers.processes import tie_to_parent
from roomtone.core.workers.progress import Progress
from roomtone.core.workers.threads import WaitingThreads
from roomtone.core.workers.waiting import wait_for_any
from roomtone.fairness.recognisers import (
    NOT_SENT,
    Recogniser,
    SampleAudio,
    TranscriptionError,
    make_recogniser,
    public_identity,
)
from roomtone.fairness.recognisers.heard import heard_recording
from roomtone.fairness.recognisers.stored_answers import StoredAnswers

if TYPE_CHECKING:
    import pandas as pd

_WORKER: list[Recogniser | RoomtoneError] = []
_DIED = "the recogniser's process died on this sample"


def transcribe(
    manifest: pd.DataFrame,
    dataset: str | os.PathLike[str],
    settings: Mapping[str, Any],
    store: str | os.PathLike[str],
    *,
    workers: int | None = None,
    retry_failed: bool = False,
    trust_stored: bool = False,
    progress: bool = False,
) -> pd.DataFrame:
    """Return `sample_id, hypothesis, reason, seconds` of every row of the manifest, in its order.

    Args:
        manifest: rows with `sample_id`, `audio_path` and, where known, `language`.
        dataset: the folder that the audio paths are relative to; a path that leaves it is a failure.
        settings: `{recogniser: name, **its settings}`.
        store: folder for the answers; a folder for this recogniser and settings is made in it.
        workers: at once; default the cores, or what the recogniser's settings say.
        retry_failed: ask again where an earlier run ended with a reason.
        trust_stored: take stored answers whoever wrote them, and not only those that this user's runs on this machine wrote.
        progress: show progress on standard error.

    Returns:
        `seconds` is how long the recogniser took for a recording, NaN where that is not known.

    Raises:
        RoomtoneError: wrong settings, or a model that does not load.
    """
    import pandas as pd

    recogniser = make_recogniser(settings)
    every = _clips(manifest, os.fspath(dataset))
    stored = StoredAnswers(Path(store) / f"{settings['recogniser']}-{fingerprint(recogniser)}", manifest, every)
    done = stored.read(trust=trust_stored)
    done = {name: answer for name, answer in done.items() if not _is_asked_again(answer, retry_failed)}
    clips = [clip for clip in every if clip.sample_id not in done]
    if clips:
        with (
            stored.append(public_identity(settings)) as write,
            Progress(len(clips), "transcribing") if progress else contextlib.nullcontext() as shown,
        ):
            for answer in _answers(recogniser, dict(settings), clips, workers):
                write(answer)
                done[answer["sample_id"]] = answer
                if shown is not None:
                    shown.add(1, rejected=int(answer["hypothesis"] is None))
    rows = [done[name] for name in manifest["sample_id"].astype(str)]
    columns = ("sample_id", "hypothesis", "reason")
    answers = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})
    return answers.assign(seconds=pd.Series([float(row.get("seconds") or "nan") for row in rows], dtype=float))


def never_sent(answer: Mapping[str, Any]) -> bool:
    """Return whether nobody received the recording, so that nobody can have charged for it.

    Args:
        answer: with its `hypothesis` and `reason`.
    """
    return answer["hypothesis"] is None and str(answer.get("reason")).startswith(NOT_SENT)


def _is_asked_again(answer: Mapping[str, Any], retry_failed: bool) -> bool:
    return answer["hypothesis"] is None and (retry_failed or never_sent(answer))


def fingerprint(recogniser: Recogniser) -> str:
    """Return a short hash of the settings that decide what is heard.

    Args:
        recogniser: whose identity is taken.
    """
    text = json.dumps(recogniser.identity(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _clips(manifest: pd.DataFrame, dataset: str) -> list[SampleAudio]:
    for name in ("sample_id", "audio_path"):
        if name not in manifest:
            raise RoomtoneError(f"the manifest has no column {name!r}, so its audio cannot be found")
    languages = manifest["language"] if "language" in manifest else [None] * len(manifest)
    return [
        SampleAudio(str(name), dataset, str(path), language if isinstance(language, str) else None)
        for name, path, language in zip(manifest["sample_id"], manifest["audio_path"], languages)
    ]


def _answers(
    recogniser: Recogniser, settings: dict[str, Any], clips: list[SampleAudio], workers: int | None
) -> Iterator[dict[str, Any]]:
    count = workers or recogniser.at_once or os.cpu_count() or 1
    if recogniser.runs_in == "processes":
        yield from _in_processes(settings, clips, min(count, len(clips)))
    elif recogniser.runs_in == "threads":
        recogniser.open()
        with WaitingThreads(count) as pool:
            yield from _windowed(pool, functools.partial(_ask, recogniser), clips, count)
    else:
        recogniser.open()
        yield from (_ask(recogniser, clip) for clip in clips)


def _ask(recogniser: Recogniser, clip: SampleAudio) -> dict[str, Any]:
    recording = heard_recording(clip)  # before it is heard: what replaces it later is another one
    start = time.perf_counter()
    try:
        text, reason = recogniser.transcribe(clip), None
    except TranscriptionError as error:
        text, reason = None, str(error) or "no reason given"
    return _answer(clip, text, reason, time.perf_counter() - start, recording)


def _answer(
    clip: SampleAudio, hypothesis: str | None, reason: str | None, seconds: float, recording: dict[str, Any]
) -> dict[str, Any]:
    heard, why = (None if text is None else storable_text(text) for text in (hypothesis, reason))
    times = {"seconds": round(seconds, 3), "heard": recording}
    return {"sample_id": clip.sample_id, "hypothesis": heard, "reason": why, **times}


def _windowed(pool: Executor, ask: Any, clips: Iterable[SampleAudio], count: int) -> Iterator[dict[str, Any]]:
    """Yield answers as they come; only a few are submitted ahead, so that a million clips are not a million futures."""
    pending: set[Future[dict[str, Any]]] = set()
    for clip in clips:
        pending.add(pool.submit(ask, clip))
        if len(pending) >= 2 * count:
            done, pending = wait_for_any(pending)
            yield from (future.result() for future in done)
    while pending:
        done, pending = wait_for_any(pending)
        yield from (future.result() for future in done)


def _in_processes(settings: dict[str, Any], clips: list[SampleAudio], count: int) -> Iterator[dict[str, Any]]:
    """Yield answers from a pool of processes. Where one dies, what was under way is transcribed again in a process of its own."""
    left = {clip.sample_id: clip for clip in clips}
    suspects: list[SampleAudio] = []
    while left:
        batch, size = (suspects, 1) if suspects else (list(left.values()), count)
        try:
            with _pool(settings, size) as pool:
                for answer in _windowed(pool, _ask_in_worker, batch, size):
                    del left[answer["sample_id"]]
                    yield answer
        except BrokenProcessPool:
            if suspects:  # one process asks in order, so the first without an answer is the one it died on
                killer = next(clip for clip in suspects if clip.sample_id in left)
                del left[killer.sample_id]
                yield _answer(killer, None, _DIED, 0.0, heard_recording(killer))
            else:
                suspects = list(left.values())[: 2 * count]
        suspects = [clip for clip in suspects if clip.sample_id in left]


def _pool(settings: dict[str, Any], count: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # forking a process that has threads may hang
    return ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker, initargs=(settings, os.getpid()))


def _start_worker(settings: dict[str, Any], parent: int) -> None:
    tie_to_parent(parent)
    try:
        recogniser = make_recogniser(settings)
        recogniser.open()
    except RoomtoneError as error:  # raised here, it would only look like a dead process
        _WORKER.append(error)
    else:
        _WORKER.append(recogniser)


def _ask_in_worker(clip: SampleAudio) -> dict[str, Any]:
    if isinstance(_WORKER[0], RoomtoneError):
        raise _WORKER[0]
    return _ask(_WORKER[0], clip)
