"""What a plan is made from: the speech, the conditions, what exists, and what renders draw, brought to numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.core.dataset.columns import ASSETS
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ASSET_SEPARATOR, FACTORS
from roomtone.coverage.counting.axes import Axis, identifier, parse_axes
from roomtone.coverage.counting.goal_parsing import parse_goals
from roomtone.coverage.counting.goals import Goals
from roomtone.coverage.fill.greedy import Growth
from roomtone.coverage.fill.limits import Draws
from roomtone.coverage.fill.speech import Speech, axis_values, is_null
from roomtone.coverage.fill.targets import Targets

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix

#: What a condition draws from: how many assets, or pools of assets that it shares with other conditions, with their sizes.
Pools = Mapping[str, int | Mapping[str, int]]
#: What a render (utterance id, condition, replicate) will draw.
AssetsOf = Callable[[str, str, int], Sequence[str]]


@dataclass(frozen=True)
class Inputs:
    """What a plan is made from.

    Attributes:
        speech: the available speech.
        conditions: names of the conditions.
        labels: level of every factor of each condition.
        axes: the axes of the cells; `every` has those of the margins too.
        goals: parsed goals.
        seed: breaks ties.
    """

    speech: Speech
    conditions: list[str]
    labels: dict[str, dict[str, str]]
    axes: tuple[Axis, ...]
    every: tuple[Axis, ...]
    goals: Goals
    seed: int


def read_inputs(
    clean: pd.DataFrame,
    conditions: Sequence[str],
    goals: Mapping[str, Any] | Goals | None,
    axes: Any,
    labels: Mapping[str, Mapping[str, str]] | None,
    seed: int,
) -> Inputs:
    """Return what a plan is made from, parsed and checked.

    Args:
        clean: the speech at hand, one row an utterance.
        conditions: names of the conditions that can be rendered.
        goals: see `counting/goal_parsing.py`.
        axes: of the cells.
        labels: condition -> its level of each factor.
        seed: breaks ties.

    Raises:
        RoomtoneError: an axis that only a render shows and no label states, a column that `clean` lacks, or goals that are none.
    """
    parsed, wanted = parse_axes(axes), parse_goals(goals)
    known = {axis.column: axis for axis in parsed}
    names = dict.fromkeys([*known, *(name for rule in wanted.margins for name in rule.axes)])
    every = tuple(known.get(name, Axis(name)) for name in names)
    named = list(dict.fromkeys(map(str, conditions)))
    own = {name: {f: str(v) for f, v in (labels or {}).get(name, {}).items()} for name in named}
    for axis in every:
        labelled = axis.column == "condition" or all(axis.column in own[name] for name in named)
        if axis.rendered and not labelled:
            raise RoomtoneError(
                f"design=fill: cannot plan along {axis.column!r}, which only a render shows; use condition or a factor"
            )
    speech = Speech(clean, [axis for axis in every if not axis.rendered], seed)
    return Inputs(speech, named, own, parsed, every, wanted, seed)


def existing_rows(existing: Any, inputs: Inputs) -> pd.DataFrame:
    """Return what is there already, with the columns that counting uses.

    Args:
        existing: a dataset folder, a manifest DataFrame, or None.
        inputs: of the plan; its axes and rules say which columns are read.
    """
    import pandas as pd

    from roomtone.coverage.counting.source import open_source

    rules = [*inputs.goals.illegal, *inputs.goals.ignore, *inputs.goals.cells, *inputs.goals.weights]
    named = ["sample_id", "utterance_id", "speaker", "accent", "condition", "replicate", "words", "duration_s"]
    axes = [axis.column for axis in inputs.every]
    wanted = list(dict.fromkeys([*named, *FACTORS, *ASSETS, *axes, *(n for rule in rules for n in rule.where)]))
    if existing is None or (hasattr(existing, "columns") and len(existing) == 0):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in wanted})
    with open_source(existing) as opened:
        columns = ", ".join(identifier(name) for name in wanted if name in opened.columns)
        frame = opened.connection.execute(f"SELECT {columns} FROM {opened.relation}").df()
    frame = frame.reindex(columns=wanted)
    if frame["sample_id"].isna().all():  # a table without ids: every row is a sample
        frame["sample_id"] = [f"held-{i}" for i in range(len(frame))]
    return frame


def matrix_of(rows: pd.DataFrame, inputs: Inputs) -> CoverageMatrix:
    """Return the matrix of rows, with the levels that a plan could reach.

    Args:
        rows: of a manifest.
        inputs: whose axes, goals and levels are taken.
    """
    from roomtone.coverage.matrix import CoverageMatrix

    levels: dict[str, list[str]] = {}
    for axis in inputs.axes:
        if axis.column == "condition":
            levels["condition"] = inputs.conditions
        elif axis.rendered:
            levels[axis.column] = [inputs.labels[name][axis.column] for name in inputs.conditions]
        else:
            levels[axis.column] = sorted({value for keys in inputs.speech.keys for value in keys[axis.column]})
    # an empty column does not say what it would hold
    typed = rows.astype({"words": "Int64", "duration_s": "float64"})
    return CoverageMatrix(typed, axes=inputs.axes, goals=inputs.goals, levels=levels)


def draws_of(assets: Pools | AssetsOf | None, inputs: Inputs) -> tuple[Draws | None, dict[str, int]]:
    """Return what a render draws, as the limits ask it, and the sizes of pools.

    Args:
        assets: see `fill_plan`; None where nothing is capped.
        inputs: of the plan.
    """
    if assets is None:
        return None, {}
    if callable(assets):
        named, ids, conditions = assets, inputs.speech.ids, inputs.conditions
        return (lambda u, c, n: tuple(named(ids[u], conditions[c], n))), {}
    sizes: dict[str, int] = {}
    pools: list[tuple[str, ...]] = []
    for condition in inputs.conditions:
        own = assets.get(condition, {})
        named_pools = dict(own) if isinstance(own, Mapping) else {f"assets of {condition}": own}
        sizes.update({str(pool): int(size) for pool, size in named_pools.items()})
        pools.append(tuple(map(str, named_pools)))
    return (lambda u, c, n: pools[c]), sizes


def hold(held: pd.DataFrame, growth: Growth, targets: Targets, inputs: Inputs, *, named_assets: bool) -> None:
    """Take in what exists: who was heard where, and what counts against the caps.

    Args:
        held: rows of what exists.
        growth: the plan, still empty; its counts are changed.
        targets: what it grows towards.
        inputs: of the plan.
        named_assets: whether a function names the assets of each render; else conditions draw from pools.
    """
    utterances = {name: i for i, name in enumerate(inputs.speech.ids)}
    speakers = {name: i for i, name in enumerate(inputs.speech.speakers)}
    places = {name: i for i, name in enumerate(inputs.conditions)}
    shapes = list(dict.fromkeys(tuple(axis for axis, _ in key) for key in targets.keys))
    number = {key: i for i, key in enumerate(targets.keys)}
    limits, strangers = growth.limits, len(utterances)
    for row in held.to_dict("records"):
        u = utterances.setdefault(str(row["utterance_id"]), len(utterances))
        speaker = -1 if is_null(row["speaker"]) else speakers.setdefault(str(row["speaker"]), len(speakers))
        c = places.get(str(row["condition"]))
        replicate = 0 if is_null(row["replicate"]) else int(row["replicate"])
        if 0 <= speaker < len(limits.of_speaker):
            limits.of_speaker[speaker] += 1
        if c is not None and u < strangers:
            limits.hold(u, c, replicate)
        if limits.per_asset is None:
            pass
        elif named_assets:
            used = {a for name in ASSETS if not is_null(row[name]) for a in str(row[name]).split(ASSET_SEPARATOR)}
            if c is not None and u < strangers:  # what the row does not name as the function does
                used |= set(limits.assets_of(u, c, replicate))
            for asset in used:
                limits.of_asset[asset] += 1
        elif c is not None and limits.draws is not None:
            for asset in limits.draws(0, c, 0):
                limits.of_asset[asset] += 1
        values = axis_values(row, inputs.every)
        for shape in shapes:
            if all(axis in values for axis in shape):
                for key in _keys(values, shape):
                    if key in number:
                        growth.tally.note(number[key], u, speaker)


def _keys(values: Mapping[str, frozenset[str]], shape: Sequence[str]) -> list[tuple[tuple[str, str], ...]]:
    keys: list[tuple[tuple[str, str], ...]] = [()]
    for axis in shape:
        keys = [(*key, (axis, value)) for key in keys for value in values[axis]]
    return keys
