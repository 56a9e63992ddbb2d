"""The recipe: every drawn number of one render, as plain JSON, enough to make the same samples again.

A recipe is a pure function of seed, utterance, condition and replicate (and of the recordings at hand). Each stage draws from
its own stream, so a room added to a condition does not move the noise.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.packages import versions_of_ops
from roomtone.augment.ops.table import Source, to_dict
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.scenarios.conditions import ConditionLevels, Level
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key, stream

#: Raised when the meaning of a recipe changes; part of every sample id.
FORMAT = 3


@dataclass(frozen=True)
class Recipe:
    """Everything that makes one render.

    Attributes:
        clean: the utterance, with the hash of its file.
        num_samples: length of the clean speech, and so of the render, at `sample_rate_hz`.
        level_dbov: active speech level of the output, dBov.
        effort_db: by how many dB the talker is louder than in normal speech, which shapes the voice; None as recorded.
        room: parameters of one room realisation, or None.
        noise, equipment: `{op: …, drawn fields}`, or None.
        snr_db, equipment_snr_db: SNR at the microphone in dB, or None.
        handset: a processor `{op: …, drawn fields}`, or None.
        clips: the recordings that noise and equipment play, by asset id.
        libraries: versions the samples depend on.
        common: whether conditions draw in common; noise and equipment then pass a linear handset one by one, so that conditions
            share the result.
        room_blocks: whether recordings pass the room in blocks of a fixed grid (`Fetcher.reverberant`), so that renders share them.
    """

    clean: AudioRef
    sample_rate_hz: int
    num_samples: int
    level_dbov: float
    room: dict[str, Any] | None = None
    noise: dict[str, Any] | None = None
    snr_db: float | None = None
    equipment: dict[str, Any] | None = None
    equipment_snr_db: float | None = None
    handset: dict[str, Any] | None = None
    clips: dict[str, AudioRef] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    common: bool = False
    room_blocks: bool = False
    effort_db: float | None = None
    format: int = FORMAT

    def to_json(self) -> str:
        """Return the recipe as one line of JSON with sorted keys."""
        clips = {name: clip.to_dict() for name, clip in self.clips.items()}
        fields_ = {**vars(self), "clean": self.clean.to_dict(), "clips": clips}
        return json.dumps(fields_, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Return the recipe that the `text` of a manifest's `recipe` cell holds.

        Raises:
            RoomtoneError: not JSON, not a recipe, or of a format this version does not know.
        """
        try:
            fields = json.loads(text)
            if fields.get("format") != FORMAT:
                raise RoomtoneError(f"recipe format {fields.get('format')!r} is not {FORMAT}: made by another version")
            fields["clean"] = AudioRef(**fields["clean"])
            fields["clips"] = {name: AudioRef(**clip) for name, clip in fields["clips"].items()}
            return cls(**fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RoomtoneError(f"not a recipe: {error}") from error


@functools.cache
def library_versions() -> dict[str, str]:
    """Return the versions of Roomtone and of the libraries that the samples depend on."""
    from importlib.metadata import version

    import soundfile

    names = ("roomtone", "numpy", "scipy", "soxr", "pyroomacoustics", "audiomentations", "soundfile", "numba")
    return {name: version(name) for name in names} | {"libsndfile": soundfile.__libsndfile_version__}


@dataclass(frozen=True)
class Draws:
    """What keys the draws of one sample: (seed, utterance id, condition, replicate).

    Attributes:
        common: conditions of an utterance that have a level in common draw the same for it (common random numbers, as
            simulation calls them): the same excerpt of the same noise at 10 dB and at 0 dB, in the same position of the same room.
    """

    seed: int
    utterance_id: str
    condition: str
    replicate: int
    common: bool = False

    def stream(self, stage: str, level: str) -> np.random.Generator:
        """Return the NumPy generator of one stage of this sample.

        Args:
            stage: e.g. `noise`.
            level: what conditions may have in common.
        """
        key = level if self.common else self.condition
        return stream(self.seed, self.utterance_id, key, self.replicate, stage)

    @property
    def content(self) -> dict[str, Any]:
        """Return what sample ids are made of."""
        return {key: value for key, value in vars(self).items() if key != "common" or value}


def sample_id(
    draws: Draws,
    condition: ConditionLevels,
    clean: AudioRef,
    corpus: str,
    sample_rate_hz: int,
    level_dbov: float,
    effort_db: float | None = None,
) -> str:
    """Return the content key of a sample: 32 hexadecimal digits, free of dots and slashes.

    Args:
        draws: what keys its draws.
        condition: what it is rendered in.
        clean: the utterance, with the hash of its file.
        corpus: name of the corpus that the utterance is of.
        sample_rate_hz: rate of the set in Hz.
        level_dbov: active speech level that is asked for, dBov.
        effort_db: see `Recipe`.
    """
    segment = [clean.sha256, clean.offset_s, clean.duration_s]
    voice = [] if effort_db is None else [effort_db]
    return content_key(FORMAT, draws.content, condition.content, segment, corpus, sample_rate_hz, level_dbov, *voice)


def draw_source(
    level: Level, draws: Draws, context: DrawContext, clips: Mapping[str, AudioRef]
) -> tuple[dict[str, Any], dict[str, AudioRef]]:
    """Return the drawn op as JSON and the recordings it plays.

    Args:
        level: a level of noise or equipment.
        draws: what keys the stream.
        context: length and rate of the file, and the recordings at hand.
        clips: where those recordings lie, by asset id.
    """
    assert isinstance(level.op, Source)  # a preset of these factors is read as one
    drawn = level.op.draw(draws.stream(level.factor, level.preset), context)
    return to_dict(drawn), {asset: clips[asset] for asset in drawn.assets_used()}


def draw_recipe(
    condition: ConditionLevels,
    draws: Draws,
    clean: AudioRef,
    num_samples: int,
    sample_rate_hz: int,
    level_dbov: float,
    *,
    room_parameters: Sequence[Mapping[str, Any]] = (),
    assets: Mapping[str, Sequence[Asset]] | None = None,
    clips: Mapping[str, AudioRef] | None = None,
    room_blocks: bool = False,
    effort_db: float | None = None,
) -> Recipe:
    """Return the recipe of one sample.

    Args:
        condition: the condition to render.
        draws: what keys the streams.
        clean: the utterance; `num_samples` is its length at `sample_rate_hz`, in Hz.
        level_dbov: active speech level of the output, dBov.
        room_parameters: the realisations of the condition's room, if it has one; one is drawn.
        assets: recordings that the noise and the equipment may draw from, by factor.
        clips: where those recordings lie, by asset id.
        room_blocks, effort_db: see `Recipe`.

    Raises:
        RoomtoneError: nothing can be drawn: no realisation of the room, no recording for a noise.
    """
    chosen: dict[str, Any] = {}
    played: dict[str, AudioRef] = {}
    sounding = Fetcher(clips or {}, sample_rate_hz).sounding
    if "room" in condition.levels:
        if not room_parameters:
            raise RoomtoneError(f"condition {condition.name!r}: its room has no realisation")
        number = 0
        if len(room_parameters) > 1:
            number = int(draws.stream("room", condition.levels["room"].preset).integers(len(room_parameters)))
        chosen["room"] = dict(room_parameters[number])
    for factor, snr_key in (("noise", "snr_db"), ("equipment", "equipment_snr_db")):
        if factor not in condition.levels:
            continue
        level = condition.levels[factor]
        context = DrawContext(num_samples, sample_rate_hz, tuple((assets or {}).get(factor, ())), sounding)
        chosen[factor], used = draw_source(level, draws, context, clips or {})
        played |= used
        chosen[snr_key] = level.draw_snr_db(partial(draws.stream, f"{factor} snr", level.name))
    if "handset" in condition.levels:
        context = DrawContext(num_samples, sample_rate_hz)
        handset = condition.levels["handset"]
        chosen["handset"] = to_dict(handset.op.draw(draws.stream("handset", handset.preset), context))
    return Recipe(
        clean,
        sample_rate_hz,
        num_samples,
        level_dbov,
        clips=played,
        libraries=library_versions() | versions_of_ops(chosen.get("handset")),
        common=draws.common,
        room_blocks=room_blocks,
        effort_db=effort_db,
        **chosen,
    )
