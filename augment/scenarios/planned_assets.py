"""What a render will draw, known before it is rendered, so that a cap on the use of a recording or realisation can hold.

Which realisation of a room a render draws follows from the seed, the utterance, the condition and the replicate alone
(`rendering/recipe.py`), and is named exactly. Recordings of noise take turns over a run's samples, so that all recordings of one
preset are one pool, whichever conditions play them.
"""

from __future__ import annotations

from collections.abc import Mapping

from roomtone.augment.recordings.layouts import scan_noise
from roomtone.augment.scenarios.conditions import ConditionLevels, Level
from roomtone.core.random_streams import stream


class PlannedAssets:
    """Names the assets of renders, see `coverage.fill.inputs.AssetsOf`.

    Attributes:
        pool_sizes: how many recordings a name stands for, where it is a pool.
    """

    def __init__(self, conditions: Mapping[str, ConditionLevels], seed: int, *, common_draws: bool) -> None:
        """Take in the conditions.

        Args:
            conditions: by name.
            seed: of the run.
            common_draws: whether conditions that share a level draw the same for it.
        """
        self.pool_sizes: dict[str, int] = {}
        self._seed, self._common = seed, common_draws
        self._pools: dict[str, list[str]] = {}
        self._rooms: dict[str, tuple[str, int]] = {}
        for name, condition in conditions.items():
            self._pools[name] = [pool for level in condition.levels.values() if (pool := self._pool(level)) is not None]
            room = condition.levels.get("room")
            if room is not None and room.op.num_realisations is not None:
                self._rooms[name] = room.preset, room.op.num_realisations

    def _pool(self, level: Level) -> str | None:
        """Return the pool of recordings that a level plays, None where it plays none."""
        needed = level.op.recordings_needed()
        if needed is None or needed.path is None:
            return None
        pool = f"{needed.path} ({needed.layout})"
        if pool not in self.pool_sizes:
            self.pool_sizes[pool] = len(scan_noise(needed.path, needed.layout))
        return pool

    def __call__(self, utterance: str, condition: str, replicate: int) -> list[str]:
        """Return the names of what a render will draw.

        Args:
            utterance: its id.
            condition: name of the condition.
            replicate: number of the replicate.
        """
        room = self._rooms.get(condition)
        if room is None:
            return self._pools[condition]
        preset, count = room
        rng = stream(self._seed, utterance, preset if self._common else condition, replicate, "room")
        return [*self._pools[condition], f"room {preset} {int(rng.integers(count)) if count > 1 else 0}"]
