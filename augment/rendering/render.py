"""From a recipe and the clean speech to samples: the signal chain, in the order that physics has it.

clean speech -> level (P.56) -> room -> sum with noise and equipment at the microphone, where SNRs are defined -> handset
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
    """One finished sample.

    Attributes:
        pcm: int16 [shape=(samples,)].
        stems: its parts at the microphone.
        measured: manifest columns.
        encoded: the bytes of its file where the container is lossy, else None.
    """

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
    """Return the render of a recipe, measured and compared with its labels.

    Args:
        recipe: what to render.
        clean: the prepared speech, `recipe.num_samples` long.
        fetch: returns samples of a recording by asset id.
        entry: the realised room of `recipe.room`, or None.
        name: names the sample in messages.
        suffix: how the sample is kept; for a lossy `opus` the samples are those that a reader decodes.

    Raises:
        LabelError: a measured value misses its label.
        UnmetLevelError: a noise or an equipment that is silent, or speech that no gain brings to its level.
    """
    if clean.samples.size != recipe.num_samples or clean.sample_rate_hz != recipe.sample_rate_hz:
        raise RoomtoneError(f"{name}: the recipe is for {recipe.num_samples} samples at {recipe.sample_rate_hz} Hz")
    stems = mix_stems(recipe, clean, fetch, entry)
    key = (None if entry is None else entry.id, json.dumps(recipe.handset, sort_keys=True))
    processor = clean.share(("handset", key[1]), lambda: _handset(recipe, name))
    references = _linear_references(processor, clean, stems, key, apart=recipe.common)
    output, gain, report = _handset_output(recipe, processor, clean, stems, references, key)
    pcm, clipped = _to_output_level(output, gain)
    pcm, encoded = coded(pcm, recipe.sample_rate_hz, suffix)

    level_at = _level_meter(processor, clean, stems, references[0], key)
    measured = measure(recipe, stems, references, pcm, entry, report, level_at)
    measured["clipped_share"] = max(clipped, float(report.get("clipped_share", 0.0)))
    check_labels(name, asked_labels(recipe, processor, entry), measured)
    return Render(pcm, stems, measured, encoded)


def _handset(recipe: Recipe, name: str) -> Processor | None:
    return None if recipe.handset is None else parse_op(recipe.handset, Processor, where=f"{name}, handset")


#: Room and handset: conditions of an utterance in which both are equal share the speech behind them.
_Key = tuple[str | None, str]


def _level_meter(
    processor: Processor | None, clean: CleanSpeech, stems: Stems, spoken: Samples, key: _Key
) -> Callable[[float], float]:
    """Return a function from a gain to the P.56 level in dBov of the speech in the output.

    Conditions that share the speech share its readings; for that the gain is rounded to 0.0004 dB.
    """

    def level_at(gain: float) -> float:
        return active_speech_level(spoken * np.float32(gain), clean.sample_rate_hz).level_dbov

    def shared_level_at(gain: float) -> float:
        gain = float(f"{gain:.4e}")
        if processor is None and gain == 1.0 and stems.level is not None:
            return stems.level.level_dbov
        return clean.share(("level", *key, gain), lambda: level_at(gain))

    return shared_level_at if processor is None or processor.linear else level_at


def _handset_output(
    recipe: Recipe, processor: Processor | None, clean: CleanSpeech, stems: Stems, references: list[Samples], key: _Key
) -> tuple[Samples, float, dict[str, Any]]:
    """Return the signal behind the handset, the gain that brings it to the output's level, and what the handset reports."""
    if processor is None or processor.linear:
        # a linear handset maps a sum to the sum of its outputs
        output = stems.microphone() if processor is None else summed(references)
        level = stems.level if processor is None else None
        gain = clean.share(("gain", *key, recipe.level_dbov), lambda: _output_gain(references[0], recipe, level))
        return output, gain, {}
    output, report = apply_handset(processor, stems.microphone(), recipe.sample_rate_hz)
    speech = references[0] * np.float32(speech_gain(fit_stems(output, references)))
    return output, _output_gain(speech, recipe), report


def _linear_references(
    processor: Processor | None, clean: CleanSpeech, stems: Stems, key: _Key, apart: bool
) -> list[Samples]:
    """Return the speech, and the sum of noise and equipment, behind the linear part of the handset.

    Noise and equipment pass it as one sum, or where conditions draw in common each `apart`, since conditions then share the results.
    """
    speech, *others = stems.present()
    rest = [summed(others)] if others else []
    if processor is None:
        return [speech, *rest]
    rate = clean.sample_rate_hz
    filtered = clean.share(("reference", *key), lambda: processor.linear_reference(speech, rate))
    if apart and rest:
        parts = []
        for part in stems.backgrounds:
            make = partial(processor.linear_reference, part.samples, rate)
            samples = clean.share(("reference", *key, part.key), make)
            parts.append(replace(part, samples=samples).scaled())
        return [filtered, summed(parts)]
    return [filtered, *(processor.linear_reference(stem, rate) for stem in rest)]


def apply_handset(processor: Processor, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
    """Return the signal behind a handset, and what the handset reports (codec, clipped share, lost share).

    Args:
        processor: the drawn handset.
        samples: the mix at the microphone, float32 [shape=(samples,)].
        sample_rate_hz: in Hz.

    Raises:
        RoomtoneError: the handset changed the length, or gave values that are not finite.
    """
    output, report = processor.apply_measured(samples, sample_rate_hz)
    if output.shape != samples.shape or not np.isfinite(output).all():
        raise RoomtoneError(
            f"op {processor.op!r} gave {output.shape} samples for {samples.shape}, or values that are not finite"
        )
    return output, report


def _output_gain(speech: Samples, recipe: Recipe, level: SpeechLevel | None = None) -> float:
    """Return the gain that brings the output to its level, measured on the speech in it behind the linear part of the handset.

    P.56 is not for noisy speech, so the level is that of the speech alone. `level` is its present one, where it is known.
    """
    if not speech.any():
        raise UnmetLevelError("no speech is left behind the handset")
    wanted, _ = at_active_level(speech, recipe.sample_rate_hz, recipe.level_dbov, level)
    if float(np.abs(wanted).max()) > 1.0:  # is its level still right when its peaks are clipped at full scale?
        clipped = wanted * np.float32(speech_gain(fit_stems(np.clip(wanted, -1.0, 1.0), [wanted])))
        level_dbov = active_speech_level(clipped, recipe.sample_rate_hz).level_dbov
        if not abs(level_dbov - recipe.level_dbov) <= LEVEL_MISS_DB:
            raise UnmetLevelError(
                f"clipping its peaks at full scale changes its active level to {level_dbov:.2f} dBov, "
                f"{recipe.level_dbov:g} asked (limit {LEVEL_MISS_DB} dB)"
            )
    loudest = int(np.argmax(np.abs(speech)))
    return float(wanted[loudest] / speech[loudest])


def _to_output_level(output: Samples, gain: float) -> tuple[np.ndarray, float]:
    """Return a signal with a gain, as 16-bit samples, and the share of samples that were clipped."""
    from roomtone.core.audio._kernels import to_pcm

    pcm, clipped = to_pcm(output, np.float32(gain * 32768.0))
    return pcm, clipped / max(pcm.size, 1)


def asked_labels(recipe: Recipe, processor: Processor | None, entry: RoomEntry | None) -> dict[str, Any]:
    """Return the labels of a render, by the names of `tolerances.TOLERANCES`.

    Args:
        recipe: what was to be rendered.
        processor: its handset, or None.
        entry: the realised room, or None.
    """
    codec = {} if processor is None else processor.asked_codec()
    return {
        "snr_db": recipe.snr_db,
        "equipment_snr_db": recipe.equipment_snr_db,
        "level_dbov": recipe.level_dbov,
        "asked_delay_samples": 0,
        "asked_codec": codec.get("codec"),
        "asked_codec_rate_hz": codec.get("codec_rate_hz"),
        "t30_s": None if entry is None else entry.t30_s,
    }
