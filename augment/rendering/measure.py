"""What is measured on every render, from its finished signals: what its manifest row says of it beyond the labels.

A figure that cannot be told from this render is null, and `Measured.reasons` says why.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.recordings.sounding import sounding_share
from roomtone.augment.rendering.file_level import FileSamples
from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.mixing import Stems, while_sounding
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.separation import Separation
from roomtone.augment.rendering.stem_fit import explained_share, fit_stems, rms_db
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry, claimed_octaves_hz
from roomtone.augment.rooms.talker.walk_figures import MOVES, MOVES_IN_ROOM, ROOM_FIGURES
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.audio.delay import IN_TIME, Lag, measured_lag
from roomtone.core.audio.time_map import then
from roomtone.core.audio.types import Samples

#: Why a row of a stretched file has no single delay.
STRETCHES = "a jitter buffer stretches time, so no one delay holds; see time_map"


@dataclass(frozen=True)
class Measured:
    """What was measured on one render.

    Attributes:
        values: by manifest column.
        reasons: why a column is null where it cannot be told, by column.
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str]

    def columns(self) -> dict[str, Any]:
        """Return the manifest columns, the reasons among them as JSON under `unmeasured`."""
        reasons = json.dumps(dict(self.reasons), sort_keys=True, ensure_ascii=False) if self.reasons else None
        return {**self.values, "unmeasured": reasons}


def measure(
    recipe: Recipe,
    stems: Stems,
    output: HandsetOutput,
    file: FileSamples,
    parts: Separation | None,
    entry: RoomEntry | None,
) -> Measured:
    """Return what was measured on one render.

    Args:
        recipe: what was rendered.
        stems: the parts at the microphone.
        output: the signals behind the handset.
        file: the samples of the file.
        parts: how much of the handset's output is speech, background and neither; None where there is no background.
        entry: the realised room, or None.
    """
    speech = stems.level
    assert speech is not None
    lag = _file_lag(output, file, recipe.sample_rate_hz)
    measured_delay = None if lag.samples is None or stems.room_delay is None else stems.room_delay + lag.samples
    output_snr_db, snr_reason, level_reason, spread_db = None, None, None, file.speech.spread_db
    if parts is not None:
        output_snr_db, snr_reason = parts.snr_db(file.speech.level.level_dbov - 20.0 * math.log10(file.speech.gain))
        level_reason, spread_db = parts.level_reason(), spread_db + parts.level_doubt_db
    values: dict[str, Any] = {
        "level_dbov": file.level_dbov,
        "active_level_dbov": file.active_level_dbov if level_reason is None else None,
        "noise_sounding_share": None,
        "active_level_spread_db": spread_db if level_reason is None else None,
        "activity": speech.activity,
        "clipped_share": max(file.clipped_share, float(output.report.get("clipped_share", 0.0))),
        "delay_samples": stems.room_delay,  # handsets take out their own delay, which they know
        "measured_delay_samples": measured_delay,
        "output_snr_db": output_snr_db,
        "measured_codec": output.report.get("codec"),
        "measured_codec_rate_hz": output.report.get("codec_rate_hz"),
        "measured_codec_kbit_s": output.report.get("codec_kbit_s"),
        "measured_lost_share": output.report.get("lost_share"),
        "frames_lost": output.report.get("frames_lost"),
        "frames_affected": output.report.get("frames_affected"),
        "time_added_s": output.report.get("time_added_s"),
        "time_removed_s": output.report.get("time_removed_s"),
    }
    values |= _microphone_snrs(stems, recipe.sample_rate_hz)
    if recipe.handset is None and stems.backgrounds:
        _add_gain_errors(values, stems, file.uncoded)
    values |= _walk_columns(stems)
    found = {"measured_delay_samples": lag.reason, "output_snr_db": snr_reason}
    found |= dict.fromkeys(("active_level_dbov", "active_level_spread_db"), level_reason)
    room_values, room_reasons = _room_measures(entry, recipe.sample_rate_hz)
    values |= room_values
    found |= room_reasons
    if stems.walk is not None:
        found |= {"delay_samples": MOVES, "measured_delay_samples": MOVES, **dict.fromkeys(ROOM_FIGURES, MOVES_IN_ROOM)}
    if "time_map" in output.report:
        values |= _playout_columns(stems, output.report)
        found |= {"delay_samples": STRETCHES, "measured_delay_samples": STRETCHES}
    reasons = {column: reason for column, reason in found.items() if reason is not None}
    return Measured(values, reasons)


def _walk_columns(stems: Stems) -> dict[str, str | None]:
    """Return the columns of a talker who walks; None where nobody does."""
    if stems.walk is None:
        return {"time_map": None, "measured_path_ends": None}
    noise_dbov = None if stems.noise is None else rms_db(stems.noise)
    equipment_dbov = None if stems.equipment is None else rms_db(while_sounding(stems.equipment, stems.sounding))
    return dict(stems.walk.columns(noise_dbov, equipment_dbov))


def _playout_columns(stems: Stems, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a handset that stretches time, the map behind that of a talker who walks."""
    heard = report["time_map"] if stems.walk is None else then(stems.walk.time_map, report["time_map"])
    return {"delay_samples": None, "measured_delay_samples": None, "time_map": json.dumps(heard)}


def _microphone_snrs(stems: Stems, sample_rate_hz: int) -> dict[str, float | None]:
    """Return the SNRs at the microphone, dB; None where the factor is `none`."""
    names = ("snr_db", "snr_rms_db", "equipment_snr_db", "equipment_snr_long_db", "equipment_snr_loudest_db")
    values: dict[str, float | None] = dict.fromkeys((f"measured_{name}" for name in names), None)
    assert stems.level is not None
    level_dbov = stems.level.level_dbov
    if stems.noise is not None:
        noise_db = rms_db(stems.noise)
        values["measured_snr_db"] = level_dbov - noise_db
        values["measured_snr_rms_db"] = rms_db(stems.speech) - noise_db
        values["noise_sounding_share"] = sounding_share(stems.noise, sample_rate_hz)
    if stems.equipment is not None:
        sounding, long_db = while_sounding(stems.equipment, stems.sounding), rms_db(stems.equipment)
        sounding_db = long_db if sounding is stems.equipment else rms_db(sounding)
        values["measured_equipment_snr_db"] = level_dbov - sounding_db
        values["measured_equipment_snr_long_db"] = level_dbov - long_db
        values["measured_equipment_snr_loudest_db"] = level_dbov - _loudest_db(stems.equipment, sample_rate_hz)
    return values


def _loudest_db(samples: Samples, sample_rate_hz: int) -> float:
    """Return the RMS of the loudest 10 ms in dBov, on a grid of 1 ms; of fewer samples than that, of all."""
    from roomtone.core.audio._kernels import block_energies

    block = round(0.001 * sample_rate_hz)
    if samples.size < 10 * block:
        return rms_db(samples)
    sums = np.convolve(block_energies(samples, block), np.ones(10), "valid")
    return 10.0 * float(np.log10(sums.max() / (10 * block)))


def _add_gain_errors(values: dict[str, Any], stems: Stems, pcm: np.ndarray) -> None:
    """Correct the SNRs by the gains of the stems in the output, which without a handset is their plain sum."""
    speech, *others = fit_stems(pcm, stems.present())
    columns = [column for column in ("measured_snr_db", "measured_equipment_snr_db") if values[column] is not None]
    for column, gain in zip(columns, others, strict=True):
        values[column] -= 20.0 * float(np.log10(abs(gain / speech)))


def _file_lag(output: HandsetOutput, file: FileSamples, sample_rate_hz: int) -> Lag:
    """Return by how many samples the file lags what was at the microphone."""
    if explained_share(file.pcm, output.reference) > IN_TIME:
        return Lag(0)
    return measured_lag(output.reference, file.pcm, sample_rate_hz)


def _room_measures(entry: RoomEntry | None, sample_rate_hz: int) -> tuple[Mapping[str, Any], Mapping[str, str | None]]:
    """Return the figures of the response that was used, and why some cannot be told; None without a room, and where a walk uses many."""
    if entry is None or entry.path is not None:
        return dict.fromkeys((*ROOM_FIGURES, "measured_two_slopes")), {}
    octaves_hz = claimed_octaves_hz(entry.parameters)
    coupled = "coupled" in entry.parameters
    return _response_measures(entry.responses["speech"], sample_rate_hz, octaves_hz, coupled)


@functools.lru_cache(maxsize=256)
def _response_measures(
    response: ImpulseResponse, sample_rate_hz: int, octaves_hz: tuple[float, ...], coupled: bool
) -> tuple[Mapping[str, float | str | None], Mapping[str, str | None]]:
    from roomtone.augment.rooms.acoustics import room_figures, rounded_octaves, untold_octaves
    from roomtone.augment.rooms.coupled import two_slopes_s

    figures, octaves = room_figures(response.taps, sample_rate_hz, DIRECT_SAMPLE, octaves_hz)
    told = rounded_octaves(octaves)
    measured = {f"measured_{name}": value for name, value in figures.items()}
    slopes = two_slopes_s(response.taps, sample_rate_hz) if coupled else {}
    slopes = {name: round(time_s, 3) for name, time_s in slopes.items() if np.isfinite(time_s)}
    values = measured | {
        "measured_t30_octaves": json.dumps(told) if told else None,
        "measured_two_slopes": json.dumps(slopes) if slopes else None,
    }
    return values, {"measured_t30_octaves": untold_octaves(octaves)}
