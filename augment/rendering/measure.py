"""What is measured on every render, from its finished signals: the `measured_*` columns of its manifest row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from roomtone.augment.rendering.mixing import Stems, summed, while_sounding
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.stem_fit import StemFit, fit_stems, rms_db
from roomtone.augment.rendering.tolerances import UnmetLevelError
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.audio.delay import IN_TIME, measured_delay
from roomtone.core.audio.types import Samples


def measure(
    recipe: Recipe,
    stems: Stems,
    references: list[Samples],
    pcm: np.ndarray,
    entry: RoomEntry | None,
    report: Mapping[str, Any],
    level_at: Callable[[float], float],
) -> dict[str, Any]:
    """Return the `measured_*` columns of one render.

    Args:
        recipe: what was rendered.
        stems: the parts at the microphone.
        references: the speech, and the sum of the other stems, after the linear part of the handset.
        pcm: the finished samples, int16 [shape=(samples,)].
        entry: the realised room, or None.
        report: what the handset measured.
        level_at: returns the P.56 level in dBov of the first reference at a gain.

    Raises:
        UnmetLevelError: the speech is not in the output.
    """
    speech = stems.level
    assert speech is not None
    fit = fit_stems(pcm, references)
    row: dict[str, Any] = {
        "measured_snr_db": None,
        "measured_snr_rms_db": None,
        "measured_equipment_snr_db": None,
        "measured_equipment_snr_long_db": None,
        "active_level_dbov": level_at(speech_gain(fit) / 32768.0),
        "activity": speech.activity,
        "delay_samples": _total_delay(stems, references, pcm, fit),
        "measured_codec": report.get("codec"),
        "measured_codec_rate_hz": report.get("codec_rate_hz"),
        "measured_codec_kbit_s": report.get("codec_kbit_s"),
        "measured_lost_share": report.get("lost_share"),
    }
    if stems.noise is not None:
        noise_db = rms_db(stems.noise)
        row["measured_snr_db"] = speech.level_dbov - noise_db
        row["measured_snr_rms_db"] = rms_db(stems.speech) - noise_db
    if stems.equipment is not None:
        sounding, long_db = while_sounding(stems.equipment, stems.sounding), rms_db(stems.equipment)
        sounding_db = long_db if sounding is stems.equipment else rms_db(sounding)
        row["measured_equipment_snr_db"] = speech.level_dbov - sounding_db
        row["measured_equipment_snr_long_db"] = speech.level_dbov - long_db
    if recipe.handset is None and len(references) > 1:
        _add_gain_errors(row, stems, pcm)
    return row | _room_measures(entry, recipe.sample_rate_hz)


def speech_gain(fit: StemFit) -> float:
    """Return the gain of the speech, the first stem of `fit`, in an output.

    Raises:
        UnmetLevelError: it is not in the output.
    """
    gain = abs(fit.gains[0])
    if not gain > 0.0:
        raise UnmetLevelError("no speech is left behind the handset")
    return gain


def _add_gain_errors(row: dict[str, Any], stems: Stems, pcm: np.ndarray) -> None:
    """Correct the SNRs by the gains of the stems in the output, which without a handset is their plain sum."""
    speech, *others = fit_stems(pcm, stems.present()).gains
    columns = [column for column in ("measured_snr_db", "measured_equipment_snr_db") if row[column] is not None]
    for column, gain in zip(columns, others, strict=True):
        row[column] -= 20.0 * float(np.log10(abs(gain / speech)))


def _total_delay(stems: Stems, references: list[Samples], pcm: np.ndarray, fit: StemFit) -> int:
    """Return the delay of room and handset together, in samples."""
    if fit.together > IN_TIME:
        return stems.room_delay
    return stems.room_delay + measured_delay(summed(references), pcm.astype(np.float32))


def _room_measures(entry: RoomEntry | None, sample_rate_hz: int) -> dict[str, Any]:
    if entry is None:
        return {"measured_t30_s": None, "measured_c50_db": None, "measured_drr_db": None}
    return dict(_response_measures(entry.responses["speech"], sample_rate_hz))


@functools.lru_cache(maxsize=256)
def _response_measures(response: ImpulseResponse, sample_rate_hz: int) -> Mapping[str, float]:
    from roomtone.augment.rooms.acoustics import measure_response as measure_room

    found = measure_room(response.taps, sample_rate_hz, DIRECT_SAMPLE)
    return {"measured_t30_s": found.t30_s, "measured_c50_db": found.c50_db, "measured_drr_db": found.drr_db}
