"""From a recipe and the clean speech to samples: the signal chain, in the order that physics has it.

clean speech -> level (P.56) -> room -> sum with noise and equipment at the microphone, where SNRs hold -> handset
-> level -> 16 bits.
Everything here is deterministic: a recipe gives the same bits in any worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from roomtone.augment.ops.table import Fetch, Processor, parse_op
from roomtone.augment.rendering.measure import measure, speech_gain
from roomtone.augment.rendering.mixing import LEVEL_MISS_DB, CleanSpeech, Stems, at_active_level, mix_stems, summed
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.stem_fit import fit_stems
from roomtone.augment.rendering.tolerances import UnmetLevelError, check_labels
from roomtone.augment.rooms.bank import RoomEntry
from roomtone.core.audio.encoding import coded
from roomtone.core.audio.speech_level import SpeechLevel, active_speech_level
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Render:
    """One finished sample: int16 [shape=(samples,)], its stems, what was measured (manifest columns), a lossy file's bytes."""

    pcm: np.ndarray
    stems: Stems
    measured: dict[str, Any]
    encoded: bytes | None = None


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
    key = (entry and entry.id, json.dumps(recipe.handset, sort_keys=True))
    processor = clean.share(("handset", key[1]), lambda: _handset(recipe, name))
    shadows = _shadows(processor, clean, stems, key, apart=recipe.common)
    heard, gain, report = _heard(recipe, processor, clean, stems, shadows, key)
    pcm, clipped = _to_output_level(heard, gain)
    pcm, encoded = coded(pcm, recipe.sample_rate_hz, suffix)

    level_at = _level_meter(processor, clean, stems, shadows[0], key)
    measured = measure(recipe, stems, shadows, pcm, entry, report, level_at)
    measured["clipped_share"] = max(clipped, float(report.get("clipped_share", 0.0)))
    check_labels(name, asked_labels(recipe, processor, entry), measured)
    return Render(pcm, stems, measured, encoded)


def _handset(recipe: Recipe, name: str) -> Processor | None:
    return None if recipe.handset is None else parse_op(recipe.handset, Processor, where=f"{name}, handset")


#: What two conditions of an utterance must have in common for its speech to pass room and handset alike.
_Key = tuple[str | None, str]


def _level_meter(
    processor: Processor | None, clean: CleanSpeech, stems: Stems, spoken: Samples, key: _Key
) -> Callable[[float], float]:
    """Return what tells the P.56 level in dBov of the speech in the output at a gain; conditions that share the speech share it.

    There the gain is taken to 0.0004 dB, so that they can.
    """

    def level_at(gain: float) -> float:
        return active_speech_level(spoken * np.float32(gain), clean.sample_rate_hz).level_dbov

    def shared_level_at(gain: float) -> float:
        gain = float(f"{gain:.4e}")
        if processor is None and gain == 1.0 and stems.level is not None:
            return stems.level.level_dbov
        return clean.share(("level", *key, gain), lambda: level_at(gain))

    return shared_level_at if processor is None or processor.linear else level_at


def _heard(
    recipe: Recipe, processor: Processor | None, clean: CleanSpeech, stems: Stems, shadows: list[Samples], key: _Key
) -> tuple[Samples, float, dict[str, Any]]:
    """Return the signal behind the handset, the gain that brings it to the output's level, and what the handset reports."""
    if processor is None or processor.linear:
        # what a linear handset makes of a sum is the sum of what it makes of the parts
        heard = stems.microphone() if processor is None else summed(shadows)
        level = stems.level if processor is None else None
        gain = clean.share(("gain", *key, recipe.level_dbov), lambda: _output_gain(shadows[0], recipe, level))
        return heard, gain, {}
    heard, report = apply_handset(processor, stems.microphone(), recipe.sample_rate_hz)
    spoken = shadows[0] * np.float32(speech_gain(fit_stems(heard, shadows)))
    return heard, _output_gain(spoken, recipe), report


def _shadows(processor: Processor | None, clean: CleanSpeech, stems: Stems, key: _Key, apart: bool) -> list[Samples]:
    """Return the speech, and all else that sounds as one, behind the linear part of the handset.

    Of all else one sum passes it, or where conditions draw in common each part `apart`, since they then share what comes out.
    """
    speech, *others = stems.present()
    rest = [summed(others)] if others else []
    if processor is None:
        return [speech, *rest]
    rate = clean.sample_rate_hz
    spoken = clean.share(("shadow", *key), lambda: linear_shadow(processor, speech, rate))
    if apart and rest:
        parts = []
        for part in stems.backgrounds:
            shadow = clean.share(("shadow", *key, part.key), partial(linear_shadow, processor, part.samples, rate))
            parts.append(replace(part, samples=shadow).heard())
        return [spoken, summed(parts)]
    return [spoken, *(linear_shadow(processor, stem, rate) for stem in rest)]


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


def _output_gain(spoken: Samples, recipe: Recipe, level: SpeechLevel | None = None) -> float:
    """Return the gain that brings the output to its level, told by the speech in it, behind the linear part of the handset.

    The level is that of the speech alone, as loud as it stands in what was heard: P.56 is not for noisy speech. `level` is what it
    has now, if that is known.
    """
    if not spoken.any():
        raise UnmetLevelError("the handset leaves nothing of the speech")
    wanted, _ = at_active_level(spoken, recipe.sample_rate_hz, recipe.level_dbov, level)
    if float(np.abs(wanted).max()) > 1.0:  # does its level stand when its peaks are clipped at full scale?
        heard = wanted * np.float32(speech_gain(fit_stems(np.clip(wanted, -1.0, 1.0), [wanted])))
        level_dbov = active_speech_level(heard, recipe.sample_rate_hz).level_dbov
        if not abs(level_dbov - recipe.level_dbov) <= LEVEL_MISS_DB:
            raise UnmetLevelError(
                f"clipping its peaks at full scale moves its active level to {level_dbov:.2f} dBov, "
                f"{recipe.level_dbov:g} asked: hardly speech"
            )
    loudest = int(np.argmax(np.abs(spoken)))
    return float(wanted[loudest] / spoken[loudest])


def _to_output_level(heard: Samples, gain: float) -> tuple[np.ndarray, float]:
    """Return what was heard with a gain, as 16-bit samples, and the share of samples clipped on the way."""
    from roomtone.core.audio._kernels import to_pcm

    pcm, clipped = to_pcm(heard, np.float32(gain * 32768.0))
    return pcm, clipped / max(pcm.size, 1)


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
