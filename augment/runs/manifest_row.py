"""A sample's manifest row, but for its id and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.table import Source, parse_op
from roomtone.augment.rendering.recipe import Draws, Recipe
from roomtone.augment.rendering.render import Render
from roomtone.augment.rooms.bank import RoomEntry
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.core.audio.encoding import pcm_sha256
from roomtone.core.random_streams import content_key
from roomtone.core.words import word_count


def manifest_row(
    utterance: Utterance,
    condition: ConditionLevels,
    draws: Draws,
    recipe: Recipe,
    made: Render,
    entry: RoomEntry | None,
) -> dict[str, Any]:
    """Return a sample's manifest row, but for its id and path.

    Args:
        utterance: what was said.
        condition: the levels it was rendered in.
        draws: what keyed the draws.
        recipe: the drawn numbers.
        made: the finished render.
        entry: the realised room, or None.
    """
    played = {factor: _asset_names(getattr(recipe, factor)) for factor in ("noise", "equipment")}
    return {
        "utterance_id": utterance.utterance_id,
        "replicate": draws.replicate,
        "seed": draws.seed,
        "sample_rate_hz": recipe.sample_rate_hz,
        "num_samples": int(made.pcm.size),
        "duration_s": made.pcm.size / recipe.sample_rate_hz,
        "pcm_sha256": pcm_sha256(made.pcm),
        "text": utterance.text,
        "words": None if utterance.text is None else word_count(utterance.text),
        "language": utterance.language,
        "speaker": utterance.speaker,
        "accent": utterance.accent,
        "accent_raw": utterance.accent_raw,
        "corpus": utterance.corpus,
        "speech_origin": utterance.speech_origin,
        **{f"attr_{key}": value for key, value in utterance.attributes.items()},
        "condition": condition.name,
        **condition.labels,
        "snr_db": recipe.snr_db,
        "equipment_snr_db": recipe.equipment_snr_db,
        "effort_db": recipe.effort_db,
        "t60_s": None if entry is None else entry.t60_s,
        **made.measured,
        "noise_asset": played["noise"],
        "equipment_asset": played["equipment"],
        "room_asset": None if entry is None else entry.id,
        "recipe": recipe.to_json(),
    }


def _asset_names(mapping: Mapping[str, Any] | None) -> str | None:
    """Return which recordings a source plays, joined by `|`; a synthetic source is its op and a key of its draws."""
    if mapping is None:
        return None
    used = parse_op(mapping, Source, where="recipe").assets_used()
    return "|".join(sorted(set(used))) if used else f"{mapping['op']}:{content_key(mapping)[:12]}"
