"""Noise made from numbers: coloured, shaped, speech-shaped, modulated; and SNRs observed at a noise level.

Every op draws one `seed`; the samples follow from it, the length and the rate. Spectra are power densities unless a
field says band levels (see `spectra`). The level is nominal, `NOMINAL_RMS`, because the renderer sets it to an SNR.
Sources: ICRA noises, W. A. Dreschler et al., Audiology 40, 148 (2001), for the idea of the modulated noise;
Y.-H. Wu et al., Ear and Hearing 39, 293 (2018), for SNRs in real life.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.periodic_tone import NOMINAL_RMS
from roomtone.augment.ops.sources.spectra import (
    Points,
    Spectrum,
    density_from_bands,
    event_noise,
    gaussian_noise,
    ltass_spectrum,
    mean_power,
    random_swell,
    slope_spectrum,
)
from roomtone.augment.ops.table import Drawn, Fetch, Source, pin_ranges
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class SeededNoise(Source):
    """Base of the ops whose only random number in the recipe is a seed."""

    #: Drawn.
    seed: int | None = dataclasses.field(default=None, kw_only=True)

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Pin ranges and the seed; a seed that the preset gives stays."""
        del context
        pinned = pin_ranges(self, rng)
        seed = int(rng.integers(2**31))
        return dataclasses.replace(pinned, seed=seed) if self.seed is None else pinned

    @property
    def is_steady(self) -> bool:
        """Whether the noise is Gaussian and steady, so that independent streams of it add up to the same noise."""
        return False

    def render_apart(
        self, num_samples: int, sample_rate_hz: int, fetch: Fetch, places: int, *, preroll_samples: int = 0
    ) -> list[Samples]:
        """Return independent streams of a steady noise, and any other from one place, float32 [shape=(preroll_samples + num_samples,)] each.

        Args:
            num_samples, sample_rate_hz, fetch, places, preroll_samples: see `Source.render_apart`.
        """
        if places == 1 or not self.is_steady:
            return super().render_apart(num_samples, sample_rate_hz, fetch, places, preroll_samples=preroll_samples)
        seeds = self._rng().integers(2**31, size=places).tolist()
        sources = [dataclasses.replace(self, seed=seed) for seed in seeds]
        rows = [one.render(num_samples, sample_rate_hz, fetch, preroll_samples=preroll_samples) for one in sources]
        return [np.float32(1.0 / np.sqrt(places)) * row for row in rows]

    def _rng(self) -> np.random.Generator:
        if self.seed is None:
            raise RoomtoneError(f"{self.op}: seed is not drawn; call draw() before render()")
        return np.random.Generator(np.random.PCG64(self.seed))


@dataclass(frozen=True)
class ColouredNoise(SeededNoise):
    """Gaussian noise whose density is a straight slope: 0 white, -3.01 pink, -6.02 brown, in dB per octave."""

    op = "coloured_noise"

    slope_db_per_octave: Drawn = 0.0
    #: Nothing below and above; the upper limit may lie above half the sampling rate.
    low_hz: float = 20.0
    high_hz: float = 24000.0

    def __post_init__(self) -> None:
        _check_band(self.op, self.low_hz, self.high_hz)

    @property
    def is_steady(self) -> bool:
        """Whether the noise is Gaussian and steady."""
        return True

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the noise, float32 [shape=(preroll_samples + num_samples,)]."""
        del fetch
        spectrum = slope_spectrum(float(np.mean(self.slope_db_per_octave)), self.low_hz, self.high_hz)
        return NOMINAL_RMS * gaussian_noise(self._rng(), preroll_samples + num_samples, sample_rate_hz, spectrum)


@dataclass(frozen=True)
class ShapedNoise(SeededNoise):
    """Noise of any spectrum; Gaussian, or as separate events such as drops."""

    op = "shaped_noise"

    #: `[hz, dB]`, straight lines between on a logarithmic axis; held beyond the ends, up to low_hz and high_hz.
    spectrum: tuple[tuple[float, float], ...]
    #: What the dB are: power per hertz, or levels of third-octave or octave bands at their centres.
    levels: Literal["density", "third_octave", "octave"] = "density"
    low_hz: float = 20.0
    high_hz: float = 24000.0
    #: Mean rate of separate events per second; 0 for Gaussian noise.
    events_per_s: Drawn = 0.0
    #: Standard deviation of the events' levels.
    event_spread_db: Drawn = 6.0
    #: Time constant with which an event dies away; 0 for a bare impulse.
    event_decay_s: Drawn = 0.003
    #: `[rate in Hz, depth]`: random amplitude modulation around each rate (within half an octave); depth is that of a sine of equal
    #: relative variance. Empty for a constant level.
    modulation: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        _check_band(self.op, self.low_hz, self.high_hz)
        if any(rate_hz <= 0.0 or not 0.0 <= depth <= 3.0 for rate_hz, depth in self.modulation):
            raise RoomtoneError(f"{self.op}: modulation must be [Hz, depth] pairs, Hz above 0 and depth from 0 to 3")
        hz = [point[0] for point in self.spectrum]
        if not hz or hz[0] <= 0 or any(b <= a for a, b in itertools.pairwise(hz)):
            raise RoomtoneError(f"{self.op}: spectrum must be [hz, dB] points with ascending hz above 0")
        for name in ("events_per_s", "event_spread_db", "event_decay_s"):
            if np.min(getattr(self, name)) < 0:
                raise RoomtoneError(f"{self.op}: {name} must not be negative, got {getattr(self, name)!r}")

    def density(self) -> Spectrum:
        """Return the power density that the fields describe."""
        points: Points = self.spectrum
        if self.levels != "density":
            points = density_from_bands(points, 3 if self.levels == "third_octave" else 1)
        return Spectrum(points, self.low_hz, self.high_hz)

    @property
    def is_steady(self) -> bool:
        """Whether the noise is Gaussian and steady."""
        return not np.any(self.events_per_s) and not self.modulation

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the noise, float32 [shape=(preroll_samples + num_samples,)]."""
        del fetch
        length, rate, rng = preroll_samples + num_samples, float(np.mean(self.events_per_s)), self._rng()
        if rate:
            spread_db, decay_s = float(np.mean(self.event_spread_db)), float(np.mean(self.event_decay_s))
            noise = event_noise(rng, length, sample_rate_hz, self.density(), rate, spread_db, decay_s)
        else:
            noise = gaussian_noise(rng, length, sample_rate_hz, self.density())
        if self.modulation:
            noise = noise * random_swell(rng, length, sample_rate_hz, self.modulation)
        return np.float32(NOMINAL_RMS) * noise


@dataclass(frozen=True)
class LtassNoise(SeededNoise):
    """Stationary Gaussian noise with the long-term average spectrum of speech (Byrne et al. 1994)."""

    op = "ltass_noise"

    @property
    def is_steady(self) -> bool:
        """Whether the noise is Gaussian and steady."""
        return True

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the noise, float32 [shape=(preroll_samples + num_samples,)]."""
        del fetch
        return NOMINAL_RMS * gaussian_noise(
            self._rng(), preroll_samples + num_samples, sample_rate_hz, ltass_spectrum()
        )


@dataclass(frozen=True)
class ModulatedNoise(SeededNoise):
    """Speech-shaped noise with amplitude modulation, as one talker's or sinusoidal.

    `sinusoidal` multiplies by `1 + depth * cos(2 pi rate t)`. `speech` follows the idea of the ICRA noises: three
    bands (split at 850 and 2500 Hz), each with its own slow random level in dB, partly common to all three, whose
    modulation spectrum peaks at `rate_hz`. `depth` is then the standard deviation of the level, 1 = 10 dB.
    """

    op = "modulated_noise"
    #: ICRA band splits; the outer limits are those of the spectrum.
    SPLITS_HZ: ClassVar[tuple[float, ...]] = (850.0, 2500.0)
    #: Share of the level variance that the bands have in common.
    COMMON: ClassVar[float] = 0.6
    #: Levels stop at this many standard deviations above the mean: speech has long soft tails, and no long loud ones.
    HIGHEST: ClassVar[float] = 1.0

    modulation: Literal["speech", "sinusoidal"] = "speech"
    rate_hz: Drawn = 4.0
    depth: Drawn = 0.9

    def __post_init__(self) -> None:
        if np.min(self.rate_hz) <= 0 or np.min(self.depth) < 0 or np.max(self.depth) > 2:
            raise RoomtoneError(f"{self.op}: rate_hz must be above 0 and depth from 0 to 2")
        if self.modulation == "sinusoidal" and np.max(self.depth) > 1:
            raise RoomtoneError(f"{self.op}: depth of a sinusoidal modulation goes up to 1, got {self.depth!r}")

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the noise, float32 [shape=(preroll_samples + num_samples,)]."""
        del fetch
        rng, length = self._rng(), preroll_samples + num_samples
        rate_hz, depth = float(np.mean(self.rate_hz)), float(np.mean(self.depth))
        if self.modulation == "sinusoidal":
            turns = (np.arange(length) - preroll_samples) * (rate_hz / sample_rate_hz) + rng.random()
            gain = 1.0 + depth * np.cos(2.0 * np.pi * (turns % 1.0))
            carrier = gaussian_noise(rng, length, sample_rate_hz, ltass_spectrum())
            return (NOMINAL_RMS / np.sqrt(1.0 + depth**2 / 2.0) * gain * carrier).astype(np.float32)
        return (NOMINAL_RMS * self._speech_like(rng, length, sample_rate_hz, rate_hz, 10.0 * depth)).astype(np.float32)

    def _speech_like(
        self, rng: np.random.Generator, length: int, sample_rate_hz: int, rate_hz: float, spread_db: float
    ) -> np.ndarray:
        whole = ltass_spectrum()
        limits = (whole.low_hz, *self.SPLITS_HZ, whole.high_hz)
        # A level that swings mostly at rate_hz; an octave wide on both sides, as the modulation spectrum of speech is.
        points = ((rate_hz / 4, -24.0), (rate_hz / 2, -6.0), (rate_hz, 0.0), (rate_hz * 2, -9.0))
        swing = Spectrum(points, 0.25, 4 * rate_hz)
        slow_hz = int(np.ceil(40 * rate_hz))  # ten times its upper limit: straight lines between are exact enough
        slow = np.arange(length * slow_hz // sample_rate_hz + 2)
        common = gaussian_noise(rng, slow.size, slow_hz, swing)
        total = np.zeros(length, dtype=np.float32)
        for low, high in itertools.pairwise(limits):
            own = gaussian_noise(rng, slow.size, slow_hz, swing)
            level = np.sqrt(self.COMMON) * common + np.sqrt(1.0 - self.COMMON) * own
            gain = 10.0 ** (spread_db * np.minimum(level, self.HIGHEST) / 20.0)
            gain *= np.sqrt(_band_share(whole, low, high, sample_rate_hz) / mean_power(spread_db, self.HIGHEST))
            carrier = gaussian_noise(rng, length, sample_rate_hz, Spectrum(whole.points, low, high))
            total += carrier * np.interp(np.arange(length) * (slow_hz / sample_rate_hz), slow, gain).astype(np.float32)
        return total


@functools.lru_cache(maxsize=64)
def _band_share(spectrum: Spectrum, low_hz: float, high_hz: float, sample_rate_hz: int) -> float:
    """Return the share of the spectrum's power, below half the sampling rate, that lies between two frequencies."""
    frequency = np.arange(1.0, sample_rate_hz / 2, 1.0)
    power = 10.0 ** (spectrum.density_db(frequency) / 10.0)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    return float(power[inside].sum() / power.sum())


def _check_band(op: str, low_hz: float, high_hz: float) -> None:
    if not 0 < low_hz < high_hz:
        raise RoomtoneError(f"{op}: low_hz must lie between 0 and high_hz, got {low_hz!r} and {high_hz!r} (in Hz?)")


#: Spread of the SNR around the line of `wu2018_snr_db` (recalled as 4 to 5 dB).
WU2018_SPREAD_DB = 4.5
#: Noise levels between which the line was observed.
WU2018_RANGE_DBA = (40.0, 74.0)


def wu2018_snr_db(noise_dba: float, rng: np.random.Generator) -> float:
    """Return a drawn SNR in dB of a conversation in an environment with this noise level.

    Wu et al. (2018) saw hearing-aid wearers' surroundings go from 40 dBA of noise at 20 dB SNR to 74 dBA at 0 dB (figures
    read second-hand), because talkers raise their voices by 0.41 dB for each dB of noise. The mean is the line between; the normal
    spread of 4.5 dB around it is recalled, not read.

    Args:
        noise_dba: A-weighted noise level, 40 to 74 dBA.
        rng: the generator of this draw.

    Raises:
        RoomtoneError: a noise level outside the observed range.
    """
    check_environment(noise_dba)
    return 20.0 - 0.59 * (noise_dba - 40.0) + WU2018_SPREAD_DB * float(rng.standard_normal())


def wu2018_rise_db(noise_dba: float) -> float:
    """Return by how many dB talkers are louder in an environment than in a quiet one: 0 at 40 dBA, 14 at 74 dBA, a line between.

    Args:
        noise_dba: A-weighted noise level, 40 to 74 dBA.

    Raises:
        RoomtoneError: a noise level outside the observed range.
    """
    check_environment(noise_dba)
    return 0.41 * (noise_dba - 40.0)


def check_environment(noise_dba: float) -> None:
    """Check the noise level of an environment.

    Args:
        noise_dba: A-weighted noise level.

    Raises:
        RoomtoneError: it lies outside the observed range.
    """
    low, high = WU2018_RANGE_DBA
    if not low <= noise_dba <= high:
        raise RoomtoneError(
            f"environment: {noise_dba:g} dBA is outside the observed {low:g} to {high:g} dBA; give an SNR instead"
        )
