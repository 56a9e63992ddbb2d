"""Speech of a talker who walks, at the microphone, and what is measured where the walk begins and where the file ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import room_figures, rounded_octaves
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry, claimed_octaves_hz
from roomtone.augment.rooms.talker.moving import TalkerPath
from roomtone.core.audio.convolution import ImpulseResponse, convolve
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.audio.types import Samples

#: Why a row of a walking talker has no single delay.
MOVES = "the talker moves, so no one delay holds; see time_map"
#: Why it has no single figures of its room either, and their columns; T30 differs by more between two places than a label may (`tolerances`).
MOVES_IN_ROOM = "the talker moves, so no one response holds; see measured_path_ends"
ROOM_FIGURES = ("measured_t30_s", "measured_t30_octaves", "measured_c50_db", "measured_drr_db")


@dataclass(frozen=True)
class Walk:
    """What is known of one walk.

    Attributes:
        time_map: `[[time in the clean speech, time in the file], …]`, s.
        ends: figures at the `start` and at the `end` of the file; `level_dbov` is that of the whole speech from there, at the gain of the file's,
            and `t30_octaves` a mapping of centres in Hz to s, of a room of materials.
    """

    time_map: list[list[float]]
    ends: dict[str, dict[str, Any]]

    def columns(self, noise_dbov: float | None, equipment_dbov: float | None) -> dict[str, str]:
        """Return the manifest columns of the walk: SNRs at both ends are those of the whole speech, said from there.

        Args:
            noise_dbov, equipment_dbov: RMS of the noise, and of the equipment while it sounds; None without one.
        """
        told: dict[str, dict[str, Any]] = {}
        for end, figures in self.ends.items():
            rest = dict(figures)
            level_dbov, octaves = rest.pop("level_dbov"), rest.pop("t30_octaves")
            snrs = {"snr_db": noise_dbov, "equipment_snr_db": equipment_dbov}
            rest |= {name: level_dbov - level for name, level in snrs.items() if level is not None}
            told[end] = {name: round(value, 3) for name, value in rest.items()}
            told[end] |= {"t30_octaves": octaves} if octaves else {}
        return {"time_map": json.dumps(self.time_map), "measured_path_ends": json.dumps(told)}


def measured_walk(clean: Samples, gain: float, entry: RoomEntry, path: TalkerPath, sample_rate_hz: int) -> Walk:
    """Return the figures of a walk at both ends, measured on the responses that are in force there.

    Args:
        clean: the speech before the room, float32 [shape=(samples,)].
        gain: with which the speech at the microphone was brought to its level.
        entry: the realised room.
        path: its talker's.
        sample_rate_hz: in Hz.
    """
    duration_s = clean.size / sample_rate_hz
    ends = {"start": 0.0, "end": float(path.sent_s(np.array([duration_s]))[0])}
    return Walk(
        path.time_map(duration_s),
        {end: _figures(clean, gain, entry, path, time_s, sample_rate_hz) for end, time_s in ends.items()},
    )


def _figures(
    clean: Samples, gain: float, entry: RoomEntry, path: TalkerPath, time_s: float, sample_rate_hz: int
) -> dict[str, Any]:
    response = path.response_at(time_s, entry.along_path)
    found, octaves = room_figures(response, sample_rate_hz, DIRECT_SAMPLE, claimed_octaves_hz(entry.parameters))
    heard = convolve(clean, ImpulseResponse(response.astype(np.float32)), DIRECT_SAMPLE, clean.size)
    level = active_speech_level(heard * np.float32(gain), sample_rate_hz)
    known = {"distance_m": float(path.distances_m(np.array([time_s]))[0]), "level_dbov": level.level_dbov}
    known |= {name: value for name, value in found.items() if np.isfinite(value)}
    return {**known, "t30_octaves": rounded_octaves(octaves)}
