"""How much less the voice radiates to the side and to the back than ahead, by octave band.

Levels are those of B. B. Monson, E. J. Hunter and B. H. Story, "Horizontal directivity of low- and high-frequency energy in speech and
singing", J. Acoust. Soc. Am. 132, 433 (2012): running speech at normal effort, mean of men and women, in the horizontal plane, in steps of
15 degrees (read at second hand, in a program that cites the paper). The voice is taken as symmetric about the axis of the mouth, so
that the angle alone counts; real heads shade a little more above and less below.

The direct sound and each image source have the gain of the angle at which their path leaves the mouth. What is traced as rays has left in
every direction, so it has the mean of the power over the sphere.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

#: Angles between the axis of the mouth and the path, degrees.
ANGLES_DEG = tuple(range(0, 181, 15))
#: Level re straight ahead in dB, one row an angle, in the octaves of `bands.ALL_CENTRES_HZ` (125 Hz to 16 kHz).
LEVELS_DB = (
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.8, 0.7, 0.6, -0.2, -1.0, -1.7, -1.0, -0.1),
    (-0.1, -0.2, 0.1, -0.7, -0.1, -0.7, -1.7, -0.5),
    (-0.4, -0.5, 0.0, -1.4, -0.8, -1.6, -3.1, -2.3),
    (-0.6, -0.8, -0.1, -1.5, -2.5, -3.9, -5.8, -4.4),
    (-1.1, -1.6, -0.7, -1.4, -4.7, -5.3, -7.0, -5.1),
    (-1.6, -2.3, -1.6, -1.6, -7.0, -6.3, -8.7, -7.2),
    (-2.1, -3.1, -2.8, -2.5, -7.6, -9.0, -11.5, -10.1),
    (-2.7, -3.9, -4.4, -4.6, -7.9, -12.7, -15.0, -14.2),
    (-3.1, -4.5, -5.5, -7.0, -9.3, -14.5, -17.8, -17.8),
    (-3.5, -4.9, -6.0, -7.9, -13.0, -16.7, -21.5, -21.7),
    (-3.6, -5.0, -6.0, -6.9, -15.0, -21.0, -25.0, -23.5),
    (-3.6, -5.1, -5.9, -6.3, -13.1, -18.9, -26.3, -26.7),
)


def gains(angles_deg: np.ndarray) -> np.ndarray:
    """Return the gain of pressure re straight ahead, float64 [shape=(octaves, angles)], linear in dB between the angles of the table.

    Args:
        angles_deg: between the axis of the mouth and the path, 0 to 180 [shape=(angles,)].
    """
    levels_db = np.array([np.interp(angles_deg, ANGLES_DEG, column) for column in zip(*LEVELS_DB)])
    gain: np.ndarray = 10.0 ** (levels_db / 20.0)
    return gain


@functools.cache
def mean_gains() -> tuple[float, ...]:
    """Return the root of the power radiated over the sphere re that of a source that radiates ahead's level everywhere, one an octave."""
    angles = (np.arange(1800) + 0.5) / 10.0
    weights = np.sin(np.radians(angles))
    power = (gains(angles) ** 2 * weights).sum(axis=1) / weights.sum()
    return tuple(float(value) for value in np.sqrt(power))


def axis_of(
    talker_m: Sequence[float], microphone_m: Sequence[float], facing_deg: float, *, to_the_left: bool
) -> list[float]:
    """Return the horizontal axis of a mouth that is turned away from the microphone, a unit vector.

    Args:
        talker_m, microphone_m: places in the room.
        facing_deg: 0 faces the microphone, 180 turns the back to it, in degrees.
        to_the_left: which way it is turned.
    """
    towards = math.atan2(microphone_m[1] - talker_m[1], microphone_m[0] - talker_m[0])
    angle = towards + math.radians(facing_deg if to_the_left else -facing_deg)
    return [math.cos(angle), math.sin(angle), 0.0]


def departures_deg(
    images_m: np.ndarray,
    talker_m: Sequence[float],
    microphone_m: Sequence[float],
    dimensions_m: Sequence[float],
    axis: Sequence[float],
) -> np.ndarray:
    """Return at which angle from the axis of the mouth the path of each image source leaves the real one, degrees [shape=(images,)].

    An image in a wall across an axis is mirrored along it, and so is the direction in which its path leaves.

    Args:
        images_m: places of the images [shape=(3, images)].
        talker_m, microphone_m, dimensions_m: of the room.
        axis: unit vector of the mouth.
    """
    sizes = 2.0 * np.array(dimensions_m)[:, None]
    shift = (images_m - np.array(talker_m)[:, None]) / sizes
    mirrored = np.abs(shift - np.round(shift)) * sizes > 1e-6
    paths = np.array(microphone_m)[:, None] - images_m
    paths = np.where(mirrored, -paths, paths) / np.linalg.norm(paths, axis=0)
    angles: np.ndarray = np.degrees(np.arccos(np.clip(np.array(axis) @ paths, -1.0, 1.0)))
    return angles
