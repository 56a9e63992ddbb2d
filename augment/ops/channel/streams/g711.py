"""G.711 in packets, concealed by ITU-T G.711 Appendix I (the algorithm of AT&T): a `StreamLibrary`.

The concealment works in frames of 10 ms at 8 kHz and delays by 30 samples, a quarter of the longest pitch period. At an erasure it looks
for the pitch between 66 and 200 Hz, continues with the last period, from the second frame on with the last two and then three, fades by a
fifth of the full level a frame from 10 ms on, is silent from 60 ms on, and goes over into the first good frame by overlap and add.

Source: ITU-T G.191's module of the appendix, read; the code here is our own. Held against that module, compiled, on speech with losses.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from roomtone.augment.ops.channel.streams.libraries import StreamSettings

_FRAME = 80
_SHORTEST, _LONGEST = 40, 120
_LONGEST_OVERLAP = _LONGEST // 4
_HISTORY = 3 * _LONGEST + _LONGEST_OVERLAP
_MATCH = 160
_LOWEST_ENERGY = 250.0
#: By how many samples the overlap at the end grows a frame of erasure, and by how much the gain falls.
_END_OVERLAP, _FADE = 32, 0.2
_SILENT_AFTER = 5


class G711:
    """One of the two laws, by libsndfile.

    Args:
        subtype: libsndfile's name of the law.
    """

    def __init__(self, subtype: str) -> None:
        self._subtype = subtype

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, frames.reshape(-1), settings.rate_hz, format="RAW", subtype=self._subtype)
        coded, size = buffer.getvalue(), settings.frame_samples
        return [coded[start : start + size] for start in range(0, len(coded), size)]

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        import soundfile

        silence = bytes(settings.frame_samples)
        stream = io.BytesIO(b"".join(packet or silence for packet in packets))
        bare = {"format": "RAW", "subtype": self._subtype, "samplerate": settings.rate_hz, "channels": 1}
        decoded, _ = soundfile.read(stream, dtype="int16", **bare)
        receiver, heard = Concealment(), []
        for index, packet in enumerate(packets):
            samples = decoded[index * settings.frame_samples : (index + 1) * settings.frame_samples]
            for frame in samples.reshape(-1, _FRAME):
                heard.append(receiver.good(frame) if packet else receiver.lost())
        return np.concatenate(heard).astype(np.int16) if heard else np.zeros(0, dtype=np.int16)


class Concealment:
    """A receiver that takes frames of 80 samples, good or lost, and gives as many back, 30 samples later."""

    def __init__(self) -> None:
        self._history = np.zeros(_HISTORY)
        self._erased = 0

    def good(self, frame: np.ndarray) -> np.ndarray:
        """Return the output of this frame; the frame is 16-bit samples [shape=(80,)]."""
        new = frame.astype(np.float64)
        if self._erased:
            size = min(self._overlap + (self._erased - 1) * _END_OVERLAP, _FRAME)
            gain = max(1.0 - (self._erased - 1) * _FADE, 0.0)
            new[:size] = _overlap_add(gain * self._next(size), new[:size])
            self._erased = 0
        return self._save(new)

    def lost(self) -> np.ndarray:
        """Return the output of a frame that did not arrive [shape=(80,)]."""
        if self._erased == 0:
            self._begin()
            made = self._next(_FRAME)
        elif self._erased > _SILENT_AFTER:
            made = np.zeros(_FRAME)
        else:
            made = self._with_one_period_more() if self._erased <= 2 else self._next(_FRAME)
            steps = np.arange(_FRAME) / _FRAME
            made = np.trunc(made * (1.0 - (self._erased - 1 + steps) * _FADE))
        self._erased += 1
        return self._save(made)

    def _save(self, new: np.ndarray) -> np.ndarray:
        self._history = np.concatenate([self._history[_FRAME:], new])
        return self._history[-_FRAME - _LONGEST_OVERLAP : -_LONGEST_OVERLAP].copy()

    def _begin(self) -> None:
        self._past = self._history.copy()
        self._pitch = pitch_period(self._past)
        self._overlap = self._pitch // 4
        self._last_quarter = self._past[-self._overlap :].copy()
        self._offset, self._periods = 0, 1
        self._close_the_loop()
        self._history[-self._overlap :] = np.trunc(self._past[-self._overlap :])

    def _with_one_period_more(self) -> np.ndarray:
        place = self._offset
        tail = self._next(self._overlap)
        while place > self._pitch:
            place -= self._pitch
        self._offset = place
        self._periods += 1
        self._close_the_loop()
        made = self._next(_FRAME)
        made[: self._overlap] = _overlap_add(tail, made[: self._overlap])
        return made

    def _close_the_loop(self) -> None:
        """Let the end of the repeated periods go over into what lies before their beginning, so that they repeat without a step."""
        start = _HISTORY - self._periods * self._pitch
        before = self._past[start - self._overlap : start]
        self._past[-self._overlap :] = _overlap_add(self._last_quarter, before, whole=False)

    def _next(self, size: int) -> np.ndarray:
        length = self._periods * self._pitch
        places = (self._offset + np.arange(size)) % length
        self._offset = (self._offset + size) % length
        return np.trunc(self._past[_HISTORY - length + places])


def _overlap_add(left: np.ndarray, right: np.ndarray, *, whole: bool = True) -> np.ndarray:
    """Return left fading into right, as whole numbers of 16 bits or not."""
    share = np.arange(1, left.size + 1) / left.size
    both: np.ndarray = (1.0 - share) * left + share * right
    return np.clip(np.trunc(both), -32768, 32767) if whole else both


def pitch_period(past: np.ndarray) -> int:
    """Return the lag from 40 to 120 samples at which the last 160 match best what went before them.

    Args:
        past: the last samples, float64 [shape=(at least 280,)].
    """

    def match(lag: int, step: int) -> float:
        earlier = past[past.size - _MATCH - lag : past.size - lag : step]
        energy = max(float(earlier @ earlier), _LOWEST_ENERGY)
        return float(earlier @ past[past.size - _MATCH :: step]) / float(np.sqrt(energy))

    coarse = max(range(_LONGEST, _SHORTEST - 1, -2), key=lambda lag: (match(lag, 2), -lag))  # of equals the shorter lag
    near = range(min(coarse + 1, _LONGEST), max(coarse - 1, _SHORTEST) - 1, -1)
    return max(near, key=lambda lag: match(lag, 1))
