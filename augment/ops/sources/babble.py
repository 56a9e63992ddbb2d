"""Babble: several other talkers, each at the same active level.

The recordings in the `DrawContext` are the candidates: the renderer offers utterances of other speakers only, with the
speaker as group. One talker is a loop of that talker's utterances in drawn order, entered at a drawn place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from roomtone.augment.ops.draw_context import Asset, DrawContext, RecordingsNeeded
from roomtone.augment.ops.sources.periodic_tone import NOMINAL_RMS
from roomtone.augment.ops.table import Fetch, Source
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Fades at the joints of two utterances.
JOINT_S = 0.005
#: A talker's loop is made longer than the file by this, so that a pre-roll rarely repeats the file's own end.
SPARE_S = 2.0


@dataclass(frozen=True)
class Babble(Source):
    """`talkers` voices at once, equal in P.56 active level, none of them from outside the offered recordings."""

    op = "babble"

    talkers: int = 6
    #: Whether one speaker may lend several voices (different utterances) where a corpus has too few speakers.
    repeat_talkers: bool = False
    #: Drawn: the utterances of each voice, in order of play.
    voices: tuple[tuple[str, ...], ...] | None = None
    #: Drawn: where in its loop each voice is at time 0, as a share.
    offsets: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.talkers < 1:
            raise RoomtoneError(f"babble: talkers must be at least 1, got {self.talkers}")

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Choose distinct talkers, their utterances in order and the places of entry.

        Raises:
            RoomtoneError: there are too few other talkers (or, with `repeat_talkers`, utterances).
        """
        pools = self._pools(rng, context.assets)
        need = context.num_samples + int(SPARE_S * context.sample_rate_hz)
        voices = tuple(_fill(pool, need) for pool in pools)
        return dataclasses.replace(self, voices=voices, offsets=tuple(rng.random(self.talkers).tolist()))

    def _pools(self, rng: np.random.Generator, assets: Sequence[Asset]) -> list[list[Asset]]:
        """Return one shuffled list of utterances for each voice; no utterance is in two of them."""
        groups: dict[str, list[Asset]] = {}
        for asset in sorted(assets, key=lambda a: a.id):
            if asset.num_samples > 0:
                groups.setdefault(asset.group, []).append(asset)
        names = [sorted(groups)[i] for i in rng.permutation(len(groups))]
        shuffled = {name: [groups[name][i] for i in rng.permutation(len(groups[name]))] for name in names}
        if len(names) >= self.talkers:
            return [shuffled[name] for name in names[: self.talkers]]
        count = sum(len(pool) for pool in shuffled.values())
        if not self.repeat_talkers:
            raise RoomtoneError(
                f"babble: needs {self.talkers} other talkers, the corpus offers {len(names)} beside the target; "
                "lower talkers, add speakers, or set repeat_talkers: true"
            )
        if count < self.talkers:
            raise RoomtoneError(f"babble: needs {self.talkers} utterances of other talkers, the corpus offers {count}")
        return _deal(list(shuffled.values()), self.talkers)

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the sum of the voices, float32 [shape=(preroll_samples + num_samples,)].

        Raises:
            RoomtoneError: a voice is silent.
        """
        (total,) = self.render_apart(num_samples, sample_rate_hz, fetch, 1, preroll_samples=preroll_samples)
        return total

    def render_apart(
        self, num_samples: int, sample_rate_hz: int, fetch: Fetch, places: int, *, preroll_samples: int = 0
    ) -> list[Samples]:
        """Return the voices dealt out to places, float32 [shape=(preroll_samples + num_samples,)] each.

        Args:
            num_samples, sample_rate_hz, fetch, places, preroll_samples: see `Source.render_apart`.

        Raises:
            RoomtoneError: a voice is silent.
        """
        from roomtone.core.audio.speech_level import active_speech_level

        if self.voices is None or self.offsets is None:
            raise RoomtoneError("babble: voices are not drawn; call draw() before render()")
        totals = np.zeros((min(places, self.talkers), preroll_samples + num_samples))
        for number, (voice, offset) in enumerate(zip(self.voices, self.offsets)):
            loop = _loop(voice, fetch, sample_rate_hz)
            level = active_speech_level(loop, sample_rate_hz)
            if level.activity <= 0.0:
                raise RoomtoneError(
                    f"babble: no speech in {', '.join(voice)}; the recording is silent or far too quiet"
                )
            loop = 10.0 ** (-level.level_dbov / 20.0) * loop
            _add_looped(totals[number % len(totals)], loop, (int(offset * loop.size) - preroll_samples) % loop.size)
        return [(NOMINAL_RMS / np.sqrt(self.talkers) * total).astype(np.float32) for total in totals]

    def recordings_needed(self) -> RecordingsNeeded:
        """Return that speech of the corpus's own talkers is needed."""
        return RecordingsNeeded(talkers=self.talkers)

    def assets_used(self) -> tuple[str, ...]:
        """Return the ids of all utterances that are played, voice by voice."""
        return tuple(asset for voice in self.voices or () for asset in voice)


def _add_looped(total: np.ndarray, loop: np.ndarray, start: int) -> None:
    """Add an endless loop to `total`, entered at `start`; in contiguous parts, which costs less than an index."""
    place = 0
    while place < total.size:
        length = min(loop.size - start, total.size - place)
        total[place : place + length] += loop[start : start + length]
        place, start = place + length, 0


def _fill(pool: list[Asset], need: int) -> tuple[str, ...]:
    """Return as many utterances as it takes to reach `need` samples, or all of them: the loop does the rest."""
    chosen, length = [], 0
    for asset in pool:
        if length >= need:
            break
        chosen.append(asset.id)
        length += asset.num_samples
    return tuple(chosen)


def _deal(pools: list[list[Asset]], voices: int) -> list[list[Asset]]:
    """Return `voices` non-empty lists; the speakers with most utterances lend several."""
    shares = [1] * len(pools)
    while sum(shares) < voices:
        spare = [len(pool) / share if len(pool) > share else 0.0 for pool, share in zip(pools, shares)]
        shares[int(np.argmax(spare))] += 1
    return [pool[i::share] for pool, share in zip(pools, shares) for i in range(share)][:voices]


def _loop(voice: tuple[str, ...], fetch: Fetch, sample_rate_hz: int) -> np.ndarray:
    """Return the utterances of one voice end to end, faded at the joints, float32."""
    pieces = []
    for asset in voice:
        piece = np.array(fetch(asset, 0, -1), dtype=np.float32)
        edge = min(int(JOINT_S * sample_rate_hz), piece.size // 2)
        fade = (0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / max(edge, 1))).astype(np.float32)
        piece[:edge] *= fade
        piece[piece.size - edge :] *= fade[::-1]
        pieces.append(piece)
    return np.concatenate(pieces)
