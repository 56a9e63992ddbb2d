"""Conditions: one level a factor, each level a preset and, for noise and equipment, an SNR.

A level is written `preset`, `preset@5dB`, `preset@0..10dB` (drawn uniformly) or `preset@env65dBA` (an environment of
that noise level, the SNR drawn from what people do there; see `ops.noise`). `none` is a level. A condition's name joins
the levels that are not `none` with `+`, in the order room, noise, equipment, handset; all `none` is `clean`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.ops.packages import require_packages
from roomtone.augment.ops.sources.noise import check_environment
from roomtone.augment.ops.table import Op
from roomtone.augment.scenarios.presets import COMMENT_KEYS, parse_preset
from roomtone.core.bounded.yaml_text import LARGEST_LEVEL_DB
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.local_paths import is_path_key
from roomtone.core.random_streams import content_key
from roomtone.core.vocabulary import CLEAN, FACTORS, NONE

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_LEVEL = re.compile(
    rf"(?P<preset>[A-Za-z0-9_]+)(?:@(?:env(?P<env>{_NUMBER})dBA|(?P<low>{_NUMBER})(?:\.\.(?P<high>{_NUMBER}))?dB))?",
    re.ASCII,  # `pink@٣dB` would be a second name of `pink@3dB`
)

#: Factors whose levels carry an SNR; the others must not.
WITH_SNR = ("noise", "equipment")

#: SNRs that a 16-bit file holds to a tenth of a dB, dB.
LEAST_SNR_DB, MOST_SNR_DB = -50.0, 70.0

#: Returns the preset mapping of (factor, name).
PresetLookup = Callable[[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Level:
    """One named setting of a factor.

    Attributes:
        snr_db: lowest and highest SNR in dB (equal where it is one number), or None where the factor has none.
        env_dba: the environment's noise level in dBA when the SNR is drawn from it.
    """

    factor: str
    name: str
    op: Op
    content: str
    snr_db: tuple[float, float] | None = None
    env_dba: float | None = None

    @property
    def preset(self) -> str:
        """Return the level's name without its SNR."""
        return self.name.split("@")[0]

    def draw_snr_db(self, stream: Callable[[], np.random.Generator]) -> float | None:
        """Return the SNR of one render in dB, or None where this factor has none; the stream is opened where something is drawn."""
        if self.env_dba is not None:
            from roomtone.augment.ops.sources.noise import wu2018_snr_db

            return round(float(wu2018_snr_db(self.env_dba, stream())), 3)
        if self.snr_db is None:
            return None
        low, high = self.snr_db
        return low if low == high else round(low + (high - low) * float(stream().random()), 3)


@dataclass(frozen=True)
class ConditionLevels:
    """One level per factor; a factor that is absent from `levels` is `none`."""

    name: str
    levels: Mapping[str, Level]

    @functools.cached_property
    def labels(self) -> dict[str, str]:
        """Return the level name of every factor, `none` included."""
        return {factor: self.levels[factor].name if factor in self.levels else NONE for factor in FACTORS}

    @property
    def environments_dba(self) -> list[float]:
        """Return the noise levels in dBA that its levels name as the environment."""
        return [level.env_dba for level in self.levels.values() if level.env_dba is not None]

    @functools.cached_property
    def content(self) -> str:
        """Return a key of what the levels hold, so that an edited preset is another condition."""
        return content_key([(level.factor, level.name, level.content) for level in self.levels.values()])


def condition_name(labels: Mapping[str, str]) -> str:
    """Return the name of the condition with these level names.

    >>> condition_name({"noise": "babble@5dB", "room": "ward"})
    'ward+babble@5dB'
    >>> condition_name({"room": "none"})
    'clean'
    """
    parts = [labels[factor] for factor in FACTORS if labels.get(factor, NONE) != NONE]
    return "+".join(parts) if parts else CLEAN


def split_level(factor: str, text: str) -> re.Match[str]:
    """Return the parts of a level's name; groups `preset`, `low`, `high`, `env`.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        text: the level's name.

    Raises:
        RoomtoneError: not of the form `preset`, `preset@5dB`, `preset@0..10dB` or `preset@env65dBA`, or an SNR where none belongs.
    """
    match = _LEVEL.fullmatch(str(text))
    if match is None:
        raise RoomtoneError(f"{factor}: the level {text!r} {_malformed(factor, str(text))}")
    has_snr = match["low"] is not None or match["env"] is not None
    if factor in WITH_SNR and not has_snr:
        raise RoomtoneError(f"{factor}: the level {text!r} says no SNR; write for instance {text}@10dB")
    if factor not in WITH_SNR and has_snr:
        raise RoomtoneError(
            f"{factor}: the level {text!r} has an SNR, but a {factor} has none; write {match['preset']}"
            + (f", or for a noise of your own noise={match['preset']}=folder:DIR@5dB" if factor == "room" else "")
        )
    if any(abs(float(match[end] or 0)) > LARGEST_LEVEL_DB for end in ("low", "high", "env")):
        raise RoomtoneError(f"{factor}: the level {str(text)[:60]!r} lies beyond {LARGEST_LEVEL_DB:g} dB")
    if any(match[end] and not LEAST_SNR_DB <= float(match[end]) <= MOST_SNR_DB for end in ("low", "high")):
        raise RoomtoneError(
            f"{factor}: the level {text!r}: an SNR lies between {LEAST_SNR_DB:g} and {MOST_SNR_DB:g} dB; beyond, a file cannot hold it to a tenth of a dB"
        )
    if match["high"] is not None and float(match["high"]) < float(match["low"]):
        raise RoomtoneError(f"{factor}: the level {text!r} has its SNR range upside down")
    return match


def preset_of(factor: str, text: str) -> str:
    """Return the name of the preset in a level's name, whose SNR is not looked at.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        text: the level's name.

    Raises:
        RoomtoneError: as `split_level`, where there is no such name in it.
    """
    name = str(text).split("@")[0]
    return name if re.fullmatch(r"[A-Za-z0-9_]+", name) else split_level(factor, text)["preset"]


def _malformed(factor: str, text: str) -> str:
    """Return what is wrong with a level's name, and what to type instead."""
    slip = re.fullmatch(r"([A-Za-z0-9_]+) ?@ ?([-+]?\d+)(?:[.,](\d+))? ?(?:db)?", text, re.IGNORECASE)
    if slip and factor in WITH_SNR:
        decimals = f".{slip[3]}" if slip[3] else ""
        return f"is not of the form babble@5dB; write {slip[1]}@{slip[2]}{decimals}dB"
    if Path(text.partition("@")[0]).exists():
        kind = "file" if Path(text.partition("@")[0]).is_file() else "folder"
        return f"is a place of your own: {factor}={kind}:{text}"
    own = re.fullmatch(r"([A-Za-z0-9_]+)=([^:@]+)(@.*)?", text)
    if own:
        kind = "file" if factor == "handset" else "folder"
        snr = (own[3] or "@10dB") if factor in WITH_SNR else ""
        return f"does not say that {own[2]!r} is a place; write {own[1]}={kind}:{own[2]}{snr}"
    example = "babble@5dB, babble@0..10dB or babble@env65dBA" if factor in WITH_SNR else "its preset's name"
    return f"is not of the form {example}"


def parse_level(factor: str, text: str, presets: PresetLookup) -> Level:
    """Return the level that `text` names; its preset is looked up and checked.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        text: the level's name, e.g. `babble@5dB`.
        presets: finds the preset of a factor and name.

    Raises:
        RoomtoneError: unknown factor or preset (with the nearest known name), or a malformed level.
    """
    if factor not in FACTORS:
        raise RoomtoneError(f"unknown factor {factor!r}; {nearest(factor, FACTORS)}")
    preset = presets(factor, preset_of(factor, text))  # an unknown preset is said before a missing SNR
    require_packages(preset, where=f"{factor} {text!r}")
    match = split_level(factor, text)
    snr_db = None
    if match["low"] is not None:
        snr_db = (float(match["low"]), float(match["high"] or match["low"]))
    env_dba = None if match["env"] is None else float(match["env"])
    op = parse_preset(factor, match["preset"], preset)
    if env_dba is not None:
        _check_environment(factor, text, op, env_dba)
    content = content_key(_without_places({k: v for k, v in preset.items() if k not in COMMENT_KEYS}))
    return Level(factor, str(text), op, content, snr_db, env_dba)


def _check_environment(factor: str, text: str, op: Op, env_dba: float) -> None:
    """Refuse an environment whose level says nothing of the SNR: out of the observed range, or of a noise that is no environment's."""
    preset = text.partition("@")[0]
    if getattr(op, "at_microphone", False):
        raise RoomtoneError(
            f"{factor} {text!r}: {preset} arises at the microphone, so that the level of an environment says nothing of its SNR and nobody raises "
            f"the voice over it; write {preset}@5dB"
        )
    try:
        check_environment(env_dba)
    except RoomtoneError as error:
        raise RoomtoneError(f"{factor} {text!r}: {error}, e.g. {preset}@5dB") from error


def _without_places(node: Any) -> Any:
    """Return a preset without the paths in it: where recordings lie differs between machines, and shapes no sample."""
    if isinstance(node, Mapping):
        return {key: None if is_path_key(str(key)) else _without_places(value) for key, value in node.items()}
    return [_without_places(item) for item in node] if isinstance(node, list | tuple) else node


def parse_condition(labels: Mapping[str, str], presets: PresetLookup) -> ConditionLevels:
    """Return the condition with these level names; unknown factors and levels are errors.

    Args:
        labels: level names by factor; a factor that is absent is `none`.
        presets: finds the preset of a factor and name.

    Raises:
        RoomtoneError: unknown factor or preset, or a malformed level.
    """
    for factor in labels:
        if factor not in FACTORS:
            raise RoomtoneError(f"unknown factor {factor!r}; {nearest(factor, FACTORS)}")
    levels = {
        factor: parse_level(factor, labels[factor], presets)
        for factor in FACTORS
        if labels.get(factor, NONE) not in (NONE, None)
    }
    return ConditionLevels(condition_name({factor: level.name for factor, level in levels.items()}), levels)


def parse_condition_name(name: str, presets: PresetLookup, names: Callable[[str], list[str]]) -> ConditionLevels:
    """Return the condition of a name such as `ward+babble@5dB`; `names(factor)` lists the presets of a factor.

    Args:
        name: levels joined by `+`, or `clean`.
        presets: finds the preset of a factor and name.
        names: returns the names of all presets of a factor.

    Raises:
        RoomtoneError: a part is no preset of any factor, or two parts are of one factor.
    """
    if "=" in name or ":" in name:
        raise RoomtoneError(
            f"condition {name!r}: recordings of your own are given with their factor: noise=folder:DIR@5dB"
        )
    parts = [part for part in re.split(r"[,;\s]+", name) if part]
    spaced = re.sub(r"\s+(?=dBA?\b)", "", name)
    if len(parts) > 1 and spaced != name:
        raise RoomtoneError(f"condition {name!r}: an SNR has no space: {spaced}")
    if len(parts) > 1:
        raise RoomtoneError(f"condition {name!r}: levels are joined with +: {'+'.join(parts).replace('++', '+')}")
    labels: dict[str, str] = {}
    for part in [] if name == CLEAN else name.split("+"):
        preset = part.split("@")[0]
        homes = [factor for factor in FACTORS if preset in names(factor) and factor not in labels]
        homes = [factor for factor in homes if (factor in WITH_SNR) == ("@" in part)] or homes
        if not homes:
            raise RoomtoneError(f"condition {name!r}: {_no_home(part, labels, names)}")
        labels[homes[0]] = part
    return parse_condition(labels, presets)


def _no_home(part: str, labels: Mapping[str, str], names: Callable[[str], list[str]]) -> str:
    """Return why a level of a name belongs nowhere: its factor has one already, or no preset is called so."""
    preset, at, snr = part.partition("@")
    taken = next((factor for factor in labels if preset in names(factor)), None)
    if taken is not None:
        return f"{labels[taken]} and {part} are both levels of {taken}, of which a condition has one"
    every = {known: factor for factor in FACTORS for known in names(factor)}
    hint = nearest(preset, every)
    if hint.startswith("did you mean"):
        found = hint.split("'")[1]
        level = found + (f"{at}{snr}" or "@10dB" if every[found] in WITH_SNR else "")
        hint = f"did you mean {level!r}?"
    return f"there is no preset {preset!r}; {hint}"
