"""Which recordings a level of noise or equipment may play, and which talkers a babble mixes.

Ops know recordings by id. The catalogue maps an id to its file; `Fetcher` reads it at the set's rate.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.draw_context import Asset
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.speech_level import SILENCE_DBOV, active_speech_level
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine, WorkerDied
from roomtone.core.workers.fault_injection import reading
from roomtone.core.workers.serial import SerialEngine
from roomtone.core.workers.time_limit import time_limit

#: Talkers for babble: most speakers, and most utterances of each, chosen by the hash of their ids.
MAX_TALKERS = 200
MAX_UTTERANCES_EACH = 8
_BLOCK = 32
#: Seconds after which reading a candidate is given up.
_TIME_LIMIT_S = 60.0


@dataclass(frozen=True)
class Catalogue:
    """Recordings that may be played.

    Attributes:
        assets: as ops see them: id, length, group.
        clips: asset id -> its file or segment.
    """

    assets: tuple[Asset, ...]
    clips: Mapping[str, AudioRef]

    def without_group(self, group: str | None) -> tuple[Asset, ...]:
        """Return the assets that are not of this group: a target speaker is no talker of his own babble."""
        if group not in self.groups:
            return self.assets
        return tuple(asset for asset in self.assets if asset.group != group)

    def of_factor(self, factor: str) -> Catalogue:
        """Return the same recordings by names that no other factor gives: two folders may hold files of one name, and one render plays both.

        Args:
            factor: that plays them; `noise` names them as they are.
        """
        if factor == "noise":
            return self
        assets = tuple(dataclasses.replace(asset, id=f"{factor}:{asset.id}") for asset in self.assets)
        return Catalogue(assets, {f"{factor}:{name}": clip for name, clip in self.clips.items()})

    @functools.cached_property
    def groups(self) -> frozenset[str]:
        """Return the groups that the assets belong to."""
        return frozenset(asset.group for asset in self.assets)


def in_turn(usable: Sequence[Asset], ordinal: int, *, seed: int, series: str, factor: str) -> Asset:
    """Return the recording that a render plays, where recordings take turns: each is played once before any is played again.

    Args:
        usable: the recordings at hand, sorted by id.
        ordinal: number of the render in its series, from 0.
        seed: of the run.
        series: what takes turns together: a condition, or with common draws a preset.
        factor: `noise` or `equipment`.
    """
    from roomtone.augment.ops.sources.recordings import permuted_index

    order_seed = int(content_key(seed, series, factor)[:12], 16)
    return usable[permuted_index(len(usable), order_seed, ordinal)]


def talkers(
    utterances: Iterable[Utterance], sample_rate_hz: int, *, at_least: int, engine: Engine | None = None
) -> Catalogue:
    """Return the corpus's own talkers for babble, with those of the bundled corpus where it has too few.

    Each candidate is decoded once and must hold active speech. One that cannot be read is left out here; it is rejected,
    alone, when it is rendered.

    Args:
        utterances: the corpus; those without a speaker are left out.
        sample_rate_hz: rate of the set in Hz.
        at_least: number of speakers that are needed.
        engine: whose workers decode; None decodes here.
    """
    chosen = _usable_talkers(_choose_talkers(utterances), sample_rate_hz, engine)
    # babble in which the target is left out needs one speaker more than it has voices
    if len({asset.group for asset in chosen.assets}) < at_least:
        from roomtone.augment.corpora import open_corpus

        bundled = _usable_talkers(_choose_talkers(open_corpus({"reader": "demo"})), sample_rate_hz, None)
        chosen = Catalogue(chosen.assets + bundled.assets, {**chosen.clips, **bundled.clips})
    return chosen


def _choose_talkers(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Return a bounded choice that depends on the utterances' ids and not on their order."""
    by_speaker: dict[str, list[tuple[str, Utterance]]] = {}
    for utterance in utterances:
        if utterance.speaker is None or utterance.problem:
            continue
        mine = by_speaker.setdefault(f"{utterance.corpus}/{utterance.speaker}", [])
        mine.append((content_key(utterance.utterance_id), utterance))
        if len(mine) > 2 * MAX_UTTERANCES_EACH:
            mine[:] = sorted(mine, key=lambda pair: pair[0])[:MAX_UTTERANCES_EACH]
    speakers = sorted(by_speaker, key=content_key)[:MAX_TALKERS]
    return [u for s in speakers for _, u in sorted(by_speaker[s], key=lambda pair: pair[0])[:MAX_UTTERANCES_EACH]]


#: A task of a worker: the candidates, and the rate in Hz; it returns their lengths, 0 for one that cannot be used.
_Candidates = tuple[tuple[AudioRef, ...], int]


def _usable_talkers(utterances: list[Utterance], sample_rate_hz: int, engine: Engine | None) -> Catalogue:
    blocks: list[_Candidates] = [
        (tuple(u.audio for u in utterances[i : i + _BLOCK]), sample_rate_hz) for i in range(0, len(utterances), _BLOCK)
    ]
    found: dict[AudioRef, int] = {}
    for outcome in (engine or SerialEngine()).run(speech_lengths, blocks):
        refs = outcome.task[0]
        if isinstance(outcome.error, WorkerDied):
            continue  # one of them kills its reader; the others suffice
        if outcome.error is not None:
            raise outcome.error
        found.update(zip(refs, outcome.value, strict=True))
    assets: list[Asset] = []
    clips: dict[str, AudioRef] = {}
    for utterance in utterances:
        ref = utterance.audio
        if found.get(ref, 0) > 0:
            name = f"{utterance.corpus}:{utterance.utterance_id}"
            assets.append(Asset(name, found[ref], f"{utterance.corpus}/{utterance.speaker}"))
            clips[name] = ref
    return Catalogue(tuple(assets), clips)


def speech_lengths(task: _Candidates) -> list[int]:
    """Return each recording's length in samples, 0 where it cannot be read or holds no active speech.

    Args:
        task: the recordings, and the rate in Hz at which they are read.
    """
    refs, sample_rate_hz = task
    lengths = []
    for ref in refs:
        try:
            with time_limit(_TIME_LIMIT_S):
                reading(ref.path)
                samples = read_audio(ref, sample_rate_hz)
            speaks = active_speech_level(samples, sample_rate_hz).level_dbov > SILENCE_DBOV
            lengths.append(samples.size if speaks else 0)
        except (RoomtoneError, OSError, MemoryError):  # TimeoutError is an OSError
            lengths.append(0)
    return lengths


def recordings(path: str, layout: str, sample_rate_hz: int, *, split: str | None = None) -> Catalogue:
    """Return the recordings of a folder (or a noise corpus in its own layout).

    Args:
        path: the folder.
        layout: a key of `layouts.LAYOUTS`.
        sample_rate_hz: rate of the set in Hz, in which lengths are stated.
        split: only this part of the corpus; None takes all of it.

    Raises:
        RoomtoneError: no such folder, or nothing in it that is audio.
    """
    from roomtone.augment.recordings.layouts import scan_noise

    files = [f for f in scan_noise(path, layout) if split is None or f.split == split]
    if not files:
        raise RoomtoneError(f"{path}: no recordings found (layout {layout!r}{f', split {split!r}' if split else ''})")
    assets = tuple(Asset(f.id, int(f.num_frames / f.sample_rate_hz * sample_rate_hz), f.group) for f in files)
    return Catalogue(assets, {f.id: AudioRef(str(f.path)) for f in files})
