"""Packets that arrive when the network lets them, and the buffer that plays them out: field `jitter` of `op: coded_stream`.

The network: each packet waits in queues for a time of its own (gamma distributed; with shape 1 exponential) beyond the least that
the way takes. Now and then the link stands still, for an exponential time; what was sent meanwhile arrives at its end, all at once: the
delay spike of Ramjee, Kurose, Towsley and Schulzrinne ("Adaptive playout mechanisms for packetized audio applications in wide-area
networks", INFOCOM 1994). Of a packet that is sent every T ms and waits for at most q ms, with outages beginning at a share p of the
packets and lasting M ms in the mean, the share in time is F(q) * product over j = 0, 1, … of 1 - p exp(-(q + j T) / M).

The buffer holds each packet until a playout delay after it was sent. What comes later is lost, and the decoder conceals it. The delay
aims at an order statistic of the last delays (Liang, Färber and Girod, "Adaptive playout scheduling and loss concealment for voice
communication over IP networks", IEEE Trans. Multimedia 5(4), 2003) and is led there inside speech by one period more or less at a
time. Its thresholds are those of WebRTC's NetEq, as read in its source: stretch below the lesser of 3/4 of the target and 85 ms under it, shorten
above the target and at least 20 ms above that limit, where the signal matches itself to 0.9 or is little above its background (8 times
its power), at most every 50 ms. Unlike NetEq it never waits for a late packet, so that more are lost in
an outage, and all would be behind a network whose least delay rises for good, which this one's does not.

The periods are those of the stream as it is decoded without loss; splices keep away from lost frames.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from roomtone.augment.ops.channel.streams.libraries import StreamSettings
from roomtone.augment.ops.channel.streams.time_scaling import LONGEST_S, Splice, longest_period, period_at
from roomtone.augment.ops.parts import Part
from roomtone.augment.ops.table import Drawn, number
from roomtone.core.errors import RoomtoneError

_NOT_DRAWN = "coded_stream, jitter: the delays are not drawn yet; call draw() first"
#: The call was on before the file began: so many packets are drawn before its first, and the target looks back over so many.
_HISTORY = 300
_WINDOW = 100
#: How fast the delay follows its target before the file, where there is no signal to look at: a period of 125 Hz every 100 ms.
_STEP_MS, _STEP_EVERY_MS = 8.0, 100.0
_LEAST_MATCH = 0.9
_PASSIVE = 8.0
_REST_MS = 50.0
_LOWER_SHARE, _LOWER_MS, _ABOVE_MS = 0.75, 85.0, 20.0
#: The target is a whole number of these.
_TARGET_STEP_MS = 20.0
#: The background is the quietest frame of the last second, once there are so many.
_BACKGROUND_S = 1.0
_BACKGROUND_FRAMES = 10


@dataclass(frozen=True)
class Jitter(Part):
    """A network that delays, and the buffer behind it; all times in ms.

    Attributes:
        mean_ms: mean time that a packet waits beyond the least.
        shape: of its gamma distribution; 1 is exponential, more is nearer to one constant time.
        outages_per_minute: how often the link stands still.
        outage_ms: for how long, in the mean.
        quantile: share of the last 100 delays that the target covers; it is rounded up to whole 20 ms, as NetEq's.
        lowest_ms, highest_ms: bounds of the target.
        delays_ms: of each packet, whole and rounded up: of 300 before the file, then of its own; drawn.
        splices: where the playout is stretched and shortened, `[sample at the codec's rate, samples more]`; null finds the places in
            the signal.
        file_start_samples: the sample of what is played with which the file begins; null leaves out the least energy.
        reserve_samples: how many samples at the end of what is sent lie behind the file; see `Settling.settled`.
    """

    drawn: ClassVar[frozenset[str]] = frozenset({"delays_ms", "splices", "file_start_samples", "reserve_samples"})
    mean_ms: Drawn
    shape: float = 1.0
    outages_per_minute: Drawn = 0.0
    outage_ms: Drawn = 100.0
    quantile: float = 0.97
    lowest_ms: float = 20.0
    highest_ms: float = 400.0
    delays_ms: tuple[int, ...] | None = None
    splices: tuple[tuple[int, int], ...] | None = None
    file_start_samples: int | None = None
    reserve_samples: int = 0

    def __post_init__(self) -> None:
        for name, value, lowest, highest in (
            ("mean_ms", self.mean_ms, 0.0, 1000.0),
            ("shape", self.shape, 0.1, 100.0),
            ("outages_per_minute", self.outages_per_minute, 0.0, 600.0),
            ("outage_ms", self.outage_ms, 1.0, 5000.0),
            ("quantile", self.quantile, 0.5, 1.0),
            ("lowest_ms", self.lowest_ms, 0.0, 2000.0),
            ("highest_ms", self.highest_ms, self.lowest_ms, 2000.0),
        ):
            if not lowest <= np.min(value) <= np.max(value) <= highest:
                slip = " (in seconds?)" if name.endswith("_ms") and 0.0 < np.max(value) < lowest else ""
                got = list(value) if isinstance(value, tuple) else value
                raise RoomtoneError(f"{name}: must lie in {lowest:g}..{highest:g}, got {got}{slip}")

    def draw(self, rng: np.random.Generator, packets: int, frame_ms: float) -> Self:
        """Return the jitter with its numbers and the delay of every packet drawn.

        Args:
            rng: the generator of this draw.
            packets: of the file.
            frame_ms: from one to the next.
        """
        pinned = self._pinned(rng)
        if self.delays_ms is not None:
            return pinned
        count = _HISTORY + packets
        mean_ms, outage_ms = number(pinned.mean_ms), number(pinned.outage_ms)
        queued = rng.gamma(self.shape, mean_ms / self.shape, count)
        begins = rng.random(count) < number(pinned.outages_per_minute) * frame_ms / 60_000.0
        sent = frame_ms * np.arange(count)
        ends = np.where(begins, sent + rng.exponential(outage_ms, count), 0.0)
        delays = np.maximum(queued, np.maximum.accumulate(ends) - sent)
        return dataclasses.replace(pinned, delays_ms=tuple(int(delay) for delay in np.ceil(delays)))

    def most_removed_ms(self) -> float:
        """Return how much time the buffer can take out of a file in all, at most.

        It begins with no more delay than the longest target before the file, one step of the approach and the least target there is
        room for. No splice begins at less delay than the lowest target, and each removes one period.

        Raises:
            RoomtoneError: the delays are not drawn yet.
        """
        if self.delays_ms is None:
            raise RoomtoneError(_NOT_DRAWN)
        longest = _TARGET_STEP_MS * math.ceil(max(self.delays_ms[:_HISTORY], default=0) / _TARGET_STEP_MS)
        begins = min(max(longest, self.lowest_ms), self.highest_ms) + _STEP_MS
        return begins - self.lowest_ms + 1000.0 * LONGEST_S

    def _pinned(self, rng: np.random.Generator) -> Self:
        """Return the jitter with each range replaced by one number; three are drawn, whether they are ranges or not."""
        changes: dict[str, Drawn] = {}
        for name in ("mean_ms", "outages_per_minute", "outage_ms"):
            value, share = getattr(self, name), float(rng.random())
            changes[name] = value[0] + (value[1] - value[0]) * share if isinstance(value, tuple) else value
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


class Playout(NamedTuple):
    """How a stream was played out.

    Attributes:
        late: frames whose packet came too late.
        ahead: for each frame whether the next packet was there when it was due.
        splices: by which it was stretched and shortened.
    """

    late: frozenset[int]
    ahead: list[bool]
    splices: tuple[Splice, ...]


def play_out(
    jitter: Jitter, whole: np.ndarray, arrives: Sequence[bool], waits: Sequence[bool], settings: StreamSettings
) -> Playout:
    """Return how a stream is played out.

    Args:
        jitter: drawn.
        whole: the stream decoded without loss, int16 [shape=(samples,)].
        arrives: for each packet of the file whether the network brings it.
        waits: likewise whether there is a packet to wait for; a pause that was not sent is never late.
        settings: of the stream.

    Raises:
        RoomtoneError: the delays are not drawn yet.
    """
    if jitter.delays_ms is None:
        raise RoomtoneError(_NOT_DRAWN)
    frames = len(arrives)
    past = np.full(_HISTORY + frames, np.inf)
    drawn = np.array(jitter.delays_ms[: past.size], dtype=np.float64)
    past[: drawn.size] = drawn
    past[_HISTORY:][~np.array(arrives, dtype=bool)] = np.inf
    buffer = _Buffer(jitter, past, whole, settings)
    late, ahead = [], []
    for frame in range(frames):
        ahead.append(buffer.there(frame + 1))
        if waits[frame] and arrives[frame] and not buffer.there(frame):
            late.append(frame)
        buffer.step()
    return Playout(frozenset(late), ahead, tuple(buffer.splices))


class _Buffer:
    """The playout of one stream, frame by frame.

    Args:
        jitter: drawn.
        delays_ms: of each packet, from 300 before the file on; infinite for what never arrives.
        whole: the stream decoded without loss.
        settings: of the stream.
    """

    def __init__(self, jitter: Jitter, delays_ms: np.ndarray, whole: np.ndarray, settings: StreamSettings) -> None:
        self._jitter, self._delays_ms, self._whole = jitter, delays_ms, whole
        self._rate_hz, self._size = settings.rate_hz, settings.frame_samples
        self._frame_ms = 1000.0 * self._size / self._rate_hz
        self._arrivals_ms = delays_ms + self._frame_ms * (np.arange(delays_ms.size) - _HISTORY)
        self._reach = longest_period(self._rate_hz)
        frames = whole[: whole.size // self._size * self._size].reshape(-1, self._size)
        self._powers = (frames.astype(np.int64) ** 2).mean(axis=1)
        self._given = None if jitter.splices is None else [Splice(*splice) for splice in jitter.splices]
        self.splices: list[Splice] = []
        self._frame = _WINDOW - _HISTORY
        self._played: list[bool] = []
        self._rests_until = self._frame
        self._delay = round(self._target_ms(self._frame * self._frame_ms) * self._rate_hz / 1000.0)
        while self._frame < 0:
            self._step_before_the_file()

    def there(self, frame: int) -> bool:
        """Return whether the packet of a frame has arrived when the present frame is due; frames behind the file's have."""
        index = _HISTORY + frame
        return index >= self._arrivals_ms.size or bool(self._arrivals_ms[index] <= self._due_ms())

    def step(self) -> None:
        """Decide over the present frame, and go on to the next."""
        self._played.append(self.there(self._frame))
        splice = self._decided()
        if splice is not None:
            self.splices.append(splice)
            self._delay += splice.samples
            self._rests_until = self._frame + math.ceil(_REST_MS / self._frame_ms)
        self._frame += 1

    def _step_before_the_file(self) -> None:
        sign = self._wanted()
        if sign and self._frame >= self._rests_until:
            self._delay += sign * round(_STEP_MS * self._rate_hz / 1000.0)
            self._rests_until = self._frame + math.ceil(_STEP_EVERY_MS / self._frame_ms)
        self._frame += 1

    def _due_ms(self) -> float:
        return self._frame * self._frame_ms + self._delay_ms()

    def _delay_ms(self) -> float:
        return 1000.0 * self._delay / self._rate_hz

    def _target_ms(self, due_ms: float) -> float:
        """Return the playout delay to aim at: the order statistic of the last delays that are known by now."""
        last = slice(self._frame + _HISTORY - _WINDOW, self._frame + _HISTORY)
        known = np.sort(self._delays_ms[last][self._arrivals_ms[last] <= due_ms])
        covered = known[math.ceil(self._jitter.quantile * known.size) - 1] if known.size else 0.0
        covered = _TARGET_STEP_MS * math.ceil(covered / _TARGET_STEP_MS)
        return float(min(max(covered, self._jitter.lowest_ms), self._jitter.highest_ms))

    def _decided(self) -> Splice | None:
        """Return the splice of the present frame, or None."""
        start = self._frame * self._size
        if self._given is not None:
            inside = [splice for splice in self._given if self._home(splice) == self._frame]
            return inside[0] if inside else None
        if self._frame < self._rests_until:
            return None
        sign = self._wanted()
        return None if sign == 0 else self._splice(start if sign > 0 else start + self._reach, sign)

    def _wanted(self) -> int:
        """Return 1 where the delay is too short for its target, -1 where it is too long, else 0."""
        target_ms = self._target_ms(self._due_ms())
        lower_ms = max(_LOWER_SHARE * target_ms, target_ms - _LOWER_MS)
        if self._delay_ms() < lower_ms:
            return 1
        return -1 if self._delay_ms() > max(target_ms, lower_ms + _ABOVE_MS) else 0

    def _home(self, splice: Splice) -> int:
        """Return the frame at whose turn a splice was decided."""
        return (splice.at if splice.samples > 0 else splice.at - self._reach) // self._size

    def _splice(self, at: int, sign: int) -> Splice | None:
        """Return a splice at a sample, where all about it is there and a period fits; else None."""
        first, last = at - self._reach, at + self._reach
        if first < 0 or last > self._whole.size:
            return None
        frames = range(first // self._size, (last - 1) // self._size + 1)
        if not all(self._played[frame] if frame <= self._frame else self.there(frame) for frame in frames):
            return None
        period = period_at(self._whole, at, self._rate_hz)
        heard = self._powers[max(self._frame - round(_BACKGROUND_S * 1000.0 / self._frame_ms), 0) : self._frame + 1]
        passive = heard.size >= _BACKGROUND_FRAMES and period.power <= _PASSIVE * heard.min()
        if period.match < _LEAST_MATCH and not passive:
            return None
        return Splice(at, sign * period.samples)
