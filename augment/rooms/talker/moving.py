"""A talker who walks: positions over time, what arrives of the direct sound, and between which responses the rest is cross-faded.

The direct sound is exact: it is delayed by the way it travels, which changes as the talker walks (so its pitch does, too: the Doppler effect),
and its level goes as one over the distance. Reflections and reverberation are made from the speech with that delay, so they share
the direct sound's Doppler shift, where in a real room each has the one of its own path. They come through responses at places along the path,
at most `STEP_M` apart; speech is faded from one to the next with gains whose squares add up to one, since their tails are independent. Time is
counted so that the first sample is in time: what arrives later, or sooner, than at the start is in the time map.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rooms.simulate import DIRECT_SAMPLE, speed_of_sound
from roomtone.core.audio.convolution import ImpulseResponse, convolve_sum
from roomtone.core.audio.types import Samples

#: Places at which responses are simulated are no further apart than this, metres.
STEP_M = 0.5
#: The talker never comes nearer to the microphone than this, metres.
NEAREST_M = 0.3
#: Taps of the windowed sinc that reads between samples, on either side.
_HALF = 24
#: Spacing of the time map, s.
_MAP_S = 0.25


@dataclass(frozen=True)
class TalkerPath:
    """Where the mouth is, and when; straight between the points, standing before the first and after the last.

    Attributes:
        times_s: of the points, ascending from 0 [shape=(points,)].
        places_m: of the mouth [shape=(points, 3)].
        rows: which response holds at each point, counted along the path; between points it is a fraction [shape=(points,)].
        microphone_m: place of the microphone.
        speed_m_s: speed of sound.
    """

    times_s: np.ndarray
    places_m: np.ndarray
    rows: np.ndarray
    microphone_m: np.ndarray
    speed_m_s: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> TalkerPath:
        """Return the path of a realisation.

        Args:
            parameters: of the realisation: `path` is `[[time in s, x, y], …]`; the mouth keeps the height of `talker_m`.
        """
        height = parameters["talker_m"][2]
        points = [(float(time_s), np.array([x, y, height])) for time_s, x, y in parameters["path"]]
        rows, row = [0.0], 0
        for (_, before), (_, after) in itertools.pairwise(points):
            row += math.ceil(math.dist(before, after) / STEP_M - 1e-9)
            rows.append(float(row))
        speed = speed_of_sound(parameters["temperature_c"], parameters["humidity_percent"])
        times, places = np.array([time_s for time_s, _ in points]), np.array([place for _, place in points])
        return cls(times, places, np.array(rows), np.array(parameters["microphone_m"]), speed)

    def row_places_m(self) -> np.ndarray:
        """Return the places at which responses are simulated [shape=(rows, 3)]."""
        kept = np.flatnonzero(np.diff(self.rows, prepend=-1.0) > 0)
        wanted = np.arange(round(self.rows[-1]) + 1)
        return np.stack([np.interp(wanted, self.rows[kept], axis[kept]) for axis in self.places_m.T], axis=1)

    def distances_m(self, times_s: np.ndarray) -> np.ndarray:
        """Return the distance from mouth to microphone at the given times in s."""
        places = np.stack([np.interp(times_s, self.times_s, axis) for axis in self.places_m.T], axis=-1)
        distances: np.ndarray = np.linalg.norm(places - self.microphone_m, axis=-1)
        return distances

    def heard_s(self, sent_s: np.ndarray) -> np.ndarray:
        """Return when the direct sound is heard that is sent at the given times, s; at the start both are 0."""
        distances = self.distances_m(np.concatenate([[0.0], np.ravel(sent_s)]))
        heard: np.ndarray = sent_s + (distances[1:] - distances[0]) / self.speed_m_s
        return heard

    def sent_s(self, heard_s: np.ndarray) -> np.ndarray:
        """Return when the direct sound was sent that is heard at the given times, s."""
        sent = heard_s
        for _ in range(8):  # each step is nearer by the speed of the talker over that of sound
            sent = sent + (heard_s - self.heard_s(sent))
        return sent

    def time_map(self, duration_s: float) -> list[list[float]]:
        """Return `[[time in the clean speech, time in the file], …]` in s, to be read with straight lines between.

        Args:
            duration_s: length of the file.
        """
        sent = np.unique(np.concatenate([np.arange(0.0, duration_s, _MAP_S), [duration_s]]))
        return [[round(float(s), 6), round(float(h), 6)] for s, h in zip(sent, self.heard_s(sent))]

    def weights(self, times_s: np.ndarray) -> np.ndarray:
        """Return the gain of each response at the given times; their squares add up to one [shape=(rows, times)]."""
        row = np.interp(times_s, self.times_s, self.rows)
        distance = np.abs(row[None, :] - np.arange(round(self.rows[-1]) + 1)[:, None])
        gains: np.ndarray = np.cos(0.5 * np.pi * np.minimum(distance, 1.0))
        return gains

    def response_at(self, time_s: float, rows: np.ndarray) -> np.ndarray:
        """Return the response in force at a time, float64 [shape=(samples,)]: the direct sound of the start is 1.

        Args:
            time_s: since the start, s.
            rows: responses along the path without their direct sound [shape=(rows, samples)].
        """
        now = np.array([time_s])
        response: np.ndarray = self.weights(now)[:, 0] @ np.asarray(rows, dtype=np.float64)
        response[DIRECT_SAMPLE] += (self.distances_m(np.zeros(1)) / self.distances_m(now))[0]
        return response


def walk(samples: Samples, path: TalkerPath, responses: Sequence[ImpulseResponse], sample_rate_hz: int) -> Samples:
    """Return speech as a microphone hears it from a talker who walks, float32 [shape=(samples,)].

    Args:
        samples: what is said, float32 [shape=(samples,)].
        path: where it is said.
        responses: along the path, without their direct sound.
        sample_rate_hz: rate in Hz.
    """
    sent_s = path.sent_s(np.arange(samples.size) / sample_rate_hz)
    delayed = _read_between(samples, sent_s * sample_rate_hz)
    distances = path.distances_m(sent_s)
    direct = delayed * (path.distances_m(np.zeros(1)) / distances)
    weights = path.weights(sent_s)
    used = [int(row) for row in np.flatnonzero(weights.any(axis=1))]
    parts = [(delayed * weights[row]).astype(np.float32) for row in used]
    around = convolve_sum(parts, [responses[row] for row in used], DIRECT_SAMPLE, samples.size)
    heard: Samples = direct.astype(np.float32) + around
    return heard


def _read_between(samples: Samples, positions: np.ndarray) -> np.ndarray:
    """Return a signal at fractional positions by a sinc with a Kaiser window, float64 [shape=(positions,)]; whole ones are exact."""
    padded = np.concatenate([np.zeros(_HALF), samples, np.zeros(_HALF + 1)])
    whole = np.floor(positions).astype(np.int64)
    share = positions - whole
    out = np.zeros(positions.size)
    for tap in range(1 - _HALF, _HALF + 1):
        away = share - tap
        window = np.i0(8.0 * np.sqrt(np.maximum(1.0 - (away / _HALF) ** 2, 0.0))) / np.i0(8.0)
        places = np.clip(whole + tap + _HALF, 0, padded.size - 1)
        out += padded[places] * np.sinc(away) * window
    return out
