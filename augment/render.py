"""From a recipe and the clean speech to samples: the signal chain, in the order that physics has it.

clean speech -> level (P.56) -> room -> sum with noise and equipment at the microphone, where SNRs hold -> handset
-> level -> 16 bits.
Everything here is deterministic: a recipe gives the same bits in any worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from roomtone.augment.assets import SILENCE_DBOV
from roomtone.augment.containers import coded
from roomtone.augment.labels import UnmetLevelError, check_labels, measured_delay, rms_db, stem_gains
from roomtone.augment.ops.level import SpeechLevel, active_speech_level
from roomtone.augment.ops.table import Fetch, Processor, Samples, Source, parse_op
from roomtone.augment.recipe import Recipe
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry
from roomtone.coverage.errors import RoomtoneError

T = TypeVar("T")

#: Active level of the speech at the microphone, where the handset begins. The level that ITU-T listening tests use [recalled].
MICROPHONE_LEVEL_DBOV = -26.0


@dataclass(frozen=True)
class Stems:
    """The parts of one render before the handset, float32 [shape=(samples,)] each, at the level in which they were summed.

    Attributes:
        clean: the utterance at the microphone's level, without room.
        speech: the speech at the microphone (reverberant where there is a room).
        noise, equipment: as summed, or None.
        sounding: where the equipment sounds, bool [shape=(samples,)], or None.
        level: P.56 of `speech`; None is not measured yet.
        room_delay: by how many samples `speech` lags `clean`.
    """

    clean: Samples
    speech: Samples
    noise: Samples | None = None
    equipment: Samples | None = None
    sounding: np.ndarray | None = None
    level: SpeechLevel | None = None
    room_delay: int = 0

    def present(self) -> list[Samples]:
        """Return the stems that the microphone hears, speech first."""
        return [stem for stem in (self.speech, self.noise, self.equipment) if stem is not None]

    def microphone(self) -> Samples:
        """Return their sum."""
        return _sum(self.present())


@dataclass(frozen=True)
class Render:
    """One finished sample: int16 [shape=(samples,)], its stems, what was measured (manifest columns), a lossy file's bytes."""

    pcm: np.ndarray
    stems: Stems
    measured: dict[str, Any]
    encoded: bytes | None = None


@dataclass(frozen=True)
class CleanSpeech:
    """Clean speech ready for rendering: at the microphone's level, with its P.56 activity.

    `shared` keeps what several conditions of one utterance have in common; it holds nothing that could not be made again.
    """

    samples: Samples
    sample_rate_hz: int
    activity: float
    input_level_dbov: float
    shared: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def share(self, key: Any, make: Callable[[], T]) -> T:
        """Return what `make` gives, made once while it is among the last few."""
        if key not in self.shared:
            while len(self.shared) >= _SHARED:
                self.shared.pop(next(iter(self.shared)))
            self.shared[key] = make()
        found: T = self.shared[key]
        return found


#: Of each utterance, so many reverberant or filtered versions are kept.
_SHARED = 8


def prepare(samples: Samples, sample_rate_hz: int) -> CleanSpeech:
    """Return the clean speech at the microphone's active level.

    Raises:
        UnmetLevelError: silence, to which no level and no SNR can refer.
    """
    level = active_speech_level(samples, sample_rate_hz)
    if not level.level_dbov > SILENCE_DBOV:
        raise UnmetLevelError("no active speech found (ITU-T P.56): a level or SNR cannot refer to silence")
    spoken, _ = at_active_level(samples, sample_rate_hz, MICROPHONE_LEVEL_DBOV)
    return CleanSpeech(spoken, sample_rate_hz, level.activity, level.level_dbov)


#: P.56 levels are set to within this, dB.
_LEVEL_STEP_DB = 0.002
#: Where that cannot be had, because the level of a few impulses jumps with the gain, so much is let pass, dB.
_LEVEL_MISS_DB = 0.05


def at_active_level(samples: Samples, sample_rate_hz: int, level_dbov: float) -> tuple[Samples, SpeechLevel]:
    """Return the speech at an active level, and the level measured on what is returned.

    P.56 compares with fixed thresholds, so scaling by x dB moves its reading by up to 0.2 dB more or less than x; a few rounds
    settle it.
    """
    level = active_speech_level(samples, sample_rate_hz)
    for _ in range(6):
        if abs(level.level_dbov - level_dbov) <= _LEVEL_STEP_DB:
            break
        samples = _gain(samples, level_dbov - level.level_dbov)
        level = active_speech_level(samples, sample_rate_hz)
    if not abs(level.level_dbov - level_dbov) <= _LEVEL_MISS_DB:
        raise UnmetLevelError(
            f"its active level jumps between {level.level_dbov:.2f} and {level_dbov:.2f} dBov (ITU-T P.56): hardly speech"
        )
    return samples, level


def _gain(samples: Samples, gain_db: float) -> Samples:
    return samples * np.float32(10.0 ** (gain_db / 20.0))


def render(
    recipe: Recipe,
    clean: CleanSpeech,
    fetch: Fetch,
    entry: RoomEntry | None,
    *,
    name: str = "sample",
    suffix: str = "flac",
) -> Render:
    """Return the render of a recipe, measured and held against its labels.

    Args:
        recipe: what to render.
        clean: the prepared speech, `recipe.num_samples` long.
        fetch: returns samples of a recording by asset id.
        entry: the realised room of `recipe.room`, or None.
        name: names the sample in messages.
        suffix: how the sample is kept; of a lossy `opus` the samples are those that its reader hears.

    Raises:
        LabelError: a measured value misses its label.
        UnmetLevelError: a noise or an equipment that is silent, or speech that no gain brings to its level.
    """
    if clean.samples.size != recipe.num_samples or clean.sample_rate_hz != recipe.sample_rate_hz:
        raise RoomtoneError(f"{name}: the recipe is for {recipe.num_samples} samples at {recipe.sample_rate_hz} Hz")
    stems = mix_stems(recipe, clean, fetch, entry)
    processor = None if recipe.handset is None else parse_op(recipe.handset, Processor, where=f"{name}, handset")
    shadows = _shadows(recipe, processor, clean, stems, entry)
    if processor is not None and processor.linear:
        heard = _sum(shadows)  # what a linear handset makes of a sum is the sum of what it makes of the parts
        report: dict[str, Any] = {}
        key = ("output gain", _shadow_key(recipe, entry), recipe.level_dbov)
        gain = clean.share(key, lambda: _output_gain(shadows[0], recipe))
    else:
        heard, report = apply_handset(processor, stems.microphone(), recipe.sample_rate_hz)
        gain = _output_gain(shadows[0] * np.float32(_speech_gain(heard, shadows)), recipe)
    pcm, clipped = _to_output_level(heard, gain)
    pcm, encoded = coded(pcm, recipe.sample_rate_hz, suffix)
    measured = measure(recipe, stems, shadows, pcm, entry, report)
    measured["clipped_share"] = max(clipped, float(report.get("clipped_share", 0.0)))
    check_labels(name, asked_labels(recipe, processor, entry), measured)
    return Render(pcm, stems, measured, encoded)


def mix_stems(recipe: Recipe, clean: CleanSpeech, fetch: Fetch, entry: RoomEntry | None) -> Stems:
    """Return the stems of a recipe as they meet at the microphone."""
    speech, level, delay = clean.share(("speech", entry and entry.id), lambda: _at_microphone(clean, entry))
    noise = equipment = sounding = None
    if recipe.noise is not None and recipe.snr_db is not None:
        response = None if entry is None else entry.noise
        noise, _ = _background(recipe.noise, recipe, fetch, response, level.level_dbov - recipe.snr_db, "noise")
    if recipe.equipment is not None and recipe.equipment_snr_db is not None:
        response = None if entry is None else entry.equipment
        target = level.level_dbov - recipe.equipment_snr_db
        equipment, sounding = _background(recipe.equipment, recipe, fetch, response, target, "equipment")
    return Stems(clean.samples, speech, noise, equipment, sounding, level, delay)


def _at_microphone(clean: CleanSpeech, entry: RoomEntry | None) -> tuple[Samples, SpeechLevel, int]:
    """Return the speech as the microphone hears it, its level, and by how many samples the room delays it."""
    rate = clean.sample_rate_hz
    speech, level = at_active_level(_in_room(clean.samples, entry), rate, MICROPHONE_LEVEL_DBOV)
    return speech, level, 0 if entry is None else measured_delay(clean.samples, speech, whiten=True)


def _shadows(
    recipe: Recipe, processor: Processor | None, clean: CleanSpeech, stems: Stems, entry: RoomEntry | None
) -> list[Samples]:
    """Return the speech, and all else that sounds as one, behind the linear part of the handset."""
    speech, *others = stems.present()
    rest = [_sum(others)] if others else []
    if processor is None:
        return [speech, *rest]
    rate = recipe.sample_rate_hz
    spoken = clean.share(_shadow_key(recipe, entry), lambda: linear_shadow(processor, speech, rate))
    return [spoken, *(linear_shadow(processor, stem, rate) for stem in rest)]


def _shadow_key(recipe: Recipe, entry: RoomEntry | None) -> tuple[Any, ...]:
    """Return what two conditions of an utterance must have in common for its speech to pass the handset alike."""
    return "shadow", entry and entry.id, json.dumps(recipe.handset, sort_keys=True)


def _sum(signals: Sequence[Samples]) -> Samples:
    return sum(signals[1:], start=signals[0].copy())


def _in_room(speech: Samples, entry: RoomEntry | None) -> Samples:
    """Return the speech as it arrives at the room's microphone, its direct sound where the speech was."""
    if entry is None:
        return speech
    return convolve(speech, entry.speech)[DIRECT_SAMPLE : DIRECT_SAMPLE + speech.size]


def _background(
    mapping: Mapping[str, Any], recipe: Recipe, fetch: Fetch, response: Samples | None, level_dbov: float, what: str
) -> tuple[Samples, np.ndarray]:
    """Return a source through its own room response, at `level_dbov` RMS while it sounds, and where it sounds."""
    op = parse_op(mapping, Source, where=what)
    preroll = 0 if response is None else response.size
    samples = op.render(recipe.num_samples, recipe.sample_rate_hz, fetch, preroll_samples=preroll)
    if response is not None:
        start = preroll + DIRECT_SAMPLE
        samples = convolve(samples, response)[start : start + recipe.num_samples]
    sounding = op.sounding(recipe.num_samples, recipe.sample_rate_hz)
    level = rms_db(samples[sounding])
    if not level > SILENCE_DBOV - 60.0:
        raise UnmetLevelError(f"the {what} is silent: no SNR can be set")
    return _gain(samples, level_dbov - level), sounding


def convolve(samples: Samples, response: Samples) -> Samples:
    """Return the full linear convolution, float32 [shape=(samples + response - 1,)], by one FFT of fixed length."""
    from scipy import fft

    length = samples.size + response.size - 1
    size = fft.next_fast_len(length, real=True)
    return fft.irfft(fft.rfft(samples, size) * _spectrum(response, size), size)[:length]


#: Spectra of the responses last used, by identity and size; the response is kept with its spectrum, so that no other takes its place.
_spectra: dict[tuple[int, int], tuple[Samples, np.ndarray]] = {}


def _spectrum(response: Samples, size: int) -> np.ndarray:
    from scipy import fft

    key = (id(response), size)
    if key not in _spectra:
        while len(_spectra) >= 6:
            _spectra.pop(next(iter(_spectra)))
        _spectra[key] = response, fft.rfft(response, size)
    return _spectra[key][1]


def apply_handset(processor: Processor | None, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
    """Return what the handset makes of the microphone's signal, and what it reports (codec, clipped share, lost share)."""
    if processor is None:
        return samples, {}
    measured = getattr(processor, "apply_measured", None)
    heard, report = measured(samples, sample_rate_hz) if measured else (processor.apply(samples, sample_rate_hz), {})
    if heard.shape != samples.shape or not np.isfinite(heard).all():
        raise RoomtoneError(
            f"op {processor.op!r} gave {heard.shape} samples for {samples.shape}, or values that are not finite"
        )
    return heard, report


def linear_shadow(processor: Processor | None, samples: Samples, sample_rate_hz: int) -> Samples:
    """Return what the linear part of a handset makes of one stem: the reference for the level and delay of the output."""
    if processor is None:
        return samples
    shadow = getattr(processor, "shadow", None)
    if shadow is not None:
        return shadow(samples, sample_rate_hz)
    return processor.apply(samples, sample_rate_hz) if processor.linear else samples


def _output_gain(spoken: Samples, recipe: Recipe) -> float:
    """Return the gain that brings the output to its level, told by the speech in it, behind the linear part of the handset.

    The level is that of the speech alone, as loud as it stands in what was heard: P.56 is not for noisy speech.
    """
    if not spoken.any():
        raise UnmetLevelError("the handset leaves nothing of the speech")
    wanted, _ = at_active_level(spoken, recipe.sample_rate_hz, recipe.level_dbov)
    if float(np.abs(wanted).max()) > 1.0:  # does its level stand when its peaks are clipped at full scale?
        heard = wanted * np.float32(_speech_gain(np.clip(wanted, -1.0, 1.0), [wanted]))
        level_dbov = active_speech_level(heard, recipe.sample_rate_hz).level_dbov
        if not abs(level_dbov - recipe.level_dbov) <= _LEVEL_MISS_DB:
            raise UnmetLevelError(
                f"clipping its peaks at full scale moves its active level to {level_dbov:.2f} dBov, "
                f"{recipe.level_dbov:g} asked: hardly speech"
            )
    loudest = int(np.argmax(np.abs(spoken)))
    return float(wanted[loudest] / spoken[loudest])


def _to_output_level(heard: Samples, gain: float) -> tuple[np.ndarray, float]:
    """Return what was heard with a gain, as 16-bit samples, and the share of samples clipped on the way."""
    scaled = np.rint(heard * np.float32(gain * 32768.0))
    clipped = float(np.count_nonzero((scaled > 32767.0) | (scaled < -32768.0))) / max(scaled.size, 1)
    return np.clip(scaled, -32768.0, 32767.0).astype(np.int16), clipped


def _speech_gain(output: Samples, shadows: list[Samples]) -> float:
    """Return with which gain the speech stands in `output`, found through the stems."""
    gain = abs(stem_gains(output, shadows)[0])
    if not gain > 0.0:
        raise UnmetLevelError("the handset leaves nothing of the speech")
    return gain


def asked_labels(recipe: Recipe, processor: Processor | None, entry: RoomEntry | None) -> dict[str, Any]:
    """Return what the recipe asks of a render, by the names of `labels.TOLERANCES`."""
    codec: dict[str, Any] = getattr(processor, "asked_codec", dict)()
    return {
        "snr_db": recipe.snr_db,
        "equipment_snr_db": recipe.equipment_snr_db,
        "level_dbov": recipe.level_dbov,
        "asked_delay_samples": 0,
        "asked_codec": codec.get("codec"),
        "asked_codec_rate_hz": codec.get("codec_rate_hz"),
        "t30_s": None if entry is None else entry.t30_s,
    }


def measure(
    recipe: Recipe,
    stems: Stems,
    shadows: list[Samples],
    pcm: np.ndarray,
    entry: RoomEntry | None,
    report: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the `measured_*` columns of one render, taken from its finished signals.

    Args:
        shadows: the speech, and the sum of the other stems, after the linear part of the handset.
        report: what the handset measured on the way.
    """
    output = pcm.astype(np.float32) / np.float32(32768.0)
    rate = recipe.sample_rate_hz
    speech = stems.level or active_speech_level(stems.speech, rate)
    spoken = shadows[0] * np.float32(_speech_gain(output, shadows))
    row: dict[str, Any] = {
        "measured_snr_db": None,
        "measured_snr_rms_db": None,
        "measured_equipment_snr_db": None,
        "measured_equipment_snr_long_db": None,
        "active_level_dbov": active_speech_level(spoken, rate).level_dbov,
        "activity": speech.activity,
        "delay_samples": _total_delay(stems, shadows, output),
        "measured_codec": report.get("codec"),
        "measured_codec_rate_hz": report.get("codec_rate_hz"),
        "measured_codec_kbit_s": report.get("codec_kbit_s"),
        "measured_lost_share": report.get("lost_share"),
    }
    if stems.noise is not None:
        row["measured_snr_db"] = speech.level_dbov - rms_db(stems.noise)
        row["measured_snr_rms_db"] = rms_db(stems.speech) - rms_db(stems.noise)
    if stems.equipment is not None:
        row["measured_equipment_snr_db"] = speech.level_dbov - rms_db(stems.equipment[stems.sounding])
        row["measured_equipment_snr_long_db"] = speech.level_dbov - rms_db(stems.equipment)
    if recipe.handset is None:
        _add_gain_errors(row, stems, output)
    return row | _room_measures(entry, rate)


def _add_gain_errors(row: dict[str, Any], stems: Stems, output: Samples) -> None:
    """Without a handset the output is the plain sum, so what stands in it, not what was meant to, makes the SNR."""
    speech, *others = stem_gains(output, stems.present())
    columns = [column for column in ("measured_snr_db", "measured_equipment_snr_db") if row[column] is not None]
    for column, gain in zip(columns, others, strict=True):
        row[column] -= 20.0 * float(np.log10(abs(gain / speech)))


def _total_delay(stems: Stems, shadows: list[Samples], output: Samples) -> int:
    """Return the delay of room and handset together, in samples."""
    return stems.room_delay + measured_delay(_sum(shadows), output)


def _room_measures(entry: RoomEntry | None, sample_rate_hz: int) -> dict[str, Any]:
    if entry is None:
        return {"measured_t30_s": None, "measured_c50_db": None, "measured_drr_db": None}
    response, row = _measured_rooms.get(entry.id, (None, {}))
    if response is not entry.speech:
        from roomtone.augment.rooms.acoustics import measure as measure_room

        found = measure_room(entry.speech, sample_rate_hz, DIRECT_SAMPLE)
        row = {"measured_t30_s": found.t30_s, "measured_c50_db": found.c50_db, "measured_drr_db": found.drr_db}
        if len(_measured_rooms) >= 256:
            _measured_rooms.clear()
        _measured_rooms[entry.id] = entry.speech, row
    return row


#: What was measured on a room's response, by the room's id, with the very response.
_measured_rooms: dict[str, tuple[Samples, dict[str, Any]]] = {}
