"""Any public audiomentations transform as a processor: `{op: audiomentations, transform: SevenBandParametricEQ, …}`.

The library draws from the global `random` and `numpy.random` (and, below RoomSimulator, from pyroomacoustics' own
generator). Each call here is seeded with the op's drawn seed and the global states are put back, so that a render is
a pure function of its recipe. Because of the global states it must not run in threads; worker processes are fine.

The transform always applies (its `p` is 1), because a condition holds for every file that bears its name. Output is made
as long as the input, checked for finite values, and shifted back by the delay of the transform: known by its nature, or found with
a probe. Transforms whose purpose is to move time (`TIME_CHANGING`) are not shifted back; word timings do not survive them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from roomtone.augment.ops.channel.probe import probed_delay
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor
from roomtone.core.audio.headers import BadAudioError, container
from roomtone.core.audio.reading import inspect as inspect_recording
from roomtone.core.audio.resampling import fit_length, resample, shift
from roomtone.core.audio.speech_level import rms_level_dbov
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError, nearest

#: Transforms that move or stretch time on purpose.
TIME_CHANGING = frozenset(
    {"AdjustDuration", "Padding", "PitchShift", "RepeatPart", "Resample", "Reverse", "Shift", "TimeStretch", "Trim"}
)
#: Linear transforms whose drawn numbers do not depend on the signal: applied to speech and noise apart, they give the same sum.
LINEAR = frozenset(
    {
        *("AirAbsorption", "BandPassFilter", "BandStopFilter", "Gain", "HighPassFilter", "HighShelfFilter"),
        *("LowPassFilter", "LowShelfFilter", "PeakingFilter", "PolarityInversion", "SevenBandParametricEQ"),
    }
)
#: Transforms that act on each sample by itself, or add something: they cannot delay.
MEMORYLESS = frozenset(
    {
        *("AddBackgroundNoise", "AddColorNoise", "AddGaussianNoise", "AddGaussianSNR", "AddShortNoises", "BitCrush"),
        *("ClippingDistortion", "GainTransition", "LoudnessNormalization", "Normalize", "TanhDistortion", "TimeMask"),
    }
)
#: Transforms that apply an impulse response of their own, whose largest sample is their time 0.
_RESPONSES = frozenset({"ApplyImpulseResponse", "RoomSimulator"})
#: Filters whose frequencies reach 9.5 kHz by default. Above half the rate they are unstable, so below this rate they
#: run at it, resampled there and back.
_FILTERS = LINEAR - {"AirAbsorption", "Gain", "PolarityInversion"}
_FILTER_RATE_HZ = 24000
#: A transform that takes code as its argument; a preset is data.
_NOT_DATA = frozenset({"Lambda"})
_LARGEST_LAG_S = 0.1


def transforms() -> dict[str, type]:
    """Return audiomentations' public waveform transforms by name; no other class can be reached from YAML."""
    import audiomentations
    from audiomentations.core.transforms_interface import BaseWaveformTransform

    public = {name: value for name, value in vars(audiomentations).items() if inspect.isclass(value)}
    return {
        name: value
        for name, value in public.items()
        if issubclass(value, BaseWaveformTransform) and name not in _NOT_DATA
    }


@dataclass(frozen=True)
class AudiomentationsOp(Processor):
    """A transform of audiomentations, seeded, recorded and checked.

    Attributes:
        transform: name of the class.
        arguments: of its constructor; in YAML they are keys beside `transform`. `p` is not among them.
        seed: for both global generators; drawn.
        parameters: the numbers that the transform drew, as far as they do not depend on the signal; drawn, and compared
            when applied, so that another version of the library cannot silently make another sound.
    """

    op: ClassVar[str] = "audiomentations"
    transform: str
    arguments: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    parameters: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check(self.transform, json.dumps(self.arguments, sort_keys=True, default=repr))
        _build(self.transform, self.arguments)

    @classmethod
    def fold(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields with every key that is not the op's own gathered under `arguments`."""
        own = {f.name for f in dataclasses.fields(cls)}
        free = {key: value for key, value in fields.items() if key not in own}
        if not free or not isinstance(fields.get("arguments", {}), Mapping):
            return fields
        return {key: value for key, value in fields.items() if key in own} | {
            "arguments": dict(fields.get("arguments", {})) | free
        }

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        seed = int(rng.integers(2**31)) if self.seed is None else self.seed
        first, second = (self._draw_parameters(seed, context, loudness) for loudness in (0.05, 0.4))
        known = {key: value for key, value in first.items() if key in second and second[key] == value}
        return dataclasses.replace(self, seed=seed, parameters=known)

    def _draw_parameters(self, seed: int, context: DrawContext, loudness: float) -> dict[str, Any]:
        """Return what the transform draws for some noise of this length; what depends on the noise differs by its loudness."""
        noise = np.random.Generator(np.random.Philox(key=int(loudness * 100))).standard_normal(context.num_samples)
        transform = _build(self.transform, self.arguments)
        with _seeded(seed), self._explained():
            inner_hz = self._inner_rate_hz(context.sample_rate_hz)
            transform.randomize_parameters((loudness * noise).astype(np.float32), inner_hz)
        self._check_frequencies(_parameters(transform), inner_hz)
        return _parameters(transform)

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the transformed samples and, under `audiomentations`, a list of one record.

        The record: `transform`, `parameters`, `lag_samples` (the delay taken out), `length_change` (samples by which the
        transform missed the length), `gain_db` (change of the RMS level).

        Raises:
            RoomtoneError: the transform failed, drew other numbers than the recipe holds, gave values that are not
                finite, or was to add something and added nothing.
        """
        output, parameters = self._run(samples, sample_rate_hz)
        if self.parameters is not None:
            changed = sorted(key for key, value in self.parameters.items() if parameters.get(key) != value)
            if changed:
                raise RoomtoneError(
                    f"{self._name}: drew another {', '.join(changed)} than the recipe holds "
                    f"(another version of audiomentations?)"
                )
        if self.transform.startswith("Add") and np.array_equal(output, samples) and np.any(samples):
            raise RoomtoneError(f"{self._name}: added nothing (a silent recording?)")
        lag = self._lag(sample_rate_hz)
        out = shift(output, -lag, samples.size)
        record = {
            "transform": self.transform,
            "parameters": parameters,
            "lag_samples": lag,
            "length_change": int(output.size - samples.size),
            "gain_db": rms_level_dbov(out) - rms_level_dbov(samples),
        }
        return out, {"audiomentations": [record]}

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the transformed samples of a linear transform, and the samples themselves for any other."""
        return self.apply(samples, sample_rate_hz) if self.transform in LINEAR else samples

    @property
    def _name(self) -> str:
        return f"audiomentations {self.transform}"

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever the library raises into one line that names the transform."""
        try:
            yield
        except RoomtoneError:
            raise
        except Exception as error:  # its transforms raise many types; each means that this preset cannot be applied
            raise RoomtoneError(f"{self._name}: {type(error).__name__}: {' '.join(str(error).split())}") from error

    def _run(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        if self.seed is None:
            raise RoomtoneError(f"{self._name}: the seed is not drawn yet")
        transform = _build(self.transform, self.arguments)
        with _seeded(self.seed), self._explained():
            inner_hz = self._inner_rate_hz(sample_rate_hz)
            inner = np.array(resample(samples, sample_rate_hz, inner_hz, quality="HQ"), dtype=np.float32)
            output = np.asarray(transform(inner, inner_hz), dtype=np.float32)
        if inner_hz != sample_rate_hz:
            output = fit_length(resample(output, inner_hz, sample_rate_hz, quality="HQ"), samples.size)
        if output.ndim != 1 or not np.isfinite(output).all():
            raise RoomtoneError(f"{self._name}: gave shape {output.shape}, or values that are not finite")
        return output, _parameters(transform)

    def _inner_rate_hz(self, sample_rate_hz: int) -> int:
        return max(sample_rate_hz, _FILTER_RATE_HZ) if self.transform in _FILTERS else sample_rate_hz

    def _check_frequencies(self, parameters: Any, sample_rate_hz: int) -> None:
        """Raise where a filter was drawn at or above half the rate: audiomentations would make it unstable."""
        if isinstance(parameters, list):
            for item in parameters:
                self._check_frequencies(item, sample_rate_hz)
        elif isinstance(parameters, dict):
            for key, value in parameters.items():
                if key in ("center_freq", "cutoff_freq") and value >= sample_rate_hz / 2:
                    raise RoomtoneError(f"{self._name}: {key} {value:.0f} Hz is not below half of {sample_rate_hz} Hz")
                self._check_frequencies(value, sample_rate_hz)

    def _lag(self, sample_rate_hz: int) -> int:
        """Return the delay of the transform with its drawn numbers: known by its nature, or found with a probe."""
        if self.transform in TIME_CHANGING | MEMORYLESS:
            return 0
        return _transform_delay(self.transform, json.dumps(self.arguments, sort_keys=True), self.seed, sample_rate_hz)


@functools.lru_cache(maxsize=256)
def _transform_delay(transform: str, arguments_json: str, seed: int | None, sample_rate_hz: int) -> int:
    op = AudiomentationsOp(transform, json.loads(arguments_json), seed)
    if transform in LINEAR | _RESPONSES:
        # A linear filter shows its delay on an impulse, whatever the signal is: the same for speech, noise and their sum.
        reach = round(_LARGEST_LAG_S * sample_rate_hz)
        impulse = np.zeros(4 * reach + 1, dtype=np.float32)
        impulse[2 * reach] = 1.0
        return int(np.argmax(np.abs(op._run(impulse, sample_rate_hz)[0]))) - 2 * reach
    return probed_delay(
        lambda samples: fit_length(op._run(samples, sample_rate_hz)[0], samples.size), sample_rate_hz, what=op._name
    )


@functools.lru_cache(maxsize=64)
def _check(transform: str, arguments_json: str) -> None:
    """Raise where the transform or one of its arguments is unknown."""
    known = transforms()
    if transform not in known:
        raise RoomtoneError(f"audiomentations: unknown transform {transform!r}; {nearest(transform, known)}")
    parameters = inspect.signature(known[transform].__init__).parameters.values()  # type: ignore[misc]
    allowed = {
        p.name
        for p in parameters
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in ("self", "p")
    }
    for key in json.loads(arguments_json):
        if key == "p":
            raise RoomtoneError(f"audiomentations {transform}: 'p' is not allowed; a condition applies to every file")
        if key not in allowed:
            raise RoomtoneError(f"audiomentations {transform}: unknown argument {key!r}; {nearest(key, allowed)}")


def _build(transform: str, arguments: Mapping[str, Any]) -> Any:
    try:
        made = transforms()[transform](**arguments, p=1.0)
    except Exception as error:  # asserts, TypeErrors and ValueErrors alike mean: these arguments will not do
        message = " ".join(str(error).split()) or type(error).__name__
        raise RoomtoneError(f"audiomentations {transform}: {message} (arguments {dict(arguments)})") from error
    for name in ("sound_file_paths", "ir_files"):
        if hasattr(made, name):
            setattr(made, name, _CheckedPaths(getattr(made, name)))
    return made


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed every generator that audiomentations draws from, and put the global ones back afterwards."""
    import pyroomacoustics

    states = random.getstate(), np.random.get_state()  # noqa: NPY002  (the library uses the global generator)
    threads = pyroomacoustics.constants.get("num_threads")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    pyroomacoustics.random.seed(seed)
    pyroomacoustics.constants.set("num_threads", 1)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        pyroomacoustics.constants.set("num_threads", threads)


class _CheckedPaths(list[str]):
    """Files that a transform may open; each passes our own intake first, because libsndfile takes any name for any of its formats.

    The library hands each to libsndfile itself, so formats that our intake gives another decoder are refused here.
    """

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if isinstance(index, int):
            inspect_recording(found)
            if words := container(Path(found)).words:
                raise BadAudioError(
                    found, f"is {words}, which a transform of audiomentations does not open; convert it to WAV"
                )
        return found


def _parameters(transform: Any) -> dict[str, Any]:
    """Return what a transform drew, as JSON types; what its inner transforms drew is under their attribute's name."""
    from audiomentations.core.transforms_interface import BaseTransform

    drawn = {str(key): _plain(value) for key, value in transform.serialize_parameters().items()}
    for name, value in vars(transform).items():
        inner = value if isinstance(value, list | tuple) else [value]
        if inner and all(isinstance(item, BaseTransform) for item in inner):
            found = [_parameters(item) for item in inner]
            drawn[name] = found if isinstance(value, list | tuple) else found[0]
    return drawn


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 64 else f"array of {value.shape}"
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
