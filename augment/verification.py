"""Does a set hold what it says? Rows against seals, files against rows, and a share rendered again from the row alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.rerender import _suffix, render_recipe
from roomtone.augment.runs.shard_writer import file_fault
from roomtone.core.audio.encoding import pcm_sha256
from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.dataset.row_hash import is_null, row_hash
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.vocabulary import FACTORS
from roomtone.core.workers.engine import Engine
from roomtone.core.workers.progress import Progress

_ROWS_PER_TASK = 32


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the row says."""

    sample_id: str
    what: str


def verify(dataset: str, engine: Engine, *, share: float = 0.05, seed: int = 0) -> tuple[int, int, list[Finding]]:
    """Check every row and file of a set, and re-render a share of the rows.

    Args:
        dataset: the dataset folder or its URL.
        engine: whose workers check and render.
        share: of the rows to render again, above 0 at least one.
        seed: which rows those are.

    Returns:
        rows checked, rows rendered again, and what was found wrong.

    Raises:
        RoomtoneError: a share out of bounds, or no set.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise RoomtoneError(f"share: expected a share from 0 to 1, got {share!r}")
    rows = [_plain_row(row) for row in read_manifest(dataset).to_dict("records")]
    again = _chosen(rows, share, seed)
    findings: list[Finding] = []
    with Progress(len(rows), "verifying") as progress:
        for outcome in engine.run(_check_rows, _tasks(dataset, rows, again)):
            if outcome.error is not None:
                raise outcome.error
            findings += outcome.value
            progress.add(len(outcome.task[1]))
    return len(rows), len(again), sorted(findings, key=lambda finding: finding.sample_id)


def _plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row of a DataFrame in the types that Parquet holds."""
    return {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}


def _chosen(rows: Sequence[Mapping[str, Any]], share: float, seed: int) -> set[str]:
    order = sorted((content_key(seed, row["sample_id"]), row["sample_id"]) for row in rows)
    return {sample for _, sample in order[: math.ceil(share * len(rows))]}


def _tasks(
    dataset: str, rows: list[dict[str, Any]], again: set[str]
) -> Iterator[tuple[str, list[dict[str, Any]], set[str]]]:
    for start in range(0, len(rows), _ROWS_PER_TASK):
        block = rows[start : start + _ROWS_PER_TASK]
        yield dataset, block, again & {row["sample_id"] for row in block}


def _check_rows(task: tuple[str, list[dict[str, Any]], set[str]]) -> list[Finding]:
    dataset, rows, again = task
    findings = []
    for row in rows:
        faults = list(_row_faults(dataset, row, row["sample_id"] in again))
        findings += [Finding(row["sample_id"], fault) for fault in faults]
    return findings


def _row_faults(dataset: str, row: dict[str, Any], again: bool) -> Iterator[str]:
    if row.get(ROW_HASH) is not None and row_hash(row) != row[ROW_HASH]:
        yield "the row was edited: its row_sha256 does not hold"
    fault = file_fault(dataset, row)
    if fault is not None:
        yield fault
    try:
        recipe = Recipe.from_json(row["recipe"])
        yield from _label_faults(row, recipe)
        if again:
            made = render_recipe(recipe, name=row["sample_id"], suffix=_suffix(row))
            if pcm_sha256(made.pcm) != row["pcm_sha256"]:
                yield "rendered again from its row it is not the same samples"
            yield from _measure_faults(row, made.measured)
    except RoomtoneError as error:
        yield str(error)


def _label_faults(row: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    """Yield labels that are not what the recipe asks for."""
    for column in ("snr_db", "equipment_snr_db", "sample_rate_hz", "num_samples"):
        want, said = getattr(recipe, column), row[column]
        if (None if is_null(said) else said) != want:
            yield f"{column} says {said}, the recipe asks {want}"
    for factor in FACTORS:
        if (row[factor] == "none") != (getattr(recipe, factor) is None):
            yield f"{factor} says {row[factor]!r}, the recipe has {'none' if getattr(recipe, factor) is None else 'one'}"


def _measure_faults(row: Mapping[str, Any], measured: Mapping[str, Any]) -> Iterator[str]:
    for column, got in measured.items():
        said = row.get(column)
        if not _agrees(None if is_null(said) else said, got):
            yield f"{column} says {said}, measured again {got}"


def _agrees(said: Any, got: Any) -> bool:
    if isinstance(said, float) and isinstance(got, float):
        return math.isclose(said, got, rel_tol=1e-6, abs_tol=1e-6)
    return bool(said == got)
