"""Recipes that travel: the recordings of a recipe by the names that its set uses, or by where they lie on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from roomtone.augment.rendering.recipe import Recipe
from roomtone.core.audio.recording_files import unchanging_sha256
from roomtone.core.audio.segment import AudioRef
from roomtone.core.local_paths import LocalPaths

#: Fields of a recipe whose drawn values may name files.
_FIELDS = ("room", "noise", "equipment", "handset")


def named_recipe(recipe: Recipe, paths: LocalPaths) -> Recipe:
    """Return a recipe as a set holds it: recordings by name, each with the hash of its file.

    Args:
        recipe: as it was drawn, with paths of this machine.
        paths: the roots of the set.
    """
    hashed = {  # an utterance without an id has its path for one, which the drawn voices have by name, too
        paths.hide(name): replace(clip, sha256=clip.sha256 or unchanging_sha256(clip.path))
        for name, clip in recipe.clips.items()
    }
    return _changed(replace(recipe, clips=hashed), paths.name, paths.named)


def local_recipe(recipe: Recipe, paths: LocalPaths) -> Recipe:
    """Return a set's recipe with the paths at which its recordings lie here.

    Args:
        recipe: of a manifest row, which may be a stranger's.
        paths: where the set's roots lie.

    Raises:
        RoomtoneError: the recipe holds a path that is no name, or one whose root is not known here.
    """
    return _changed(recipe, paths.resolve, paths.resolved)


def _changed(recipe: Recipe, one: Callable[[str], str], below: Callable[[Any], Any]) -> Recipe:
    def moved(clip: AudioRef) -> AudioRef:
        return replace(clip, path=one(clip.path))

    clips = {name: moved(clip) for name, clip in recipe.clips.items()}
    fields: dict[str, Any] = {name: below(getattr(recipe, name)) for name in _FIELDS}
    return replace(recipe, clean=moved(recipe.clean), clips=clips, **fields)
