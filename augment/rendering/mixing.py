"""The mix at the microphone: speech, noise and equipment, each through its own room response and at its level.

clean speech -> level (P.56) -> room -> sum with noise and equipment at the microphone, where SNRs are defined. The stages after
the microphone are in `render`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from roomtone.augment.ops.channel.filters import apply_fir
from roomtone.augment.ops.sources.recordings import LoopedRecording
from roomtone.augment.ops.table import Fetch, Source, parse_op
from roomtone.augment.ops.vocal_effort import effort_fir
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.rendering.delays import room_delay
from roomtone.augment.rendering.levels import at_level, with_gain
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.stem_fit import rms_db
from roomtone.augment.rendering.tolerances import UnmetLevelError
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry
from roomtone.augment.rooms.talker.moving import walk
from roomtone.augment.rooms.talker.walk_figures import Walk, measured_walk
from roomtone.core.audio.convolution import ImpulseResponse, convolve, convolve_sum
from roomtone.core.audio.speech_level import SILENCE_DBOV, SpeechLevel
from roomtone.core.audio.types import Samples

T = TypeVar("T")

#: Active level of the speech at the microphone, where the handset begins. The level that ITU-T listening tests use [recalled].
MICROPHONE_LEVEL_DBOV = -26.0


@dataclass(frozen=True)
class Background:
    """A noise or an equipment at the microphone.

    Attributes:
        key: by which conditions share its samples; None where they do not.
        samples: before their gain, float32 [shape=(samples,)].
        gain_db: what sets the SNR.
    """

    key: Any
    samples: Samples
    gain_db: float

    def scaled(self) -> Samples:
        """Return the samples as they were summed, float32 [shape=(samples,)]."""
        return with_gain(self.samples, self.gain_db)


@dataclass(frozen=True)
class Stems:
    """The parts of one render before the handset, float32 [shape=(samples,)] each, at the level at which they were summed.

    Attributes:
        clean: the utterance at the microphone's level, without the room.
        speech: the speech at the microphone (reverberant where there is a room).
        noise, equipment: as summed, or None.
        sounding: where the equipment sounds, bool [shape=(samples,)]; None where it always does, or there is none.
        backgrounds: noise and equipment before their gains; in the order of `present`.
        level: P.56 of `speech`; None where it is not measured yet.
        level_spread_db: by how much the reading of that level varies with gain.
        room_delay: by how many samples `speech` lags `clean`; None where the room was not applied as its response says, and for a talker who walks.
        walk: what is known of such a walk, or None.
        speech_gain: from the speech behind its room response to `speech`.
        reserve: what follows the file's end of each of `present`, in that order, float32 [shape=(reserve samples,)] each; empty where no
            handset needs it.
    """

    clean: Samples
    speech: Samples
    noise: Samples | None = None
    equipment: Samples | None = None
    sounding: np.ndarray | None = None
    backgrounds: tuple[Background, ...] = ()
    level: SpeechLevel | None = None
    level_spread_db: float = 0.0
    room_delay: int | None = 0
    walk: Walk | None = None
    speech_gain: float = 1.0
    reserve: tuple[Samples, ...] = ()

    def present(self) -> list[Samples]:
        """Return the stems that are summed at the microphone [shape=(samples,)] each, speech first."""
        return [stem for stem in (self.speech, self.noise, self.equipment) if stem is not None]

    def microphone(self) -> Samples:
        """Return their sum, float32 [shape=(samples,)]."""
        return summed(self.present())

    def background(self) -> Samples:
        """Return the sum of noise and equipment, of which there is at least one, float32 [shape=(samples,)]."""
        return summed(self.present()[1:])

    def lasting(self) -> Stems:
        """Return the stems longer than the file by their reserve, to be sent through a handset."""
        if not self.reserve:
            return self
        lasting = [np.concatenate(pair) for pair in zip(self.present(), self.reserve, strict=True)]
        noise = None if self.noise is None else lasting[1]
        return replace(
            self, speech=lasting[0], noise=noise, equipment=None if self.equipment is None else lasting[-1], reserve=()
        )


@dataclass(frozen=True)
class CleanSpeech:
    """Clean speech ready for rendering.

    Attributes:
        samples: at the microphone's level, float32 [shape=(samples,)].
        level: as measured on `samples`.
        sample_rate_hz: in Hz.
        level_spread_db: by how much the reading of that level varies with gain.
        shared: a cache of intermediate results that conditions of one utterance have in common.
    """

    samples: Samples
    level: SpeechLevel
    sample_rate_hz: int
    level_spread_db: float = 0.0
    shared: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def share(self, key: Any, make: Callable[[], T]) -> T:
        """Return `make()`, computed once while it is among the last results kept.

        Args:
            key: stands for the result.
            make: computes it.
        """
        if key not in self.shared:
            while len(self.shared) >= _SHARED or sum(map(_bytes, self.shared.values())) > _SHARED_BYTES:
                self.shared.pop(next(iter(self.shared)))
            self.shared[key] = make()
        found: T = self.shared[key]
        return found


#: How many shared results of an utterance are kept, and how many bytes of them beside the latest.
_SHARED = 64
_SHARED_BYTES = 1 << 24


def _bytes(value: Any) -> int:
    parts = value if isinstance(value, tuple) else (value,)
    return sum(part.nbytes for part in parts if isinstance(part, np.ndarray))


def prepare(samples: Samples, sample_rate_hz: int) -> CleanSpeech:
    """Return the clean speech at the microphone's active level.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0.
        sample_rate_hz: in Hz.

    Raises:
        UnmetLevelError: silence, to which no level and no SNR can refer.
    """
    levelled = at_level(samples, sample_rate_hz, MICROPHONE_LEVEL_DBOV)
    return CleanSpeech(levelled.samples, levelled.level, sample_rate_hz, levelled.spread_db)


def with_effort(clean: CleanSpeech, rise_db: float | None) -> CleanSpeech:
    """Return speech with the spectrum of a raised voice, at the level that it had.

    Args:
        clean: the prepared speech, which keeps the result for the conditions that share it.
        rise_db: overall rise above normal speech in dB; None leaves the voice as it is.

    Raises:
        UnmetLevelError: no gain brings it to its level.
    """
    if rise_db is None:
        return clean
    rate = clean.sample_rate_hz
    return clean.share(("effort", rise_db), lambda: prepare(apply_fir(clean.samples, effort_fir(rise_db, rate)), rate))


def near_microphone(clean: CleanSpeech, key: str, fir: np.ndarray | None) -> CleanSpeech:
    """Return speech as a close directional microphone has it, at the level that it had.

    Args:
        clean: the prepared speech, which keeps the result for the conditions that share it.
        key: stands for the handset.
        fir: what the handset does to the talker alone; None leaves the speech as it is.

    Raises:
        UnmetLevelError: no gain brings it to its level.
    """
    if fir is None:
        return clean
    return clean.share(("near", key), lambda: prepare(apply_fir(clean.samples, fir), clean.sample_rate_hz))


def mix_stems(recipe: Recipe, clean: CleanSpeech, fetch: Fetch, entry: RoomEntry | None) -> Stems:
    """Return the stems of a recipe at the microphone.

    Args:
        recipe: what to render.
        clean: the prepared speech.
        fetch: returns samples of a recording by asset id.
        entry: the realised room, or None.

    Raises:
        UnmetLevelError: a noise or an equipment is silent, or the reverberant speech has no level.
    """
    room = None if entry is None else entry.id
    at_microphone = clean.share(("speech", room), lambda: _at_microphone(clean, entry))
    level_dbov = at_microphone.level.level_dbov
    noise = equipment = sounding = None
    backgrounds = []
    if recipe.noise is not None and recipe.snr_db is not None:
        source = _background("noise", recipe.noise, recipe, clean, fetch, entry)
        backgrounds.append(source.at(level_dbov - recipe.snr_db))
        noise = backgrounds[-1].scaled()
    if recipe.equipment is not None and recipe.equipment_snr_db is not None:
        source = _background("equipment", recipe.equipment, recipe, clean, fetch, entry)
        backgrounds.append(source.at(level_dbov - recipe.equipment_snr_db))
        equipment, sounding = backgrounds[-1].scaled(), source.sounding
    return Stems(
        clean.samples,
        at_microphone.speech,
        noise,
        equipment,
        sounding,
        tuple(backgrounds),
        at_microphone.level,
        at_microphone.level_spread_db,
        at_microphone.delay,
        at_microphone.walk,
        at_microphone.gain,
    )


class _SpeechAtMicrophone(NamedTuple):
    """The speech at the microphone, its level, how much that varies with gain, and by how many samples the room delays it, or the walk."""

    speech: Samples
    level: SpeechLevel
    level_spread_db: float
    delay: int | None
    walk: Walk | None = None
    gain: float = 1.0


def _at_microphone(clean: CleanSpeech, entry: RoomEntry | None) -> _SpeechAtMicrophone:
    if entry is None:
        return _SpeechAtMicrophone(clean.samples, clean.level, clean.level_spread_db, 0)
    rate = clean.sample_rate_hz
    if entry.path is not None:
        speech = at_level(walk(clean.samples, entry.path, entry.path_responses, rate), rate, MICROPHONE_LEVEL_DBOV)
        known = measured_walk(clean.samples, speech.gain, entry, entry.path, rate)
        return _SpeechAtMicrophone(speech.samples, speech.level, speech.spread_db, None, known, speech.gain)
    response = entry.responses["speech"]
    reverberant = convolve(clean.samples, response, DIRECT_SAMPLE, clean.samples.size)
    speech = at_level(reverberant, rate, MICROPHONE_LEVEL_DBOV)
    delay = room_delay(clean.samples, speech.samples, response)
    return _SpeechAtMicrophone(speech.samples, speech.level, speech.spread_db, delay, gain=speech.gain)


class _Unscaled(NamedTuple):
    """A source at the microphone before its level is set: its samples, where it sounds (None: always), its RMS in dBov while it sounds."""

    key: Any
    samples: Samples
    sounding: np.ndarray | None
    level_dbov: float

    def at(self, level_dbov: float) -> Background:
        return Background(self.key, self.samples, level_dbov - self.level_dbov)


def _background(
    what: str, mapping: Mapping[str, Any], recipe: Recipe, clean: CleanSpeech, fetch: Fetch, entry: RoomEntry | None
) -> _Unscaled:
    """Return the noise or the equipment of a recipe through its own room response."""

    def make() -> _Unscaled:
        return _Unscaled(key, *through_room(parse_op(mapping, Source, where=what), recipe, fetch, entry, what))

    key = (what, json.dumps(mapping, sort_keys=True), entry and entry.id) if recipe.common else None
    return make() if key is None else clean.share(key, make)


def through_room(
    op: Source, recipe: Recipe, fetch: Fetch, entry: RoomEntry | None, what: str
) -> tuple[Samples, np.ndarray | None, float]:
    """Return a source at the microphone before its gain, where it sounds (None: always), and its level while it does, dBov.

    Args:
        op: the drawn source.
        recipe, fetch, entry: as `mix_stems`, which raises for both.
        what: `noise` or `equipment`.
    """
    if entry is None or op.at_microphone:
        samples = op.render(recipe.num_samples, recipe.sample_rate_hz, fetch)
    elif isinstance(op, LoopedRecording) and recipe.room_blocks and op.plays_as_it_is(recipe.num_samples):
        samples = _from_blocks(op, recipe, fetch, entry.responses[what])
    else:
        samples = _from_places(op, recipe, fetch, entry, what)
    sounding = None if op.always_sounds else op.sounding(recipe.num_samples, recipe.sample_rate_hz)
    level = rms_db(while_sounding(samples, sounding))
    if not level > SILENCE_DBOV:
        raise UnmetLevelError(f"the {what} is silent ({level:.0f} dBov): no SNR can be set")
    return samples, sounding, level


def _from_places(op: Source, recipe: Recipe, fetch: Fetch, entry: RoomEntry, what: str) -> Samples:
    """Return a source through its room: from the directions of a diffuse noise if it has several parts, else from its one place."""
    waves = entry.wave_responses if what == "noise" else ()
    preroll = entry.responses[what].taps.size
    parts = op.render_apart(recipe.num_samples, recipe.sample_rate_hz, fetch, len(waves) or 1, preroll_samples=preroll)
    ways = waves[: len(parts)] if len(parts) > 1 else (entry.responses[what],)
    return convolve_sum(parts, ways, preroll + DIRECT_SAMPLE, recipe.num_samples)


def _from_blocks(op: LoopedRecording, recipe: Recipe, fetch: Fetch, response: ImpulseResponse) -> Samples:
    """Return a recording in a room, made of blocks that renders share."""
    assert isinstance(fetch, Fetcher)
    assert op.asset is not None
    samples, sounds = fetch.reverberant(op.asset, op.offset_samples or 0, recipe.num_samples, response, DIRECT_SAMPLE)
    op.check_sounding(float(sounds.mean()))
    return samples


def while_sounding(samples: Samples, sounding: np.ndarray | None) -> Samples:
    """Return the samples at which a source sounds [shape=(sounding samples,)]; `sounding` None is always.

    Args:
        samples: of the source, float32 [shape=(samples,)].
        sounding: where it sounds, bool [shape=(samples,)]; None is always.
    """
    return samples if sounding is None or sounding.all() else samples[sounding]


def summed(signals: Sequence[Samples]) -> Samples:
    """Return the sum of signals [shape=(samples,)] each; one alone is returned as it is."""
    return functools.reduce(np.add, signals)
