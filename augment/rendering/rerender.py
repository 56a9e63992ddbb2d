"""One sample again, bit for bit, from its manifest row alone."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.rendering.mixing import Stems, prepare
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.recipe_paths import local_recipe
from roomtone.augment.rendering.render import Render, render
from roomtone.augment.rooms.bank import RoomEntry, rebuild_entry
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.recording_files import sha256_file, unchanging_sha256
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LocalPaths, read_local_paths


def rerender(
    dataset: str | PathLike[str], sample_id: str, *, paths: Mapping[str, str] | None = None
) -> tuple[np.ndarray, int]:
    """Return a sample made again from its manifest row alone.

    Args:
        dataset: the dataset folder.
        sample_id: the row's id.
        paths: folder by root, e.g. `{"corpus": "/data/clips"}`; None takes those of the set's own `local.yaml`, if this user wrote it here.

    Returns:
        int16 samples [shape=(samples,)] and the rate in Hz; their `pcm_sha256` is the row's.

    Raises:
        RoomtoneError: no such row, or a recording the recipe names is gone or has changed.
    """
    row = _row_of(dataset, sample_id)
    recipe = local_recipe(Recipe.from_json(row["recipe"]), set_paths(dataset, paths))
    return render_recipe(recipe, name=sample_id, suffix=row_suffix(row)).pcm, recipe.sample_rate_hz


def set_paths(dataset: str | PathLike[str], paths: Mapping[str, str] | None) -> LocalPaths:
    """Return where a set's roots lie: as `local.yaml` says where it can be believed, and as given.

    Args:
        dataset: the dataset folder.
        paths: folder by root; they win over those of `local.yaml`.
    """
    given = {str(root): str(Path(folder).expanduser().absolute()) for root, folder in (paths or {}).items()}
    return LocalPaths({**read_local_paths(dataset).roots, **given})


def stems(dataset: str | PathLike[str], sample_id: str, *, paths: Mapping[str, str] | None = None) -> Stems:
    """Return the parts of a sample before the handset, made again from its row: clean, speech, noise, equipment.

    Args:
        dataset: the dataset folder.
        sample_id: the row's id.
        paths: as `rerender` takes them.

    Raises:
        RoomtoneError: as `rerender`.
    """
    recipe = local_recipe(recipe_of(dataset, sample_id), set_paths(dataset, paths))
    return render_recipe(recipe, name=sample_id).stems


def recipe_of(dataset: str | PathLike[str], sample_id: str) -> Recipe:
    """Return the recipe that a row holds.

    Args:
        dataset: the dataset folder.
        sample_id: the row's id.

    Raises:
        RoomtoneError: no such row, or not a recipe of this version.
    """
    return Recipe.from_json(_row_of(dataset, sample_id)["recipe"])


def _row_of(dataset: str | PathLike[str], sample_id: str) -> Mapping[str, Any]:
    rows = read_manifest(dataset, columns=["sample_id", "recipe", "audio_path"])
    found = rows[rows["sample_id"] == sample_id].to_dict("records")
    if not found:
        raise RoomtoneError(f"{dataset}: no sample {sample_id!r} in its manifest")
    return {str(key): value for key, value in found[0].items()}


def row_suffix(row: Mapping[str, Any]) -> str:
    """Return how a row's recording is encoded."""
    return str(row["audio_path"]).rpartition(".")[2]


def render_recipe(recipe: Recipe, *, name: str = "sample", suffix: str = "flac") -> Render:
    """Return the render of a recipe, its recordings read from where the recipe says they lie.

    Args:
        recipe: of a manifest row.
        name: names the sample in messages.
        suffix: how its file is encoded; a lossy one changes the samples.

    Raises:
        RoomtoneError: a recording is gone or is not the one the recipe was drawn from.
    """
    clean = recipe.clean
    if clean.sha256 is not None and sha256_file(clean.path) != clean.sha256:
        raise RoomtoneError(f"{name}: {clean.path} is not the recording that this sample was made from")
    for clip in recipe.clips.values():
        if clip.sha256 is not None and unchanging_sha256(clip.path) != clip.sha256:
            raise RoomtoneError(f"{name}: {clip.path} is not the recording that this sample's noise was made from")
    samples = read_audio(clean, recipe.sample_rate_hz)
    fetch = Fetcher(recipe.clips, recipe.sample_rate_hz)
    entry = None if recipe.room is None else _room_entry(repr(recipe.room), recipe)
    return render(recipe, prepare(samples, recipe.sample_rate_hz), fetch, entry, name=name, suffix=suffix)


_entries: dict[tuple[str, int], RoomEntry] = {}


def _room_entry(key: str, recipe: Recipe) -> RoomEntry:
    """Return the realisation of a recipe's room; the last few dozen are kept."""
    if (key, recipe.sample_rate_hz) not in _entries:
        if len(_entries) >= 64:
            _entries.pop(next(iter(_entries)))
        assert recipe.room is not None
        _entries[key, recipe.sample_rate_hz] = rebuild_entry(recipe.room, recipe.sample_rate_hz)
    return _entries[key, recipe.sample_rate_hz]
