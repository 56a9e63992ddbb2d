"""Does a set hold what it says? Its parts against its record, rows against seals, files and recipes, and a share rendered again.

Rows are streamed: a set of any size is checked in the memory of a few dozen rows and eight bytes a sample. A row's seal needs no key, so
whoever edits a row can seal it again: seals find accidents and careless hands. Against a forger there is a signature (`core/dataset/signature.py`).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.label_checks import LabelChecker
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.recipe_paths import local_recipe
from roomtone.augment.rendering.rerender import render_recipe, row_suffix, set_paths
from roomtone.augment.runs.shard_writer import file_fault
from roomtone.core.audio.encoding import pcm_sha256
from roomtone.core.dataset.checking.loaded_files import loaded_file_faults
from roomtone.core.dataset.checking.loaded_rows import loaded_row_faults
from roomtone.core.dataset.checking.reconcile import SetParts, misplaced, read_parts, sample_key, set_faults
from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.dataset.part_bounds import stream_rows
from roomtone.core.dataset.row_hash import is_null, row_hash
from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LocalPaths
from roomtone.core.workers.engine import Engine, Outcome, WorkerDied
from roomtone.core.workers.progress import Progress

#: What a finding is about where it is about no one sample.
WHOLE_SET = "the set"
_FINDINGS_KEPT = 10_000


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the row says; `sample_id` is `WHOLE_SET` where no one row is meant."""

    sample_id: str
    what: str


def verify(
    dataset: str, engine: Engine, *, share: float = 0.05, seed: int = 0, paths: Mapping[str, str] | None = None
) -> tuple[int, int, list[Finding]]:
    """Check every part, row and file of a set, and re-render a share of the rows.

    Args:
        dataset: the dataset folder or its URL.
        engine: whose workers check and render.
        share: of the rows to render again, above 0 at least one.
        seed: which rows those are.
        paths: where the recordings lie that recipes name, folder by root; None takes those of the set's own `local.yaml`,
            if this user wrote it on this machine.

    Returns:
        rows checked, rows rendered again, and what was found wrong.

    Raises:
        RoomtoneError: a share out of bounds, or no set.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise RoomtoneError(f"share: expected a share from 0 to 1, got {share!r}")
    storage = open_storage(dataset)
    parts = read_parts(storage)
    findings = _Findings(
        Finding(WHOLE_SET, fault)
        for fault in (*set_faults(parts), *loaded_file_faults(parts), *loaded_row_faults(parts))
    )
    chosen = _Chosen.of(parts, share, seed)
    local = set_paths(storage.url, paths)
    checked = again = 0
    with Progress(parts.rows, "verifying") as progress:
        for outcome in engine.run(_check_rows, _tasks(parts, chosen, local, findings)):
            task: _Task = outcome.task
            findings.take(_found(outcome))
            checked += len(task.rows)
            again += len(task.again)
            progress.add(len(task.rows))
    return checked, again, findings.sorted()


class _Findings:
    """The first findings, and how many there were: a set of which every row is wrong fills no memory."""

    def __init__(self, first: Iterable[Finding]) -> None:
        self._kept: list[Finding] = []
        self._left_out = 0
        self.take(first)

    def take(self, found: Iterable[Finding]) -> None:
        for finding in found:
            if len(self._kept) < _FINDINGS_KEPT:
                self._kept.append(finding)
            else:
                self._left_out += 1

    def sorted(self) -> list[Finding]:
        """Return the findings, those of the whole set first."""
        if self._left_out:
            self._kept.append(Finding(WHOLE_SET, f"{self._left_out:,} more findings, which are not listed"))
        return sorted(self._kept, key=lambda finding: (finding.sample_id != WHOLE_SET, finding.sample_id))


@dataclass(frozen=True)
class _Chosen:
    """Which rows are rendered again: those whose keyed hash is at most `limit`."""

    seed: int
    limit: int

    @classmethod
    def of(cls, parts: SetParts, share: float, seed: int) -> _Chosen:
        count = math.ceil(share * parts.rows)
        if count == 0:
            return cls(seed, -1)
        every = np.concatenate([_mixed(keys, seed) for keys in parts.keys.values()])
        return cls(seed, int(np.partition(every, count - 1)[count - 1]))

    def has(self, sample_id: str) -> bool:
        """Return whether a sample is among them."""
        key = np.array([sample_key(sample_id)], dtype=np.uint64)
        return int(_mixed(key, self.seed)[0]) <= self.limit


def _mixed(keys: np.ndarray, seed: int) -> np.ndarray:
    """Return the keys mixed with a seed, so that another seed orders them otherwise (the finaliser of SplitMix64)."""
    mixed: np.ndarray = keys + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True)
class _Task:
    """A few rows of one part, with what a worker needs to check them."""

    dataset: str
    shard: int
    run: str
    rows: list[dict[str, Any]]
    again: frozenset[str]
    paths: LocalPaths


def _tasks(parts: SetParts, chosen: _Chosen, paths: LocalPaths, findings: _Findings) -> Iterator[_Task]:
    """Yield the rows of every readable part; one that turns out damaged becomes a finding."""
    for shard in sorted(parts.keys):
        run = json.dumps(parts.run_of(shard), sort_keys=True)
        try:
            with parts.open(shard) as file:
                for rows in stream_rows(file, parts.parts[shard]):
                    again = frozenset(row["sample_id"] for row in rows if chosen.has(row["sample_id"]))
                    yield _Task(parts.storage.url, shard, run, rows, again, paths)
        except (RoomtoneError, OSError) as error:
            findings.take([Finding(WHOLE_SET, str(error))])


def _found(outcome: Outcome) -> list[Finding]:
    if isinstance(outcome.error, WorkerDied):
        ids = [str(row.get("sample_id")) for row in outcome.task.rows]
        return [Finding(ids[0], f"checking it or one of the {len(ids) - 1} rows behind it killed its worker")]
    if outcome.error is not None:
        raise outcome.error
    found: list[Finding] = outcome.value
    return found


@functools.lru_cache(maxsize=8)
def _checker(run: str) -> LabelChecker:
    return LabelChecker(json.loads(run))


def _check_rows(task: _Task) -> list[Finding]:
    return [Finding(str(row.get("sample_id")), fault) for row in task.rows for fault in _row_faults(task, row)]


def _row_faults(task: _Task, row: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one row, whatever it holds."""
    try:
        if row.get(ROW_HASH) is None:
            yield "the row has no row_sha256"
        elif row_hash(row) != row[ROW_HASH]:
            yield "the row was edited: its row_sha256 does not hold"
        if misplaced(task.shard, row.get("audio_path")):
            yield f"its audio_path {row.get('audio_path')!r} is not of shard {task.shard}, in whose part it is"
        fault = file_fault(task.dataset, row)
        if fault is not None:
            yield fault
        recipe = Recipe.from_json(row["recipe"])
        yield from _checker(task.run).faults(row, recipe)
        if row["sample_id"] in task.again:
            yield from _render_faults(row, local_recipe(recipe, task.paths))
    except RoomtoneError as error:
        yield str(error)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, MemoryError) as error:
        yield f"the row cannot be checked ({type(error).__name__}: {' '.join(str(error).split())[:100]})"


def _render_faults(row: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    made = render_recipe(recipe, name=str(row["sample_id"]), suffix=row_suffix(row))
    if pcm_sha256(made.pcm) != row["pcm_sha256"]:
        yield "rendered again from its row it is not the same samples"
    for column, got in made.measured.items():
        said = row.get(column)
        if not _agrees(None if is_null(said) else said, got):
            yield f"{column} says {said}, measured again {got}"


def _agrees(said: Any, got: Any) -> bool:
    if isinstance(said, float) and isinstance(got, float):
        return math.isclose(said, got, rel_tol=1e-6, abs_tol=1e-6)
    return bool(said == got)
