"""A handset as a chain of processors, in the order of ITU-T listening tests: `op: chain`.

Response, self-noise, automatic gain or limiter, clipping, band filter, codec, packet loss with concealment; the level is set
by the renderer afterwards. The stages may be any processors of the op table, in any order, chains included.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from roomtone.augment.ops.channel.filters import apply_fir
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.settling import Settling
from roomtone.augment.ops.table import Processor
from roomtone.core.audio.time_map import added_and_removed_s, then
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Chain(Settling):
    """Processors one after the other; each has its own stream of draws, so a stage added at the end moves none.

    Attributes:
        stages: the processors, in the order in which the signal passes them.
    """

    op: ClassVar[str] = "chain"
    stages: tuple[Processor, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise RoomtoneError(
                "chain: stages: expected at least one stage, got none; without a handset write handset=none"
            )

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        key = int(rng.integers(2**63))
        drawn = tuple(
            stage.draw(np.random.Generator(np.random.Philox(key=[key, index])), context)
            for index, stage in enumerate(self.stages)
        )
        return dataclasses.replace(self, stages=drawn)

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the samples after the last stage, float32 [shape=(samples,)], and what the stages measured, merged.

        Keys, where a stage has them: `clipped_share` (sum over the stages, at most 1), `codec`, `codec_rate_hz`,
        `codec_kbit_s` (of several codecs: the names joined by `+`, the lowest figures), `lost_share` (of several: at
        least one lost), `frames_lost`, `frames_affected` (sums), `time_map` (one after the other), `time_added_s`
        and `time_removed_s` (of that map), `audiomentations` (one record a stage).

        Raises:
            RoomtoneError: a stage changed the length or made values that are not finite.
        """
        report: dict[str, Any] = {}
        out = np.array(samples, dtype=np.float32)
        for index, stage in enumerate(self.stages):
            before = out.size
            out, found = stage.apply_measured(out, sample_rate_hz)
            if out.size != before or not np.isfinite(out).all():
                raise RoomtoneError(
                    f"stage {index} (op {stage.op}): {before} samples in, {out.size} out, "
                    f"{np.count_nonzero(~np.isfinite(out))} of them not finite"
                )
            report = merge_reports(report, found)
        return out, report

    @property
    def settles(self) -> bool:
        """Whether a stage decides anything by the signal."""
        return any(isinstance(stage, Settling) and stage.settles for stage in self.stages)

    def reserve_samples(self, sample_rate_hz: int) -> int:
        """Return of how many samples behind the end of a file something may be heard in it: the sum over the stages."""
        return sum(stage.reserve_samples(sample_rate_hz) for stage in self.stages if isinstance(stage, Settling))

    def settled(self, samples: Samples, sample_rate_hz: int, reserve_samples: int = 0) -> Self:
        """Return the chain with every stage settled for what reaches it of this signal, see `Settling`."""
        stages, out = list(self.stages), np.array(samples, dtype=np.float32)
        settling = {index: stage for index, stage in enumerate(stages) if isinstance(stage, Settling) and stage.settles}
        last = max(settling, default=-1)
        for index in range(last + 1):
            if index in settling:
                stages[index] = settling[index].settled(out, sample_rate_hz, reserve_samples)
            if index < last:
                out = stages[index].apply(out, sample_rate_hz)
        return dataclasses.replace(self, stages=tuple(stages))

    def talker_fir(self, sample_rate_hz: int) -> np.ndarray | None:
        """Return what the stages do to the talker alone in front of the mix, or None."""
        firs = [fir for stage in self.stages if (fir := stage.talker_fir(sample_rate_hz)) is not None]
        return functools.reduce(np.convolve, firs) if firs else None

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return what the linear parts of the stages make of a signal, float32 [shape=(samples,)]; see `Processor`."""
        out = np.array(samples, dtype=np.float32)
        filtering = [stage for stage in self.stages if stage.has_linear_part]
        for linear, stages in itertools.groupby(filtering, key=lambda stage: stage.linear):
            if linear:
                out = apply_fir(out, _one_fir(tuple(stages), sample_rate_hz))
            else:
                for stage in stages:
                    out = stage.linear_reference(out, sample_rate_hz)
        return out

    def asked_codec(self) -> dict[str, Any]:
        """Return codec and rate of all stages, merged as `apply_measured` merges them; nothing without a codec."""
        report: dict[str, Any] = {}
        for stage in self.stages:
            report = merge_reports(report, stage.asked_codec())
        return report


@functools.lru_cache(maxsize=64)
def _one_fir(stages: tuple[Processor, ...], sample_rate_hz: int) -> np.ndarray:
    """Return the taps of linear stages together: each has its time 0 at the centre tap, and so has their convolution."""
    return functools.reduce(np.convolve, (stage.fir(sample_rate_hz) for stage in stages))


def merge_reports(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the reports of two stages as one.

    Args:
        first, second: what `apply_measured` reported; a key that only one has is taken as it is.
    """
    together: dict[str, Any] = {**first, **second}
    for key in first.keys() & second.keys():
        together[key] = _MERGE[key](first[key], second[key])
    if "time_map" in first and "time_map" in second:
        together["time_added_s"], together["time_removed_s"] = added_and_removed_s(together["time_map"])
    return together


def _lowest(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else min(a, b)


_MERGE: dict[str, Any] = {
    "clipped_share": lambda a, b: min(a + b, 1.0),
    "codec": lambda a, b: f"{a}+{b}",
    "codec_rate_hz": _lowest,
    "codec_kbit_s": _lowest,
    "frames_lost": lambda a, b: a + b,
    "frames_affected": lambda a, b: a + b,
    "time_map": then,
    # where both have a map these two are read from that of both, see `merge_reports`
    "time_added_s": lambda a, b: a + b,
    "time_removed_s": lambda a, b: a + b,
    "lost_share": lambda a, b: 1.0 - (1.0 - a) * (1.0 - b),
    "audiomentations": lambda a, b: [*a, *b],
}
