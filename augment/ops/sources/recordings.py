"""Recorded sounds: `recordings` for background noise, `recording` for one machine, and how a short one is looped.

An op names a recording by id and never opens a file: the renderer resolves `path` to the assets of the `DrawContext`.
The draw pins the asset and the offset. A recording that is long enough is played as it is; a shorter one is looped,
its end crossfaded into its start at equal power, so that a seam neither clicks nor dips.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from roomtone.augment.ops.draw_context import Asset, DrawContext, RecordingsNeeded
from roomtone.augment.ops.table import Fetch, Source
from roomtone.augment.recordings.sounding import LEAST_SHARE, offset_where_it_sounds, sounding_share
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Crossfade at the seam of a loop; at most a quarter of the recording.
SEAM_S = 0.05
#: A long recording is entered at least this far from its start, so that a pre-roll finds real sound before time 0.
LEAD_S = 2.0


def permuted_index(count: int, seed: int, ordinal: int) -> int:
    """Return which of `count` things the draw number `ordinal` takes, so that none repeats early.

    Independent draws repeat long before everything was used, and no stream of its own can prevent that: the caller
    numbers the draws of a run. Each block of `count` draws is one seeded permutation, so after any number of draws the
    use of two things differs by at most one; the seam of two blocks never repeats a thing at once. Depends on nothing
    but the arguments, so any worker can compute any draw.

    Args:
        count: of things to choose from.
        seed: of the permutations.
        ordinal: the number of the draw, from 0.

    >>> sorted(permuted_index(5, 0, n) for n in range(5, 10))
    [0, 1, 2, 3, 4]
    """
    if count < 1 or ordinal < 0:
        raise ValueError(f"permuted_index: count must be above 0 and ordinal at least 0, got {count} and {ordinal}")
    block, place = divmod(ordinal, count)
    if count == 1:
        return 0
    if count == 2:  # with two things, only strict alternation avoids both an early and an immediate repeat
        return (int(_permutation(2, seed, 0)[0]) + ordinal) % 2
    order = _permutation(count, seed, block)
    if block and place < 2 and order[0] == _permutation(count, seed, block - 1)[-1]:
        return int(order[1 - place])  # exchange the first two: the last of a block is never touched
    return int(order[place])


@functools.lru_cache(maxsize=64)
def _permutation(count: int, seed: int, block: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64([seed & 0xFFFFFFFFFFFFFFFF, block])).permutation(count)


@dataclass(frozen=True)
class LoopedRecording(Source):
    """What `recording` and `recordings` share: an asset, an offset and the loop."""

    #: Where the recordings are: a file or folder. The renderer turns it into assets.
    path: str
    #: Drawn: id of the recording.
    asset: str | None = None
    #: Drawn: which sample of the recording, at the set's rate, is at time 0.
    offset_samples: int | None = None
    #: Drawn: length of the recording at the set's rate, so that a long one need not be read whole.
    asset_samples: int | None = None

    #: Words for the messages.
    noun: ClassVar[str] = "recording"
    #: Share of a render in which the recording must sound; machines may be silent for long.
    least_share: ClassVar[float] = 0.0

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Pin an asset (its source group first, so that a group of many fragments is not favoured) and an offset.

        A context with one asset pins that one: so a caller that numbers its draws chooses by `permuted_index`.

        Raises:
            RoomtoneError: no recordings, or the named one is not among them.
        """
        group_share, asset_share, place = rng.random(), rng.random(), rng.random()
        usable = sorted((asset for asset in context.assets if asset.num_samples > 0), key=lambda asset: asset.id)
        if not usable:
            raise RoomtoneError(f"{self.op}: no usable {self.noun} under {self.path!r}")
        chosen = self._choose(usable, group_share, asset_share)
        lead = int(LEAD_S * context.sample_rate_hz)
        last = chosen.num_samples - context.num_samples
        if self.offset_samples is not None:
            offset = self.offset_samples
        elif last >= 0:
            offset = self._offset(chosen.id, context, last, min(lead, last), place)
        else:
            offset = int(place * chosen.num_samples)
        return dataclasses.replace(self, asset=chosen.id, offset_samples=offset, asset_samples=chosen.num_samples)

    @staticmethod
    def _offset(asset_id: str, context: DrawContext, last: int, first: int, place: float) -> int:
        """Return the drawn offset; where parts of the recording are silent, one at which it sounds."""
        sounds = None if context.sounding is None else context.sounding(asset_id)
        if sounds is None or sounds.all() or not sounds.any():
            return first + int(place * (last - first + 1))
        return offset_where_it_sounds(sounds, context.sample_rate_hz, context.num_samples, last, first, place)

    def _choose(self, usable: list[Asset], group_share: float, asset_share: float) -> Asset:
        if self.asset is not None:
            found = [asset for asset in usable if asset.id == self.asset]
            if not found:
                raise RoomtoneError(f"{self.op}: {self.asset!r} is not among the recordings under {self.path!r}")
            return found[0]
        groups = sorted({asset.group for asset in usable})
        group = groups[int(group_share * len(groups))]
        mine = [asset for asset in usable if asset.group == group]
        return mine[int(asset_share * len(mine))]

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the recording from its offset on, looped if it must be, float32 [shape=(preroll_samples + num_samples,)].

        Raises:
            RoomtoneError: the recording is empty, not finite, or silent where it is used.
        """
        if self.asset is None or self.offset_samples is None:
            raise RoomtoneError(f"{self.op}: asset is not drawn; call draw() before render()")
        from roomtone.core.audio._kernels import dot

        samples = self._read(num_samples, preroll_samples, sample_rate_hz, fetch)
        power = dot(samples, samples)
        if not math.isfinite(power):
            raise RoomtoneError(f"{self.op}: {self.asset} holds values that are not finite")
        if not power or not np.any(samples[preroll_samples:]):
            raise RoomtoneError(f"{self.op}: {self.asset} is silent where it would be played; no SNR can be set")
        self.check_sounding(sounding_share(samples[preroll_samples:], sample_rate_hz) if self.least_share else 1.0)
        return samples

    def plays_as_it_is(self, num_samples: int) -> bool:
        """Return whether so many samples of the drawn recording are played without looping it."""
        return self.asset is not None and (self.offset_samples or 0) + num_samples <= (self.asset_samples or 0)

    def check_sounding(self, share: float) -> None:
        """Check that the recording sounds in enough of a render.

        Args:
            share: of the render in which it sounds, 0 to 1.

        Raises:
            RoomtoneError: it does not.
        """
        if share < self.least_share:
            raise RoomtoneError(
                f"{self.op}: {self.asset} sounds in {share:.1%} of the render, at least {self.least_share:.0%} are needed for an SNR; "
                "take the recording out of the folder, or cut it to where it sounds"
            )

    def _read(self, num_samples: int, preroll_samples: int, sample_rate_hz: int, fetch: Fetch) -> Samples:
        asset, offset = self.asset or "", self.offset_samples or 0
        begin, end = offset - preroll_samples, offset + num_samples
        if self.plays_as_it_is(num_samples):
            samples = np.asarray(fetch(asset, max(begin, 0), end - max(begin, 0)), dtype=np.float32)
            # before the recording began, a pre-roll hears it mirrored in time: no seam, the same spectrum
            return np.pad(samples, (-begin, 0), mode="reflect") if begin < 0 else samples
        whole = np.asarray(fetch(asset, 0, -1), dtype=np.float32)
        if whole.size == 0:
            raise RoomtoneError(f"{self.op}: {self.asset} is empty")
        loop = looped(whole, min(int(SEAM_S * sample_rate_hz), whole.size // 4))
        return loop[np.arange(begin, end) % loop.size]

    def recordings_needed(self) -> RecordingsNeeded:
        """Return that the recordings under `path` are needed."""
        return RecordingsNeeded(self.path)

    def assets_used(self) -> tuple[str, ...]:
        """Return the id of the drawn recording."""
        return () if self.asset is None else (self.asset,)


@dataclass(frozen=True)
class Recording(LoopedRecording):
    """One recorded machine (or a folder of recordings of it), looped for as long as the file lasts."""

    op = "recording"
    noun = "recording of a machine"


@dataclass(frozen=True)
class Recordings(LoopedRecording):
    """Recorded background noise from a folder or a noise corpus in its own layout (`noise_corpora`)."""

    op = "recordings"
    noun = "noise recording"
    least_share = LEAST_SHARE

    #: Layout of the folder.
    kind: Literal["folder", "musan", "demand", "esc50", "wham", "qut", "rirs_noises"] = "folder"
    #: Only this part of the corpus (e.g. `tt` of WHAM!, `noise` of MUSAN, `fold5` of ESC-50); null for all.
    split: str | None = None

    def recordings_needed(self) -> RecordingsNeeded:
        """Return that the recordings under `path`, in this layout and split, are needed."""
        return RecordingsNeeded(self.path, self.kind, self.split)


def looped(samples: Samples, seam: int) -> Samples:
    """Return one turn of an endless loop, float32 [shape=(samples - seam,)]: the end is crossfaded into the start at equal power.

    Args:
        samples: the recording, float32 [shape=(samples,)].
        seam: length of the crossfade in samples, less than half of the recording.

    Equal power suits sounds that are not alike at both ends, as a recorded room is; a pure tone may swell by up to 3 dB
    for the length of the seam.
    """
    if seam < 1:
        return samples
    turn = samples[: samples.size - seam].copy()
    angle = 0.5 * np.pi * (np.arange(seam) + 0.5) / seam
    tail = samples[samples.size - seam :]
    turn[:seam] = (turn[:seam] * np.sin(angle) + tail * np.cos(angle)).astype(np.float32)
    return turn
