"""One realised room: its responses, what was measured on them, and the numbers that make them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rooms.talker.moving import TalkerPath
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.random_streams import content_key

#: Raised when the meaning of a bank's numbers or arrays changes.
FORMAT = 1


@dataclass(frozen=True)
class RoomEntry:
    """One realised room.

    Attributes:
        id: content key of its parameters and rate.
        speech, noise, equipment: responses to one microphone, float32 [shape=(samples,)], direct sound at `DIRECT_SAMPLE`
            (1.0 for the talker; a `diffuse` place has its time there, but no direct sound).
        waves: responses of the directions of a diffuse noise [shape=(directions, samples)]; none where the preset does not ask for them.
        along_path: what follows the direct sound at the places of a talker who walks [shape=(places, samples)]; none where nobody does.
        t30_s, c50_db, drr_db: measured on `speech`; `t30_s` of a room of materials is the mean of 500 and 1000 Hz.
        t60_s: what was asked for, or None for a recorded room.
        talker_distance_m, dimensions_m: geometry, or None where it is not known.
        parameters: the numbers that make it, JSON-able.
        t30_octaves_s: [centre in Hz, T30 measured on `speech` or None] of a room of materials, empty for others.
    """

    id: str
    speech: np.ndarray
    noise: np.ndarray
    equipment: np.ndarray
    waves: np.ndarray
    along_path: np.ndarray
    t30_s: float
    c50_db: float
    drr_db: float
    t60_s: float | None
    talker_distance_m: float | None
    dimensions_m: tuple[float, ...] | None
    parameters: dict[str, Any]
    t30_octaves_s: list[tuple[float, float | None]]

    @functools.cached_property
    def responses(self) -> dict[str, ImpulseResponse]:
        """The three responses as filters, by the name of the source."""
        return {name: ImpulseResponse(getattr(self, name)) for name in ("speech", "noise", "equipment")}

    @functools.cached_property
    def wave_responses(self) -> tuple[ImpulseResponse, ...]:
        """The directions of a diffuse noise as filters."""
        return tuple(map(ImpulseResponse, self.waves))

    @functools.cached_property
    def path(self) -> TalkerPath | None:
        """The way of a talker who walks, or None."""
        return TalkerPath.of(self.parameters) if "path" in self.parameters else None

    @functools.cached_property
    def path_responses(self) -> tuple[ImpulseResponse, ...]:
        """The places along the path as filters."""
        return tuple(map(ImpulseResponse, self.along_path))


def entry_of(
    parameters: dict[str, Any], arrays: np.ndarray, sample_rate_hz: int, measured: Mapping[str, Any]
) -> RoomEntry:
    """Return the realisation with these numbers.

    Args:
        parameters: that make it.
        arrays: its responses: talker, noise, equipment, the directions of a diffuse noise, the places of a path [shape=(responses, samples)].
        sample_rate_hz: their rate in Hz.
        measured: what was measured on the talker's.
    """
    dimensions = parameters.get("dimensions_m")
    waves = 3 + int(parameters.get("noise_directions", 0))
    return RoomEntry(
        id=content_key("room", FORMAT, parameters, sample_rate_hz)[:16],
        speech=arrays[0],
        noise=arrays[1],
        equipment=arrays[2],
        waves=arrays[3:waves],
        along_path=arrays[waves:],
        t60_s=parameters.get("t60_s"),
        talker_distance_m=parameters.get("talker_distance_m"),
        dimensions_m=None if dimensions is None else tuple(dimensions),
        parameters=parameters,
        **measured,
    )
