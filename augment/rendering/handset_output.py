"""What leaves the handset: everything at the microphone, and the speech in it.

A linear handset maps a sum to the sum of its outputs, so its parts are exact. One that is not linear (noise suppression, automatic gain,
clipping, codec, loss) treats speech otherwise when there is noise: a suppressor takes speech away with it. So the mix is sent
through once more with the background inverted and the same drawn numbers: half the sum of both outputs is the speech as it is in the file,
whose level is the file's. How well that tells them apart, see `separation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from roomtone.augment.ops.settling import Settling
from roomtone.augment.ops.table import Fetch, Processor, Source, parse_op, to_dict
from roomtone.augment.rendering.levels import LevelledSpeech, at_level, with_gain
from roomtone.augment.rendering.mixing import MICROPHONE_LEVEL_DBOV, CleanSpeech, Stems, summed, through_room
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.stem_fit import rms_db
from roomtone.augment.rendering.tolerances import UnmetLevelError
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry
from roomtone.augment.rooms.talker.moving import walk
from roomtone.core.audio.convolution import convolve
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Two renders of a source differ by less than this share of the energy where they are the same sound, rounding apart.
_SAME = 1e-4
#: How long noise fades into other noise of its kind, s.
_SEAM_S = 0.01


@dataclass(frozen=True)
class HandsetOutput:
    """The signals behind the handset, before the level of the file is set, float32 [shape=(samples,)] each.

    Attributes:
        samples: what the file is made of.
        speech: the speech in them: behind a linear handset exactly, else half the sum of `samples` and `inverted`.
        background: noise and equipment behind the linear part of the handset; None where there are none.
        reference: speech and background behind the linear part: what `samples` are but for gain, distortion and delay.
        linear: whether `samples` are exactly the sum of `speech` and `background`.
        report: what the handset measured (codec, clipped share, lost share).
        inverted: what the handset makes of the speech less the background; None where it is linear or there is no background.
        lasting_background: half the difference of both behind the handset, with what follows the file's end where the stems have a
            reserve; None where `inverted` is.
    """

    samples: Samples
    speech: Samples
    background: Samples | None
    reference: Samples
    linear: bool
    report: Mapping[str, Any]
    inverted: Samples | None = None
    lasting_background: Samples | None = None


class Handset:
    """The handset of one recipe, applied to its stems; conditions of an utterance share what they have in common.

    Args:
        recipe: what is rendered.
        clean: the prepared speech, which keeps the shared results.
        entry: the realised room, or None.
        name: names the sample in messages.
    """

    def __init__(self, recipe: Recipe, clean: CleanSpeech, entry: RoomEntry | None, name: str) -> None:
        self._recipe, self._clean = recipe, clean
        handset = json.dumps(recipe.handset, sort_keys=True)
        self._name = name
        #: Stands for the drawn handset.
        self.key = handset
        #: Room and handset: conditions in which both are equal share the speech behind them.
        self._key: tuple[Any, ...] = (None if entry is None else entry.id, handset)
        parse = partial(_parsed, recipe.handset, name)
        self.processor: Processor | None = clean.share(("handset", handset), parse)

    def talker_fir(self) -> np.ndarray | None:
        """Return what the handset does to the talker alone in front of the mix, float64 [shape=(odd taps,)], or None."""
        return None if self.processor is None else self.processor.talker_fir(self._recipe.sample_rate_hz)

    @property
    def reserve_samples(self) -> int:
        """Of how many samples behind the end of the file something may be heard in it."""
        processor = self.processor
        return processor.reserve_samples(self._recipe.sample_rate_hz) if isinstance(processor, Settling) else 0

    def sent(self, samples: Samples) -> Samples:
        """Return what the file holds of a signal behind the handset, float32 [shape=(file samples,)].

        Args:
            samples: with the reserve of the stems, float32 [shape=(file samples + reserve samples,)].
        """
        return self._sent(samples)[0][: self._recipe.num_samples]

    def output(self, stems: Stems) -> HandsetOutput:
        """Return the signals behind the handset.

        Args:
            stems: the parts at the microphone.

        Raises:
            RoomtoneError: the handset changed the length, or gave values that are not finite.
            UnmetLevelError: nothing of the speech is left.
        """
        if isinstance(self.processor, Settling) and self.processor.settles:
            self._settle(self.processor, stems)
        processor = self.processor
        if processor is None:
            _, *others = stems.present()
            background = summed(others) if others else None
            mix = stems.microphone()
            return HandsetOutput(mix, stems.speech, background, mix, True, {})
        rate = self._recipe.sample_rate_hz
        filtered = self._shared("linear speech", partial(processor.linear_reference, stems.speech, rate))
        background = self._filtered_background(processor, stems)
        reference = filtered if background is None else filtered + background
        if processor.linear:
            return HandsetOutput(reference, self._some(filtered, {}), background, reference, True, {})
        sent, size = stems.lasting(), self._recipe.num_samples
        lasting, report = self._sent(sent.microphone())
        samples = lasting[:size]
        if background is None:
            return HandsetOutput(samples, self._some(samples, report), None, reference, False, report)
        inverted, _ = self._sent(sent.speech - sent.background())
        speech = (lasting + inverted) * np.float32(0.5)
        return HandsetOutput(
            samples,
            self._some(speech[:size], report),
            background,
            reference,
            False,
            report,
            inverted[:size],
            lasting - speech,
        )

    def levelled(self, stems: Stems, output: HandsetOutput, level_dbov: float) -> LevelledSpeech:
        """Return the speech behind the handset with the gain that brings it to the level of the file.

        Args:
            stems: the parts at the microphone.
            output: the signals behind the handset.
            level_dbov: the level of the file.

        Raises:
            UnmetLevelError: it has no active level.
        """
        if self.processor is None and level_dbov == MICROPHONE_LEVEL_DBOV and stems.level is not None:
            return LevelledSpeech(stems.speech, 1.0, stems.level, stems.level_spread_db)
        make = partial(self._at_level, output.speech, level_dbov, output.report)
        if output.inverted is not None:  # speech that the background changed is no other condition's
            return make()
        return self._shared(("level", level_dbov), make)

    def _settle(self, processor: Settling, stems: Stems) -> None:
        """Let the handset treat all signals of this render as it treats their sum, which other conditions do not have."""
        reserve = stems.reserve[0].size if stems.reserve else 0
        settled = processor.settled(stems.lasting().microphone(), self._recipe.sample_rate_hz, reserve)
        self.processor = settled
        self._key = (*self._key, json.dumps(to_dict(settled), sort_keys=True))

    def _at_level(self, speech: Samples, level_dbov: float, report: Mapping[str, Any]) -> LevelledSpeech:
        try:
            return at_level(speech, self._recipe.sample_rate_hz, level_dbov)
        except UnmetLevelError as error:
            if self.processor is None:
                raise
            raise UnmetLevelError(
                f"{self._name}: no active speech is left behind the handset (ITU-T P.56): what it makes of this speech has "
                f"{rms_db(speech):.0f} dBov; {_where_to_look(report)}"
            ) from error

    def _some(self, speech: Samples, report: Mapping[str, Any]) -> Samples:
        if not speech.any():
            raise UnmetLevelError(
                f"{self._name}: no speech is left behind the handset: what its stages make of it is silence; {_where_to_look(report)}"
            )
        return speech

    def _filtered_background(self, processor: Processor, stems: Stems) -> Samples | None:
        """Return noise and equipment behind the linear part: as one sum, or apart where conditions then share the results."""
        rate = self._recipe.sample_rate_hz
        if not stems.backgrounds:
            return None
        if not self._recipe.common:
            return processor.linear_reference(summed(stems.present()[1:]), rate)
        parts = []
        for part in stems.backgrounds:
            make = partial(processor.linear_reference, part.samples, rate)
            parts.append(replace(part, samples=self._shared(("background", part.key), make)).scaled())
        return summed(parts)

    def _sent(self, samples: Samples) -> tuple[Samples, dict[str, Any]]:
        assert self.processor is not None
        return apply_handset(self.processor, samples, self._recipe.sample_rate_hz)

    def _shared(self, what: Any, make: Any) -> Any:
        return self._clean.share((what, *self._key), make)


def with_reserve(
    stems: Stems, recipe: Recipe, clean: CleanSpeech, fetch: Fetch, entry: RoomEntry | None, reserve_samples: int
) -> Stems:
    """Return the stems with what follows the end of the file, for a handset that removes time and then needs it.

    The talker falls silent and the room rings on; noise and equipment go on as they do in a longer file.

    Args:
        stems: of the recipe.
        recipe, clean, fetch, entry: as in `mix_stems`.
        reserve_samples: how many samples; with 0 the stems are returned as they are.
    """
    if not reserve_samples:
        return stems
    reserve = [_speech_behind(stems, clean, entry, reserve_samples)]
    present = [(what, getattr(recipe, what)) for what in ("noise", "equipment") if getattr(stems, what) is not None]
    for (what, mapping), background in zip(present, stems.backgrounds, strict=True):
        make = partial(_source_behind, background.samples, what, mapping, recipe, fetch, entry, reserve_samples)
        key = ("behind", reserve_samples, background.key)
        behind = make() if background.key is None else clean.share(key, make)
        reserve.append(with_gain(behind, background.gain_db))
    return replace(stems, reserve=tuple(reserve))


def _speech_behind(stems: Stems, clean: CleanSpeech, entry: RoomEntry | None, size: int) -> Samples:
    """Return the reverberant tail of the speech behind the end of the file."""
    if entry is None:
        return np.zeros(size, dtype=np.float32)
    samples, gain = clean.samples, np.float32(stems.speech_gain)
    if entry.path is not None:
        longer = walk(np.pad(samples, (0, size)), entry.path, entry.path_responses, clean.sample_rate_hz)
        return longer[samples.size :] * gain
    return convolve(samples, entry.responses["speech"], DIRECT_SAMPLE + samples.size, size) * gain


def _source_behind(
    samples: Samples,
    what: str,
    mapping: Mapping[str, Any],
    recipe: Recipe,
    fetch: Fetch,
    entry: RoomEntry | None,
    size: int,
) -> Samples:
    """Return a source behind the end of the file, before its gain.

    Sources that play by the clock go on as they would in a longer file. Noise made for a longer file is other noise from its first sample
    on: it follows the end through a cross-fade with the samples before the end, mirrored in time.
    """
    op = parse_op(mapping, Source, where=what)
    longer, _, _ = through_room(op, replace(recipe, num_samples=samples.size + size), fetch, entry, what)
    behind = longer[samples.size :]
    miss = longer[: samples.size] - samples
    if float(miss @ miss) < _SAME * float(samples @ samples):
        return behind
    seam = min(round(_SEAM_S * recipe.sample_rate_hz), size, samples.size - 1)
    angle = (0.5 * np.pi / max(seam, 1)) * (np.arange(seam) + 0.5)
    mirrored = samples[::-1][1 : 1 + seam]
    return np.concatenate(
        [(mirrored * np.cos(angle) + behind[:seam] * np.sin(angle)).astype(np.float32), behind[seam:]]
    )


def _parsed(mapping: Mapping[str, Any] | None, name: str) -> Processor | None:
    return None if mapping is None else parse_op(mapping, Processor, where=f"{name}, handset")


def _where_to_look(report: Mapping[str, Any]) -> str:
    """Return what may have silenced the speech, by what the handset reports."""
    if report.get("lost_share") != 1.0:
        return "check gains, responses and losses of its stages"
    if "time_map" not in report:
        return "all frames were lost; lower its loss"
    return (
        "all packets were lost or came too late for the jitter buffer; lower mean_ms, outages_per_minute, outage_ms or loss, "
        "or raise highest_ms"
    )


def apply_handset(processor: Processor, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
    """Return the signal behind a handset, and what the handset reports (codec, clipped share, lost share).

    Args:
        processor: the drawn handset.
        samples: the signal at the microphone, float32 [shape=(samples,)].
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
