"""The figures of a measurement: one line to print, and a mapping for JSON. Times in seconds, frequencies in Hz, levels in dB re full scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from roomtone.measure.machine import Machine
from roomtone.measure.noise import NoiseFound
from roomtone.measure.presets import machine_op
from roomtone.measure.proof.rerender import burst_start_s
from roomtone.measure.room import RoomFound


def machine_words(machine: Machine) -> str:
    """Return a machine as one line to print, with how much of its energy the preset explains."""
    if machine.proof is None:
        return _description(machine)
    proof = machine.proof
    explained = f"; the preset explains {100 * proof.explained:.0f} % of its energy"
    if machine.recorded is None and proof.t60_s:
        explained += f", third octaves within {max(proof.band_off_db, 0.1):.1f} dB, in a room of {proof.t60_s:.2f} s"
    return _description(machine) + explained


def _description(machine: Machine) -> str:
    level = f"{machine.above_background_db:.0f} dB above the background"
    jitter = f" +-{machine.jitter_s:.3f}" if machine.jitter_s else ""
    if machine.recorded is not None:
        every = f"every {machine.period_s:.4g}{jitter} s" if machine.period_s else "one occurrence"
        return f"recorded cycle, {every}, {level} (from {machine.recorded.repeats} repeats)"
    pitch = (
        f"{machine.fundamental_hz:.4g} Hz, {len(machine.partials)} partials"
        if machine.partials
        else "noise without pitch"
    )
    if machine.kind == "steady" or machine.cycle is None:
        modulation = f", amplitude-modulated at {machine.am_hz:.2f} Hz" if machine.am_depth else ""
        return f"steady sound, {pitch}{modulation}, {machine.above_background_db:.0f} dB re the background"
    pulses = machine.cycle.pulses
    length = f"{1000 * float(np.median([p.length_s for p in pulses])):.0f} ms" if pulses else "?"
    burst = f"{len(pulses)} pulses of about {length}" if len(pulses) > 1 else f"a pulse of {length}"
    if not machine.period_s:
        return f"{pitch}, {burst}, one occurrence, {level}"
    return f"{pitch}, {burst} every {machine.period_s:.4g}{jitter} s, {level} (cycles alike to {machine.likeness:.2f})"


def machine_figures(machine: Machine) -> dict[str, Any]:
    """Return the figures of a machine, JSON-able."""
    figures: dict[str, Any] = {
        key: getattr(machine, key)
        for key in (
            "kind", "fundamental_hz", "period_s", "jitter_s", "likeness", "level_db", "above_background_db", "drift", "am_hz", "am_depth",
        )
    }  # fmt: skip
    figures["preset"] = "periodic_tone" if machine.recorded is None else "recorded_cycle"
    if machine.proof is not None:
        figures["explained"] = machine.proof.explained
    if machine.proof is not None and machine.recorded is None:
        figures["misfit"] = machine.proof.misfit
        figures["third_octaves_off_db"] = [list(band) for band in machine.proof.bands]
        figures["assumed_room"] = {"t60_s": machine.proof.t60_s, "direct_share": machine.proof.direct}
    if machine.recorded is not None:
        figures |= {"repeats": machine.recorded.repeats, "start_s": machine.recorded.start_s}
    elif machine.cycle is not None and machine.cycle.pulses:
        figures["start_s"] = float(machine.cycle.starts_s[0]) + burst_start_s(machine, machine_op(machine))
    figures["partials"] = [
        {"hz": p.hz, "level_db": float(10 * np.log10(p.power)), "above_threshold_db": p.excess_db}
        for p in machine.partials
    ]
    if machine.cycle is not None:
        figures["cycles"] = len(machine.cycle.starts_s)
        figures["pulses"] = [
            {
                "onset_s": p.onset_s,
                "length_s": p.length_s,
                "glide": p.glide,
                "decaying": p.decaying,
                "partials_hz": [q.hz for q in p.partials],
            }
            for p in machine.cycle.pulses
        ]
    return figures


def room_figures(found: RoomFound) -> dict[str, Any]:
    """Return the figures of a room, JSON-able."""
    return {
        "t60_s": found.t60_s,
        "bands_s": {str(hz): value for hz, value in found.bands_s.items()},
        "c50_db": found.c50_db,
        "range_db": found.range_db,
        "fit_db": found.fit_db,
    }


def noise_figures(found: NoiseFound) -> dict[str, Any]:
    """Return the figures of a noise, JSON-able."""
    return {
        "level_db": found.level_db,
        "l10_db": found.l10_db,
        "l50_db": found.l50_db,
        "l90_db": found.l90_db,
        "third_octaves_db": [list(band) for band in found.bands],
        "modulation": {str(rate): depth for rate, depth in found.modulation.items()},
    }
