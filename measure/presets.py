"""From measurements to presets: the ops, and YAML with a comment on every key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.measure.machine import Machine, NoiseBeside
from roomtone.measure.spectra.cycle import Pulse
from roomtone.measure.spectra.harmonics import fundamental, harmonic_numbers

#: Weaker partials re the strongest are left out of a preset, and so are all but the strongest few.
_WEAKEST_DB = -32.0
_MOST_PARTIALS = 16
#: A decaying pulse ends after so many time constants, 43 dB down.
_DECAY_TIMES = 5.0


def machine_op(machine: Machine) -> dict[str, Any]:
    """Return the parametric preset of a machine, a `periodic_tone` without its level: the SNR of a scenario sets that."""
    if machine.kind == "steady" or machine.cycle is None:
        return _steady_op(machine)
    op = _pulsed_op(machine, machine.cycle.pulses)
    return op | {"period_s": round(machine.period_s, 5)} | _timing(machine, _jitter(machine, op))


def recorded_op(machine: Machine, path: str, asset: str | None = None) -> dict[str, Any]:
    """Return the `recorded_cycle` op of a machine.

    Args:
        machine: with a recorded cycle.
        path: of its recording, or the folder of that, relative to the preset.
        asset: id of the recording, where `path` is a folder.
    """
    assert machine.recorded is not None
    return {
        "op": "recorded_cycle",
        "path": path,
        **({"asset": asset} if asset else {}),
        "period_s": round(machine.period_s, 5),
        "pitch": 1.0,
        **_timing(machine, round(machine.jitter_s, 4)),
        **({"sounds": [list(span) for span in machine.recorded.sounds]} if machine.recorded.sounds else {}),
    }


def _steady_op(machine: Machine) -> dict[str, Any]:
    op: dict[str, Any] = {
        "op": "periodic_tone",
        "fundamental_hz": round(machine.fundamental_hz, 3),
        "harmonics": _levels({p.hz / machine.fundamental_hz: p.power for p in machine.partials}),
    }
    if machine.drift > 1e-4:
        op["drift"] = round(min(machine.drift, 0.2), 5)
    if machine.am_depth:
        op |= {"am_hz": round(machine.am_hz, 3), "am_depth": round(machine.am_depth, 3)}
    return op


def _levels(powers: Mapping[float, float]) -> list[list[float]]:
    """Return `[ratio, dB re the strongest]`, ratios ascending; a ratio within 0.6 % of a whole number is rounded to it."""
    top = max(powers.values())
    strongest = sorted(powers.items(), key=lambda item: -item[1])[:_MOST_PARTIALS]
    rows = [[_whole(ratio), round(float(10.0 * np.log10(power / top)), 2)] for ratio, power in strongest]
    return sorted(row for row in rows if row[1] >= _WEAKEST_DB)


def _whole(ratio: float) -> float:
    return float(round(ratio)) if ratio > 0.5 and abs(ratio - round(ratio)) < 0.006 * ratio else round(ratio, 5)


def _pulsed_op(machine: Machine, pulses: Sequence[Pulse]) -> dict[str, Any]:
    tonal = [pulse for pulse in pulses if pulse.partials]
    if not tonal:
        return _noise_op(machine, pulses)
    base = machine.fundamental_hz
    pitches = [fundamental(pulse.partials, tolerance_hz=2.0) for pulse in tonal]
    harmonic = machine.one_spectrum and all(_harmonic(pulse, pitch) for pulse, pitch in zip(tonal, pitches))
    op = _harmonic_op(tonal, pitches, base) if harmonic else _inharmonic_op(tonal)
    edge = round(float(np.clip(0.2 * min(pulse.length_s for pulse in tonal), 0.001, 0.010)), 4)
    op |= {"rise_s": edge, "fall_s": edge}
    rows = op["pulses"]
    if all(pulse.decaying for pulse in tonal):
        op["decay_s"] = round(float(np.median([pulse.length_s for pulse in tonal])) / np.log(2.0), 4)
        rows = [[row[0], _DECAY_TIMES * op["decay_s"], *row[2:]] for row in rows]
    return op | _noise_beside(machine.noise) | {"pulses": _within_period(rows, machine.period_s, edge)}


def _noise_beside(noise: NoiseBeside | None) -> dict[str, Any]:
    if noise is None:
        return {}
    return {
        "noise_db": round(noise.level_db, 2),
        "noise_band_hz": [round(hz, 1) for hz in noise.band_hz],
        "noise_slope_db_per_octave": round(noise.slope_db_per_octave, 2),
    }


def _harmonic(pulse: Pulse, pitch_hz: float) -> bool:
    """Return whether 90 % of the power of a pulse is on harmonics of its pitch."""
    number = harmonic_numbers(np.array([p.hz for p in pulse.partials]), pitch_hz, 3.0)
    power = np.array([p.power for p in pulse.partials])
    return bool(power[number > 0].sum() > 0.9 * power.sum())


def _harmonic_op(pulses: Sequence[Pulse], pitches: Sequence[float], base: float) -> dict[str, Any]:
    """Return an op with one set of harmonics, and one row with a pitch for each pulse."""
    powers: dict[float, float] = {}
    for pulse, pitch in zip(pulses, pitches):
        number = harmonic_numbers(np.array([p.hz for p in pulse.partials]), pitch, 3.0)
        for n, partial in zip(number, pulse.partials):
            if n > 0:
                powers[float(n)] = powers.get(float(n), 0.0) + partial.power * pulse.length_s
    loud = [sum(p.power for p in pulse.partials) for pulse in pulses]
    rows = []
    for pulse, pitch, power in zip(pulses, pitches, loud):
        level = round(float(10.0 * np.log10(power / max(loud))), 2)
        rows.append([pulse.onset_s, pulse.length_s, _rounded_pitch(pitch / base), level, round(pulse.glide, 4)])
    return {"op": "periodic_tone", "fundamental_hz": round(base, 3), "harmonics": _levels(powers), "pulses": rows}


def _rounded_pitch(ratio: float) -> float:
    return 1.0 if abs(ratio - 1.0) < 0.008 else round(ratio, 5)


def _inharmonic_op(pulses: Sequence[Pulse]) -> dict[str, Any]:
    """Return an op with one row for each partial of each pulse: for tones that share no fundamental."""
    top = max(p.power for pulse in pulses for p in pulse.partials)
    rows = [
        [
            pulse.onset_s,
            pulse.length_s,
            round(p.hz, 2),
            round(float(10.0 * np.log10(p.power / top)), 2),
            round(pulse.glide, 4),
        ]
        for pulse in pulses
        for p in pulse.partials[:8]
        if p.power > top * 10.0 ** (_WEAKEST_DB / 10.0)
    ]
    return {"op": "periodic_tone", "fundamental_hz": 1.0, "harmonics": [[1.0, 0.0]], "pulses": rows}


def _noise_op(machine: Machine, pulses: Sequence[Pulse]) -> dict[str, Any]:
    """Return an op of noise bursts, each with its level, all in the band of the strongest."""
    strongest = max(pulses, key=lambda pulse: pulse.noise_power)
    rise, fall = (round(float(np.median([getattr(p, edge) for p in pulses])), 4) for edge in ("rise_s", "fall_s"))
    top = max(strongest.noise_power, 1e-30)
    rows = [
        [p.onset_s, p.length_s, 1.0, round(float(10.0 * np.log10(max(p.noise_power / top, 1e-4))), 2)] for p in pulses
    ]
    op = {"op": "periodic_tone", "harmonics": [], "noise_db": 0.0}
    op |= {"noise_band_hz": [round(hz, 1) for hz in strongest.noise_band_hz]}
    op |= {"noise_slope_db_per_octave": round(strongest.noise_slope_db_per_octave, 2), "rise_s": rise, "fall_s": fall}
    return op | {"pulses": _within_period(rows, machine.period_s, 0.5 * (rise + fall))}


def _within_period(rows: list[list[float]], period_s: float, edge_s: float) -> list[list[float]]:
    """Return rows that start at 0 and end within the period, with lengths from 0 % of the rise to 0 % of the fall."""
    first = min(row[0] for row in rows)
    limit = 0.999 * period_s if period_s else np.inf
    out = []
    for onset, length, *rest in rows:
        onset = onset - first
        if onset < limit - 0.002:
            out.append([round(onset, 4), round(float(min(length + edge_s, limit - onset)), 4), *rest])
    return out


def _timing(machine: Machine, jitter_s: float) -> dict[str, Any]:
    adding_up = {"timing": machine.timing} if machine.timing != "grid" else {}
    return {"jitter_s": jitter_s} | adding_up if machine.jitter_s else {}


def _jitter(machine: Machine, op: Mapping[str, Any]) -> float:
    burst_s = max(row[0] + row[1] for row in op["pulses"])
    return round(float(np.clip(machine.jitter_s, 0.0, 0.49 * max(machine.period_s - burst_s, 0.0))), 4)


#: What the keys of written presets mean; each is written with its comment.
COMMENTS = {
    "fundamental_hz": "pitch in Hz; a range such as [700, 900] draws a pitch for each file",
    "harmonics": "[ratio to the pitch, level in dB], at the microphone, so they include the room",
    "pulses": "[onset s, length s, pitch, level dB, glide] of one burst; lengths include both edges",
    "period_s": "from burst to burst; a range such as [1, 2] draws a period for each file",
    "jitter_s": "largest deviation of a burst from the period",
    "timing": "each burst counts from the last one, so deviations add up",
    "rise_s": "edges of a pulse; those of tones are not measured",
    "fall_s": "edges of a pulse; those of tones are not measured",
    "decay_s": "time constant of a decaying sound; it includes the room",
    "drift": "share by which the pitch drifts",
    "am_hz": "rate of the amplitude modulation",
    "am_depth": "depth of the amplitude modulation, 0 to 1",
    "noise_db": "level of noise that sounds with the pulses, re the tones; no tones where harmonics are empty",
    "noise_band_hz": "the band that holds 98 % of its power",
    "noise_slope_db_per_octave": "slope of its density",
    "pitch": "ratio to the recording; a range such as [0.9, 1.1] draws a pitch for each file",
    "sounds": "[onset s, length s] of each sound in the recording",
    "asset": "the recording in that folder",
    "parts": "the machines of the recording, each with its level",
    "path": "relative to this file",
    "levels": "the dB below are third-octave band levels",
    "spectrum": "[centre in Hz, dB], as recorded",
    "low_hz": "lower edge of the lowest band",
    "high_hz": "upper edge of the highest band",
}


def preset_yaml(title: str, source: str, op: Mapping[str, Any]) -> str:
    """Return the YAML of a preset, with a comment on each key.

    Args:
        title: what it is; also the first line, as a comment.
        source: how it was measured.
        op: the op of the preset.
    """
    lines = [f"# {title}", f"description: {_quoted(title)}", f"source: {_quoted(source)}"]
    for key, value in op.items():
        note = f"  # {COMMENTS[key]}" if key in COMMENTS else ""
        if key == "parts":
            lines.append(f"parts:{note}")
            for part in value:
                body = [line for k, v in part.items() for line in _entry(k, v, "")]
                lines += [f"  - {body[0]}", *(f"    {line}" for line in body[1:])]
        else:
            lines += _entry(key, value, note)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, note: str) -> list[str]:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [f"{key}:{note}", *(f"  - [{', '.join(f'{x:.6g}' for x in row)}]" for row in value)]
    return [f"{key}: {_quoted(value) if key in ('path', 'asset') else value}{note}"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "/").replace('"', "'") + '"'
