"""`mix`: several sources at once, each at its level, as one source."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext, RecordingsNeeded
from roomtone.augment.ops.sources.periodic_tone import PeriodicTone
from roomtone.augment.ops.table import Fetch, Source, parse_op, to_dict
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Mix(Source):
    """Several sources at once, each at its level: a machine with its fan, traffic with a crowd.

    Each part is the mapping of a source with `level_db` beside its fields (0 if left out). The ops here have one
    nominal level, so the parts keep their relation. Babble and recordings have no such level; a `recorded_cycle` has, and all of
    a mix share one folder.

    With `one_clock`, parts of different timbre are locked to one stroke: the first part with pulses is the clock, and every other
    `periodic_tone` with pulses starts its bursts when that one does, early or late with it.
    """

    op = "mix"

    parts: tuple[dict[str, Any], ...]
    one_clock: bool = False

    def __post_init__(self) -> None:
        if not self.parts:
            raise RoomtoneError("mix: parts is empty; give at least one source")
        self.recordings_needed()

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Draw each part from its own stream, so that a part added at the end moves no other."""
        drawn = []
        for source, level_db in self._sources():
            child = np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))
            drawn.append((source.draw(child, context), level_db))
        parts = [
            to_dict(source) | ({"level_db": level_db} if "level_db" in part else {})
            for part, (source, level_db) in zip(self.parts, self._locked(drawn))
        ]
        return dataclasses.replace(self, parts=tuple(parts))

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the sum, float32 [shape=(preroll_samples + num_samples,)]."""
        total = np.zeros(preroll_samples + num_samples)
        for source, level_db in self._sources():
            sound = source.render(num_samples, sample_rate_hz, fetch, preroll_samples=preroll_samples)
            total += 10.0 ** (level_db / 20.0) * sound.astype(np.float64)
        return total.astype(np.float32)

    def render_apart(
        self, num_samples: int, sample_rate_hz: int, fetch: Fetch, places: int, *, preroll_samples: int = 0
    ) -> list[Samples]:
        """Return the parts dealt out to places, float32 [shape=(preroll_samples + num_samples,)] each.

        Args:
            num_samples, sample_rate_hz, fetch, places, preroll_samples: see `Source.render_apart`.
        """
        totals: dict[int, Samples] = {}
        for number, (source, level_db) in enumerate(self._sources()):
            apart = source.render_apart(num_samples, sample_rate_hz, fetch, places, preroll_samples=preroll_samples)
            for offset, sound in enumerate(apart):
                place = (number + offset) % places
                totals[place] = totals.get(place, np.float32(0.0)) + np.float32(10.0 ** (level_db / 20.0)) * sound
        return [totals[place] for place in sorted(totals)]

    def sounding(self, num_samples: int, sample_rate_hz: int) -> np.ndarray:
        """Return where any part sounds, bool [shape=(num_samples,)]."""
        masks = [source.sounding(num_samples, sample_rate_hz) for source, _ in self._sources()]
        return np.logical_or.reduce(masks)

    def recordings_needed(self) -> RecordingsNeeded | None:
        """Return the folder of the parts that play a recorded cycle; None where there is no such part.

        Raises:
            RoomtoneError: they have different folders.
        """
        needed = {source.recordings_needed() for source, _ in self._sources()} - {None}
        if len(needed) > 1:
            raise RoomtoneError("mix: the recorded parts must have one path; put their recordings into one folder")
        return needed.pop() if needed else None

    def assets_used(self) -> tuple[str, ...]:
        """Return the ids of the recordings that the drawn parts play."""
        return tuple(dict.fromkeys(asset for source, _ in self._sources() for asset in source.assets_used()))

    @property
    def level_is_nominal(self) -> bool:
        """Whether the level keeps its relation in another mix: that of the parts does."""
        return True

    def _sources(self) -> list[tuple[Source, float]]:
        found = []
        for index, part in enumerate(self.parts):
            level = part.get("level_db", 0.0)
            if not isinstance(level, int | float) or isinstance(level, bool) or not np.isfinite(level):
                raise RoomtoneError(f"mix, part {index + 1}: level_db must be a number, got {level!r}")
            fields = {key: value for key, value in part.items() if key != "level_db"}
            source = parse_op(fields, Source, where=f"mix, part {index + 1}")
            if not source.level_is_nominal:
                raise RoomtoneError(
                    f"mix, part {index + 1}: {source.op} plays recordings of any level; a mix holds synthetic sources and recorded cycles only"
                )
            found.append((source, float(level)))
        return self._locked(found)

    def _locked(self, sources: list[tuple[Source, float]]) -> list[tuple[Source, float]]:
        """Return the sources with the timing of the clock; as they are where each has its own."""
        if not self.one_clock:
            return sources
        pulsed = [source for source, _ in sources if isinstance(source, PeriodicTone) and source.pulses]
        if len(pulsed) < 2 or not np.max(pulsed[0].period_s):
            raise RoomtoneError(
                "mix: one_clock needs two parts that are periodic_tone with pulses, the first of them with its period_s"
            )
        clock = pulsed[0]
        if clock.start_s is None and any(other.period_s not in (0.0, clock.period_s) for other in pulsed[1:]):
            raise RoomtoneError(
                "mix: with one_clock only the first part with pulses has a period_s; take out the others"
            )
        timing = {name: getattr(clock, name) for name in ("period_s", "jitter_s", "timing", "start_s")}
        if clock.start_s is not None:
            timing["clock_seed"] = clock.seed if clock.clock_seed is None else clock.clock_seed
        return [
            (dataclasses.replace(source, **timing) if source in pulsed[1:] else source, level_db)
            for source, level_db in sources
        ]
