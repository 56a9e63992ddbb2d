"""One condition on one array: for notebooks, for evaluators' own scripts, and inside an audiomentations pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.call_keys import CallKeys
from roomtone.augment.ops.vocal_effort import effort_db
from roomtone.augment.recordings.catalogue import Catalogue
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.rendering.mixing import prepare
from roomtone.augment.rendering.recipe import Draws, Recipe, draw_recipe
from roomtone.augment.rendering.render import Render, render
from roomtone.augment.rooms.bank import RoomEntry, build_bank
from roomtone.augment.scenarios.conditions import parse_condition, parse_condition_name
from roomtone.augment.scenarios.own_material import own_levels
from roomtone.augment.scenarios.presets import load_preset, preset_names
from roomtone.core.audio.rates import check_rendered_rate
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import FACTORS


class Condition:
    """A condition as a callable: clean speech in, the same speech in that place and on that handset out.

    Args:
        name: a condition's name, e.g. `ward+babble@5dB+landline_mulaw`; or leave it out and name levels by factor.
        room, noise, equipment, handset: level names, e.g. `noise="babble@5dB"`; or a place of your own, `noise="hall=folder:DIR@5dB"`.
        config_dir: a folder of your own presets; they win over packaged ones of the same name.
        seed: root of the draws.
        level_dbov: active speech level of the result, dB re a full-scale square wave.
        effort: `raised`, `loud` or `shout` gives the voice the spectrum of such speech; a noise such as `babble@env65dBA` does by itself.
        cache_dir: where room banks are kept; default the user's cache folder.
        generator: calls without a key draw theirs from it; default they are counted.

    Raises:
        RoomtoneError: an unknown level, with the nearest known name; no such folder of presets; an argument of another type.

    Calls with the same seed and key draw the same numbers. A call without a key draws anew, in every worker of a DataLoader and in every epoch;
    `set_epoch` makes that repeatable, `key=` an utterance's id alone, whatever the workers. Babble is made of the bundled corpus's talkers.
    A Condition pickles, so spawned workers can have one; each opens its room banks from the cache.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        room: str = "none",
        noise: str = "none",
        equipment: str = "none",
        handset: str = "none",
        config_dir: str | Path | None = None,
        seed: int = 0,
        level_dbov: float = -26.0,
        effort: str | None = None,
        cache_dir: str | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        labels = {"room": room, "noise": noise, "equipment": equipment, "handset": handset}
        _check_arguments(name, labels, seed, level_dbov)
        search = () if config_dir is None else (_preset_folder(config_dir),)
        find = partial(_find, search=search)
        if name is None:
            own = {factor: own_levels(factor, [level], search) for factor, level in labels.items()}
            plain = {factor: levels[0] for factor, (levels, _) in own.items()}
            self._levels = parse_condition(plain, lambda factor, name: own[factor][1].get(name) or find(factor, name))
        elif set(labels.values()) != {"none"}:
            raise RoomtoneError("give a condition's name or its levels by factor, not both")
        else:
            self._levels = parse_condition_name(name, find, lambda factor: preset_names(factor, search))
        self.seed = seed
        self.level_dbov = level_dbov
        self._effort_db = effort_db(self._levels.environments_dba, effort)
        self._cache_dir = cache_dir
        self._keys = CallKeys(generator)
        self._catalogues: dict[int, dict[str, Catalogue]] = {}
        self._entries: dict[int, list[RoomEntry]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: what was read or built is found again there."""
        return self.__dict__ | {"_catalogues": {}, "_entries": {}}

    def set_epoch(self, epoch: int) -> None:
        """Make the calls without a key that follow repeatable: those of this epoch draw the same each time it is set.

        Workers stay apart by their number, so the number of workers must stay the same too. Workers that outlive an epoch
        (`persistent_workers`) hold copies of their own: give calls a `key` there.

        Args:
            epoch: 0 or more.

        Raises:
            RoomtoneError: not a whole number of 0 or more.
        """
        self._keys.set_epoch(epoch)

    @property
    def name(self) -> str:
        """The condition's name, as manifests hold it."""
        return self._levels.name

    @property
    def levels(self) -> dict[str, str]:
        """The levels that are not `none`, by factor."""
        return {factor: level.name for factor, level in self._levels.levels.items()}

    def __repr__(self) -> str:
        return f"Condition({self.name!r}, seed={self.seed})"

    def __call__(self, samples: Samples, sample_rate_hz: int, *, key: str | int | None = None) -> Samples:
        """Return the speech in this condition.

        Args:
            samples: clean speech, float [shape=(samples,)], full scale +-1.0; left as it is.
            sample_rate_hz: its rate in Hz, 8000 to 96000.
            key: what keys the draws, e.g. the utterance's id; default a new one for each call, see `Condition`.

        Returns:
            float32 [shape=(samples,)], time kept to the sample.

        Raises:
            RoomtoneError: not mono, not finite, silent, or a label that was missed.
        """
        pcm = self.render(samples, sample_rate_hz, key=key).pcm
        return pcm.astype(np.float32) / np.float32(32768.0)

    def render(self, samples: Samples, sample_rate_hz: int, *, key: str | int | None = None) -> Render:
        """Return the int16 samples with their stems and what was measured; arguments as in a call.

        Args:
            samples: clean speech, float [shape=(samples,)], full scale +-1.0.
            sample_rate_hz: its rate in Hz.
            key: what keys the draws.

        Raises:
            RoomtoneError: as a call.
        """
        checked = _checked(samples, sample_rate_hz)
        clean = prepare(checked, sample_rate_hz)
        recipe = self.recipe(checked.size, sample_rate_hz, key=self._keys.draw() if key is None else key)
        fetch = Fetcher(recipe.clips, sample_rate_hz)
        return render(recipe, clean, fetch, self.room_entry(recipe), name=self.name)

    def recipe(self, num_samples: int, sample_rate_hz: int, *, key: str | int) -> Recipe:
        """Return what a call with this key on so many samples draws.

        Args:
            num_samples: length of the speech.
            sample_rate_hz: its rate in Hz.
            key: what keys the draws.
        """
        catalogues = self._catalogues_at(sample_rate_hz)
        clips = {name: clip for catalogue in catalogues.values() for name, clip in catalogue.clips.items()}
        return draw_recipe(
            self._levels,
            Draws(self.seed, str(key), self.name, 0),
            AudioRef("array:"),
            num_samples,
            sample_rate_hz,
            self.level_dbov,
            room_parameters=[entry.parameters for entry in self._rooms(sample_rate_hz)],
            assets={factor: catalogue.assets for factor, catalogue in catalogues.items()},
            clips=clips,
            effort_db=self._effort_db,
        )

    def as_transform(self, p: float = 1.0) -> Any:
        """Return this condition as an audiomentations transform, for use in its `Compose`.

        Its one parameter is the key, drawn from the global `random` as audiomentations does, so `freeze_parameters` freezes all. A DataLoader
        of torch seeds that `random` anew in every worker and epoch.

        Args:
            p: probability that it is applied, 0 to 1.
        """
        from roomtone.augment.transform import RoomtoneCondition

        return RoomtoneCondition(self, p)

    def _catalogues_at(self, sample_rate_hz: int) -> dict[str, Catalogue]:
        if sample_rate_hz not in self._catalogues:
            from roomtone.augment.rendering.catalogues import catalogues_for

            found = catalogues_for({self.name: self._levels}, (), sample_rate_hz)
            self._catalogues[sample_rate_hz] = {factor: catalogue for (factor, _), catalogue in found.items()}
        return self._catalogues[sample_rate_hz]

    def _rooms(self, sample_rate_hz: int) -> list[RoomEntry]:
        if "room" not in self._levels.levels:
            return []
        if sample_rate_hz not in self._entries:
            op = self._levels.levels["room"].op
            self._entries[sample_rate_hz] = list(build_bank(op, sample_rate_hz, cache_dir=self._cache_dir))
        return self._entries[sample_rate_hz]

    def room_entry(self, recipe: Recipe) -> RoomEntry | None:
        """Return the realised room that a recipe of this condition names."""
        return next((e for e in self._rooms(recipe.sample_rate_hz) if e.parameters == recipe.room), None)


def _find(factor: str, name: str, *, search: Sequence[Path]) -> dict[str, Any]:
    return load_preset(factor, name, search)


def _check_arguments(name: object, labels: Mapping[str, object], seed: object, level_dbov: object) -> None:
    """Refuse arguments of another type, in one line each."""
    for argument, value in {"name": name, **labels}.items():
        if not isinstance(value, str) and not (argument == "name" and value is None):
            raise RoomtoneError(f"{argument}: expected the name of a level, e.g. 'babble@5dB', got {value!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise RoomtoneError(f"seed: expected a whole number, got {seed!r}")
    if isinstance(level_dbov, bool) or not isinstance(level_dbov, int | float) or not -96 <= level_dbov <= 0:
        raise RoomtoneError(
            f"level_dbov: expected a level from -96 to 0 dB re a full-scale square wave, got {level_dbov!r}"
        )


def _preset_folder(config_dir: str | Path) -> Path:
    """Return a folder of presets; one that is not there, or holds none, would silently give the packaged presets.

    Raises:
        RoomtoneError: there is no such folder, or no folder of a factor in it.
    """
    folder = Path(config_dir)
    if not folder.is_dir():
        beside = [one.name for one in folder.parent.iterdir() if one.is_dir()] if folder.parent.is_dir() else []
        raise RoomtoneError(
            f"config_dir: there is no folder {str(folder)!r}{f'; {nearest(folder.name, beside)}' if beside else ''}"
        )
    if not any((folder / factor).is_dir() for factor in FACTORS):
        raise RoomtoneError(
            f"config_dir: {str(folder)!r} holds none of the folders {', '.join(FACTORS)}, in which presets lie"
        )
    return folder


def _checked(samples: Samples, sample_rate_hz: int) -> Samples:
    """Return mono float32 samples; anything else is refused."""
    array = np.asarray(samples)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]  # audiomentations' way to hold mono
    if array.ndim != 1 or array.size == 0:
        raise RoomtoneError(f"expected mono samples [shape=(samples,)], got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.floating):
        raise RoomtoneError(f"expected float samples with full scale +-1.0, got {array.dtype}")
    if not np.isfinite(array).all():
        raise RoomtoneError("the samples are not all finite")
    check_rendered_rate(sample_rate_hz)
    return array.astype(np.float32, copy=False)
