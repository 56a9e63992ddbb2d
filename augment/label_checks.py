"""Do a row's labels agree with one another, with its recipe and with the presets of its run? Nothing is rendered for these checks.

Names and numbers are one statement: `babble@5dB` says an SNR of 5 dB. The sample id is a key of what was asked (utterance, condition with
the content of its presets, seed, replicate, recording, rate and level), so a label that was renamed no longer has its id. And a source
without recordings is a pure function of its preset and its stream: it is drawn again and compared with the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import to_dict
from roomtone.augment.rendering.recipe import Draws, Recipe, library_versions, sample_id
from roomtone.augment.scenarios.conditions import ConditionLevels, condition_name, parse_condition, split_level
from roomtone.augment.scenarios.scenario import lookup
from roomtone.core.dataset.row_hash import is_null
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.vocabulary import FACTORS, NONE

#: Tolerance of an SNR that a name states and a number repeats, in dB: numbers are rounded to a thousandth.
_SNR_DB = 0.001


class LabelChecker:
    """Checks rows of one run; what its conditions are made of is parsed once."""

    def __init__(self, run: Mapping[str, Any] | None) -> None:
        """Take the run's entry of `dataset.json`; None checks what a row says of itself alone."""
        self._config: Mapping[str, Any] = (run or {}).get("config") or {}
        self._conditions: dict[tuple[str, ...], ConditionLevels | RoomtoneError] = {}

    def faults(self, row: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
        """Yield what does not agree, a line each.

        Args:
            row: of the manifest, in plain types.
            recipe: that it holds.
        """
        yield from _column_faults(row, recipe)
        yield from _name_faults(row)
        if not self._config:
            return
        condition = self._condition(row)
        if isinstance(condition, RoomtoneError):
            yield str(condition)
            return
        yield from self._identity_faults(row, recipe, condition)
        yield from _drawn_faults(row, recipe, condition)

    def _condition(self, row: Mapping[str, Any]) -> ConditionLevels | RoomtoneError:
        """Return the condition of a row's labels as the run's presets make it, or why there is none."""
        key = tuple(str(row.get(factor)) for factor in FACTORS)
        if key not in self._conditions:
            if len(self._conditions) > 10_000:
                self._conditions.clear()
            try:
                presets = self._config.get("presets") or {}
                self._conditions[key] = parse_condition(dict(zip(FACTORS, key)), lookup(presets))
            except RoomtoneError as error:
                self._conditions[key] = error
            except (TypeError, AttributeError, ValueError) as error:
                self._conditions[key] = RoomtoneError(f"dataset.json: presets of another form ({error})")
        return self._conditions[key]

    def _identity_faults(self, row: Mapping[str, Any], recipe: Recipe, condition: ConditionLevels) -> Iterator[str]:
        """Yield a sample id that is not the key of what the row says."""
        made = sample_id(
            _draws(row, recipe),
            condition,
            recipe.clean,
            str(row["corpus"]),
            recipe.sample_rate_hz,
            recipe.level_dbov,
            recipe.effort_db,
        )
        if str(row["audio_path"]).endswith(".opus"):
            made = content_key(made, "opus")
        if made != row["sample_id"]:
            yield "its sample_id is not the key of its labels, utterance, seed and presets: one of them was changed"
        if self._config.get("level_dbov") != recipe.level_dbov:
            yield f"the recipe asks for {recipe.level_dbov} dBov, the run for {self._config.get('level_dbov')}"


def _draws(row: Mapping[str, Any], recipe: Recipe) -> Draws:
    return Draws(
        int(row["seed"]), str(row["utterance_id"]), str(row["condition"]), int(row["replicate"]), recipe.common
    )


def _column_faults(row: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    """Yield numbers that are not what the recipe asks for."""
    for column in ("snr_db", "equipment_snr_db", "effort_db", "sample_rate_hz", "num_samples"):
        want, said = getattr(recipe, column), row.get(column)
        if (None if is_null(said) else said) != want:
            yield f"{column} says {said}, the recipe asks {want}"
    for factor in FACTORS:
        if (row.get(factor) == NONE) != (getattr(recipe, factor) is None):
            yield f"{factor} says {row.get(factor)!r}, the recipe has {'none' if getattr(recipe, factor) is None else 'one'}"
    want = None if recipe.room is None else recipe.room.get("t60_s")
    said = row.get("t60_s")
    if not _same(None if is_null(said) else said, want):
        yield f"t60_s says {said}, the recipe asks {want}"
    if not is_null(row.get("duration_s")) and recipe.sample_rate_hz:
        seconds = recipe.num_samples / recipe.sample_rate_hz
        if not math.isclose(float(row["duration_s"]), seconds, rel_tol=1e-9):
            yield f"duration_s says {row['duration_s']}, {recipe.num_samples} samples last {seconds:g} s"


def _name_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield labels whose names disagree with one another or with the numbers beside them."""
    labels = {factor: str(row.get(factor)) for factor in FACTORS}
    if row.get("condition") != condition_name(labels):
        yield f"condition says {row.get('condition')!r}, its factors {condition_name(labels)!r}"
    for factor, column in (("noise", "snr_db"), ("equipment", "equipment_snr_db")):
        said = None if is_null(row.get(column)) else row.get(column)
        if labels[factor] == NONE:
            if said is not None:
                yield f"{column} says {said}, and there is no {factor}"
            continue
        level = split_level(factor, labels[factor])
        if said is None:
            yield f"{column} says nothing, and {factor} is {labels[factor]!r}"
        elif level["low"] is not None:
            low, high = float(level["low"]), float(level["high"] or level["low"])
            if not low - _SNR_DB <= float(said) <= high + _SNR_DB:
                yield f"{factor} says {labels[factor]!r}, {column} says {said}"
    if labels["room"] == NONE and not is_null(row.get("t60_s")):
        yield f"t60_s says {row['t60_s']}, and there is no room"


def _drawn_faults(row: Mapping[str, Any], recipe: Recipe, condition: ConditionLevels) -> Iterator[str]:
    """Yield factors whose recipe was not drawn from the preset that the label names."""
    if recipe.libraries.get("roomtone") != library_versions()["roomtone"]:
        return  # another version may draw otherwise
    draws = _draws(row, recipe)
    for factor in FACTORS:
        level, drawn = condition.levels.get(factor), getattr(recipe, factor)
        if level is None or drawn is None or factor == "room":
            continue
        if drawn.get("op") != level.op.op:
            yield f"{factor} says {row[factor]!r}, which is {level.op.op!r}; the recipe has {drawn.get('op')!r}"
        elif level.op.recordings_needed() is None and not _names_files(drawn):
            context = DrawContext(recipe.num_samples, recipe.sample_rate_hz, ())
            again = to_dict(level.op.draw(draws.stream(factor, level.preset), context))
            if not _same(again, drawn):
                yield f"{factor} says {row[factor]!r}; drawn again from that preset it is not what the recipe has"


def _names_files(node: Any) -> bool:
    """Return whether a drawn op reads files, so that drawing it again would open them."""
    from roomtone.core.local_paths import paths_below

    return any(True for _ in paths_below(node))


def _same(one: Any, other: Any) -> bool:
    """Return whether two plain values agree, numbers to nine digits: a mathematical library may differ in the last."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
