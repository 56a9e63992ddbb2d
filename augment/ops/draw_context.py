"""What an op may know when it draws: length and rate of the file, and the recordings at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Asset:
    """One recording an op may draw from: its id, length in samples at the set's rate, and the group it belongs to.

    Two assets of one group (a talker's utterances, fragments of one source recording) are not independent.
    """

    id: str
    num_samples: int
    group: str


@dataclass(frozen=True)
class RecordingsNeeded:
    """Which recordings an op draws from; the caller finds them and offers them as the `assets` of a `DrawContext`.

    Attributes:
        path: a file or a folder; None for speech of the corpus's own talkers.
        layout: how the folder is laid out, see `recordings.layouts`.
        split: only this part of the folder; None for all of it.
        talkers: voices that sound at once, where `path` is None.
    """

    path: str | None = None
    layout: str = "folder"
    split: str | None = None
    talkers: int = 0

    @property
    def in_turn(self) -> bool:
        """Whether each recording is to be played once before any is played again."""
        return self.path is not None


@dataclass(frozen=True)
class DrawContext:
    """What an op may know when it draws.

    Attributes:
        num_samples: length of the file.
        sample_rate_hz: its rate, Hz.
        assets: the recordings at hand.
        sounding: returns which frames of a recording sound, by its id (`recordings.sounding`); None where recordings are not read.
    """

    num_samples: int
    sample_rate_hz: int
    assets: Sequence[Asset] = ()
    sounding: Callable[[str], np.ndarray] | None = None
