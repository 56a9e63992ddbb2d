"""Lost packets and their concealment by the receiver: `op: packet_loss`.

Loss follows the two-state Gilbert-Elliott model with no loss in the good state and certain loss in the bad one. The
process starts in its steady state, so that the asked share is the expected one from the first frame on. The lost frames
are drawn into the recipe: a render loses exactly the frames that its recipe lists.

Loss is applied to the decoded signal: a real decoder's state also suffers in the frames after a gap, which is not modelled.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, Processor, number, pin_ranges
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

# Concealment: full level for the first 10 ms of a gap, then down by a fifth each 10 ms, silent from 60 ms on
# (the schedule of ITU-T G.711 Appendix I).
_HOLD_S = 0.010
_MUTE_S = 0.060
#: The received signal is faded in over the concealed one for this long after a gap.
_OVERLAP_S = 0.004
# Pitch is looked for between 66 and 400 Hz, over the last 20 ms before the gap.
_SHORTEST_PITCH_S = 0.0025
_LONGEST_PITCH_S = 0.015
_MATCH_S = 0.020


@dataclass(frozen=True)
class PacketLoss(Processor):
    """Bursty loss of frames, concealed.

    Attributes:
        loss: share of frames lost, 0 to below 1.
        mean_burst_frames: mean length of a run of lost frames, at least 1; `1 / (1 - loss)` is independent loss.
        frame_ms: length of a frame.
        concealment: `zero` puts silence; `repeat` the last received frame, fading; `pitch` the last pitch period, fading.
        lost_frames: indices of the lost frames; drawn.
    """

    op: ClassVar[str] = "packet_loss"
    loss: Drawn
    mean_burst_frames: Drawn = 1.0
    frame_ms: float = 20.0
    concealment: Literal["zero", "repeat", "pitch"] = "repeat"
    lost_frames: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not 2.0 <= self.frame_ms <= 200.0:
            slip = " (in seconds?)" if 0.0 < self.frame_ms < 2.0 else ""
            raise RoomtoneError(f"packet_loss: frame_ms must lie in 2..200, got {self.frame_ms}{slip}")
        check_loss(self.op, self.loss, self.mean_burst_frames)

    def frame_samples(self, sample_rate_hz: int) -> int:
        """Return the length of a frame in samples at `sample_rate_hz`."""
        return round(self.frame_ms * sample_rate_hz / 1000.0)

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        pinned = pin_ranges(self, rng)
        frames = -(-context.num_samples // self.frame_samples(context.sample_rate_hz))
        lost = draw_lost_frames(rng, frames, number(pinned.loss), number(pinned.mean_burst_frames))
        return dataclasses.replace(pinned, lost_frames=lost if self.lost_frames is None else self.lost_frames)

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the concealed samples and `lost_share`, the share of this file's frames that were lost."""
        if self.lost_frames is None:
            raise RoomtoneError("packet_loss: the lost frames are not drawn yet")
        size = self.frame_samples(sample_rate_hz)
        frames = -(-samples.size // size)
        lost = sorted({frame for frame in self.lost_frames if 0 <= frame < frames})
        out = samples.astype(np.float32)
        for first, end in _runs(lost):
            _conceal(out, first * size, min(end * size, samples.size), sample_rate_hz, size, self.concealment)
        affected = frames_affected(samples, out, size)
        return out, {"lost_share": len(lost) / max(frames, 1), "frames_lost": len(lost), "frames_affected": affected}


def check_loss(op: str, loss: Drawn, mean_burst_frames: Drawn) -> None:
    """Check how much is lost and in what runs.

    Args:
        op: names the op in the message.
        loss: share of frames lost.
        mean_burst_frames: mean length of a run of lost frames.

    Raises:
        RoomtoneError: a share outside 0..1, or runs too short for it.
    """
    if not 0.0 <= np.min(loss) <= np.max(loss) < 1.0:
        raise RoomtoneError(f"{op}: loss must lie in 0 to below 1, got {loss} (in per cent?)")
    if np.min(mean_burst_frames) < 1.0:
        raise RoomtoneError(f"{op}: mean_burst_frames must be 1 or more, got {mean_burst_frames}")
    odds = np.max(loss) / (1.0 - np.max(loss))
    if odds > np.min(mean_burst_frames):
        raise RoomtoneError(
            f"{op}: a loss of {loss} needs mean_burst_frames of {odds:.2f} or more, got {mean_burst_frames}"
        )


def frames_affected(whole: np.ndarray, heard: np.ndarray, frame_samples: int) -> int:
    """Return in how many frames two signals differ by more than -40 dB of the first one's energy there and one step of 16 bits.

    Args:
        whole, heard: without and with loss, both float (full scale +-1.0) or both int16 [shape=(samples,)].
        frame_samples: length of a frame; the last may be shorter.
    """
    if not whole.size:
        return 0
    starts = np.arange(0, whole.size, frame_samples)
    step = 1.0 if np.issubdtype(whole.dtype, np.integer) else 1.0 / 32768.0
    difference = np.add.reduceat((heard.astype(np.float64) - whole) ** 2, starts)
    energy = np.add.reduceat(whole.astype(np.float64) ** 2, starts)
    lengths = np.diff(np.append(starts, whole.size))
    return int(np.count_nonzero((difference > 1e-4 * energy) & (difference > step**2 * lengths)))


def draw_lost_frames(rng: np.random.Generator, frames: int, loss: float, mean_burst_frames: float) -> tuple[int, ...]:
    """Return the lost ones of `frames` frames, by a Gilbert-Elliott chain in its steady state.

    Args:
        rng: the generator of this draw; one number a frame is taken.
        frames: how many frames the file has.
        loss: expected share lost, below 1.
        mean_burst_frames: expected length of a run; one over the probability to leave the bad state.
    """
    leave_bad = 1.0 / mean_burst_frames
    enter_bad = leave_bad * loss / (1.0 - loss)
    uniform = rng.random(frames)
    lost: list[int] = []
    chance = loss
    for frame, value in enumerate(uniform.tolist()):
        bad = value < chance
        if bad:
            lost.append(frame)
        chance = 1.0 - leave_bad if bad else enter_bad
    return tuple(lost)


def _runs(lost: list[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive frames as (first, one past the last)."""
    runs: list[tuple[int, int]] = []
    for frame in lost:
        if runs and runs[-1][1] == frame:
            runs[-1] = (runs[-1][0], frame + 1)
        else:
            runs.append((frame, frame + 1))
    return runs


def _conceal(out: Samples, start: int, end: int, sample_rate_hz: int, frame: int, how: str) -> None:
    """Replace `out[start:end]` in place, and fade into what follows; only samples before `start` are looked at."""
    if how == "zero":
        out[start:end] = 0.0
        return
    overlap = min(round(_OVERLAP_S * sample_rate_hz), out.size - end)
    period = frame if how == "repeat" else _pitch_period(out[:start], sample_rate_hz)
    filling = _extend(out[:start], period, end - start + overlap) * _fade(end - start + overlap, sample_rate_hz)
    out[start:end] = filling[: end - start]
    fade_in = (np.arange(overlap, dtype=np.float32) + np.float32(0.5)) / np.float32(max(overlap, 1))
    out[end : end + overlap] = out[end : end + overlap] * fade_in + filling[end - start :] * (1 - fade_in)


def _extend(past: Samples, period: int, size: int) -> Samples:
    """Return the last `period` samples of `past`, repeated to `size`; silence where there is too little past."""
    if past.size == 0:
        return np.zeros(size, dtype=np.float32)
    return np.resize(past[-min(period, past.size) :], size).astype(np.float32)


def _fade(size: int, sample_rate_hz: int) -> Samples:
    seconds = np.arange(size) / sample_rate_hz
    return np.interp(seconds, [_HOLD_S, _MUTE_S], [1.0, 0.0]).astype(np.float32)


def _pitch_period(past: Samples, sample_rate_hz: int) -> int:
    """Return the lag, in samples, at which the last 20 ms match best what went before them."""
    shortest, longest = round(_SHORTEST_PITCH_S * sample_rate_hz), round(_LONGEST_PITCH_S * sample_rate_hz)
    match = round(_MATCH_S * sample_rate_hz)
    if past.size < match + longest:
        return longest
    recent = past[-match:].astype(np.float64)
    best, best_score = longest, 0.0
    for lag in range(shortest, longest + 1):
        earlier = past[-match - lag : -lag].astype(np.float64)
        energy = float((earlier * earlier).sum())
        score = float((recent * earlier).sum()) / np.sqrt(energy) if energy > 0.0 else 0.0
        if score > best_score:
            best, best_score = lag, score
    return best
