"""Recordings are sent within a budget, a share of them twice; what was paid for is not sent again.

Each answer is stored as it comes (`transcription`), and every stored answer was paid for, but where nobody received the recording. Requests that were
under way when a run was killed have no answer: they may have been paid for too, so the budget is charged with as many as can be under way, each as
long as the longest recording. A run begins with as many recordings as are under way at once: where none of them gets an answer it ends with the reason.
"""

from __future__ import annotations

import functools
import json
import math
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError
from roomtone.fairness.recognisers import NOT_SENT, make_recogniser
from roomtone.fairness.recognisers.stored_answers import read_answers
from roomtone.fairness.recognisers.transcription import fingerprint, never_sent, transcribe

if TYPE_CHECKING:
    import pandas as pd

_RUNS = "runs.jsonl"
_ROUNDS = ("first", "repeat")


@dataclass(frozen=True)
class Budget:
    """What may be spent in all; infinite where there is no limit."""

    minutes: float = math.inf
    requests: float = math.inf


@dataclass(frozen=True)
class Sent:
    """What came back, and what it took.

    Attributes:
        first: `sample_id, hypothesis, reason, seconds` of the recordings, in the order in which they were sent.
        repeat: likewise, of those that were sent a second time.
        minutes, requests: that were paid for, by all runs.
        in_flight: requests of killed runs that may have been paid for without an answer.
        unsent: of both rounds, what the budget did not hold.
    """

    first: pd.DataFrame
    repeat: pd.DataFrame
    minutes: float
    requests: int
    in_flight: int
    unsent: int


def send(
    rows: pd.DataFrame, dataset: Path, asr: Mapping[str, Any], store: Path, *, repeats: int, budget: Budget, retry_failed: bool = False,
    progress: bool = False,
) -> Sent:  # fmt: skip
    """Send what has no answer yet, as far as the budget goes, and return all that came back.

    Args:
        rows: of the manifest, in the order in which they are sent.
        dataset: the set that holds the recordings.
        asr: settings of the recogniser.
        store: folder of the answers.
        repeats: so many of the recordings, evenly spaced, are sent a second time.
        budget: for all runs together.
        retry_failed: ask again, and pay again, where an earlier run ended with a reason.
        progress: show progress on standard error.

    Raises:
        RoomtoneError: as `transcribe`, or none of the first recordings that were sent got an answer.
    """
    import pandas as pd

    recogniser = make_recogniser(asr)
    at_once = recogniser.at_once or os.cpu_count() or 1
    name = f"{asr['recogniser']}-{fingerprint(recogniser)}"
    seconds = dict(zip(rows["sample_id"].astype(str), rows["duration_s"].astype(float)))
    rounds = {"first": rows, "repeat": rows.iloc[_evenly(len(rows), repeats)]}
    store.mkdir(parents=True, exist_ok=True)
    lost = _in_flight(store / _RUNS)
    run = _begin(store / _RUNS, at_once)
    frames: dict[str, pd.DataFrame] = {}
    unsent = 0
    for part in _ROUNDS:
        spent = _spent(store, name, seconds, lost)
        answers = [answer for answer, _ in read_answers(store / part / name) if not never_sent(answer)]
        done = {one["sample_id"] for one in answers if not retry_failed or one["hypothesis"] is not None}
        may = _affordable(rounds[part], done, seconds, budget.minutes * 60 - spent[0], budget.requests - spent[1])
        unsent += len(rounds[part]) - len(may)
        if part == "repeat":  # never the first time of a recording
            may = may[may["sample_id"].isin(frames["first"].dropna(subset=["hypothesis"])["sample_id"])]
        new = may[~may["sample_id"].isin(done)]
        ask = functools.partial(
            transcribe, dataset=dataset, settings=asr, store=store / part, retry_failed=retry_failed, progress=progress
        )
        begun = ask(new.iloc[:at_once] if part == "first" and recogniser.runs_in == "threads" else new.iloc[:0])
        if len(begun) and begun["hypothesis"].isna().all():
            _write(store / _RUNS, {"ended": run})
            raise RoomtoneError(_silence(begun))
        rest = ask(may[~may["sample_id"].isin(begun["sample_id"])])
        frames[part] = pd.concat([begun, rest]).set_index("sample_id").loc[may["sample_id"]].reset_index()
    _write(store / _RUNS, {"ended": run})
    paid_s, paid = _spent(store, name, seconds, lost)
    return Sent(frames["first"], frames["repeat"], paid_s / 60, paid, lost, unsent)


def _silence(answers: pd.DataFrame) -> str:
    """Return what is said where none of the first recordings got an answer."""
    reason = str(answers["reason"].iloc[0])
    again = "" if reason.startswith(NOT_SENT) else " with retry_failed=true, which pays again"
    return f"none of the first {len(answers)} recordings got an answer, so no other was sent: {reason}. Mend it and type the same command again{again}"


def _evenly(count: int, wanted: int) -> list[int]:
    """Return that many numbers below `count`, evenly spaced.

    >>> _evenly(10, 3)
    [1, 5, 8]
    """
    wanted = min(wanted, count)
    return [int((k + 0.5) * count / wanted) for k in range(wanted)]


def _affordable(
    rows: pd.DataFrame, done: set[str], seconds: Mapping[str, float], seconds_left: float, requests_left: float
) -> pd.DataFrame:
    """Return the rows that have an answer, and of the others the first that the budget holds."""
    kept = []
    for name in rows["sample_id"].astype(str):
        if name not in done:
            seconds_left, requests_left = seconds_left - seconds[name], requests_left - 1
        kept.append(name in done or (seconds_left >= -1e-9 and requests_left >= 0))
    return rows.loc[np.array(kept, dtype=bool)]


def _spent(store: Path, name: str, seconds: Mapping[str, float], lost: int) -> tuple[float, int]:
    """Return the seconds and requests that were paid for, with those of killed runs that may have been."""
    paid = [
        seconds[a["sample_id"]]
        for part in _ROUNDS
        for a, _ in read_answers(store / part / name)
        if a["sample_id"] in seconds and not never_sent(a)
    ]
    longest = max(seconds.values(), default=0.0)
    return sum(paid) + lost * longest, len(paid) + lost


def _begin(path: Path, at_once: int) -> str:
    run = uuid.uuid4().hex
    _write(path, {"begun": run, "at_once": at_once})
    return run


def _write(path: Path, line: Mapping[str, Any]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _in_flight(path: Path) -> int:
    """Return how many requests may have been under way when earlier runs were killed."""
    begun: dict[str, int] = {}
    try:
        for line in read_text(path).splitlines():
            entry = json.loads(line)
            if "begun" in entry:
                begun[entry["begun"]] = int(entry["at_once"])
            begun.pop(entry.get("ended", ""), None)
    except FileNotFoundError:
        return 0
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RoomtoneError(f"{path}: a line is damaged ({error}); without it nobody knows what was paid") from error
    return sum(begun.values())


def disagreement(first: pd.DataFrame, again: pd.DataFrame) -> tuple[int, int]:
    """Return of how many recordings both answers are known, and for how many of them the texts differ.

    Args:
        first, again: with `sample_id` and `hypothesis`.
    """
    one = dict(zip(first["sample_id"], first["hypothesis"]))
    pairs = [(one.get(name), text) for name, text in zip(again["sample_id"], again["hypothesis"])]
    known = [(a, b) for a, b in pairs if isinstance(a, str) and isinstance(b, str)]
    return len(known), sum(a != b for a, b in known)
