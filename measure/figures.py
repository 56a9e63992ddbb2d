"""The figures of a measurement: one line to print, and a mapping for JSON. Times in seconds, frequencies in Hz, levels in dB re full scale."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from roomtone.measure.machine import Machine, Proof
from roomtone.measure.noise import NoiseFound
from roomtone.measure.presets import machine_op
from roomtone.measure.proof.rerender import burst_start_s
from roomtone.measure.room import RoomFound
from roomtone.measure.spectra.cycle import Cycle


def machine_words(machine: Machine) -> str:
    """Return a machine in words, as one line to print: what it is, what its preset holds, and how much of its energy that explains."""
    return "; ".join([_description(machine), *([] if machine.proof is None else [_answer(machine, machine.proof)])])


def _answer(machine: Machine, proof: Proof) -> str:
    explained = f"rendered again, it explains {100 * proof.explained:.0f} % of the machine's energy"
    if machine.recorded is not None:
        made = f"averaged over {machine.recorded.repeats} repeats" if machine.recorded.repeats > 1 else "as recorded"
        return f"no tones or bursts describe it well, so the preset plays its recorded cycle ({made}); {explained}"
    room = f" in a room of {proof.t60_s:.2f} s" if proof.t60_s and proof.direct < 1.0 else ""
    within = f", third octaves within {max(proof.band_off_db, 0.1):.1f} dB"
    return f"the preset is synthesised from these figures; {explained}{room}{within}"


def _description(machine: Machine) -> str:
    level = f"{machine.above_background_db:.0f} dB above the background"
    jitter = f" +-{machine.jitter_s:.3f}" if machine.jitter_s else ""
    adding = " from the last one" if machine.timing == "accumulate" else ""
    every = f"every {machine.period_s:.4g}{jitter} s{adding}" if machine.period_s else "once"
    if machine.recorded is not None:
        return f"a machine that sounds {every}, {level}"
    pitch = (
        f"{machine.fundamental_hz:.4g} Hz, {len(machine.partials)} partials"
        if machine.partials
        else "noise without pitch"
    )
    if machine.kind == "steady" or machine.cycle is None:
        modulation = f", amplitude-modulated at {machine.am_hz:.2f} Hz" if machine.am_depth else ""
        return f"steady sound, {pitch}{modulation}, {level}"
    pulses = machine.cycle.pulses
    length = f"{1000 * float(np.median([p.length_s for p in pulses])):.0f} ms" if pulses else "?"
    burst = f"{len(pulses)} pulses of about {length}" if len(pulses) > 1 else f"a pulse of {length}"
    alike = f" (cycles alike to {machine.likeness:.2f})" if machine.period_s else ""
    noise = "" if machine.noise is None else f", with noise {-machine.noise.level_db:.0f} dB below them"
    return f"{pitch}{noise}, {burst} {every}, {level}{alike}"


def machine_figures(machine: Machine) -> dict[str, Any]:
    """Return the figures of a machine, JSON-able."""
    figures: dict[str, Any] = {
        key: getattr(machine, key)
        for key in (
            "kind", "fundamental_hz", "period_s", "jitter_s", "timing", "likeness", "level_db", "above_background_db", "drift", "am_hz", "am_depth",
        )
    }  # fmt: skip
    figures["preset"] = "periodic_tone" if machine.recorded is None else "recorded_cycle"
    if machine.proof is not None:
        figures["explained"], figures["misfit"] = machine.proof.explained, machine.proof.misfit
        figures["third_octaves_off_db"] = [list(band) for band in machine.proof.bands]
    if machine.proof is not None and machine.recorded is None:
        figures["assumed_room"] = {"t60_s": machine.proof.t60_s, "direct_share": machine.proof.direct}
    if machine.recorded is not None:
        figures |= {"repeats": machine.recorded.repeats, "start_s": machine.recorded.start_s}
    elif machine.cycle is not None and machine.cycle.pulses:
        figures["start_s"] = _first_start_s(machine.cycle, machine.period_s) + burst_start_s(
            machine, machine_op(machine)
        )
    figures["partials"] = [
        {"hz": p.hz, "level_db": float(10 * np.log10(p.power)), "above_threshold_db": p.excess_db}
        for p in machine.partials
    ]
    if machine.noise is not None:
        figures["noise"] = dataclasses.asdict(machine.noise)
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


def _first_start_s(cycle: Cycle, period_s: float) -> float:
    """Return where the first whole cycle starts: on the grid that fits all starts best, where there is one."""
    starts_s = cycle.starts_s[cycle.starts_s >= 0.0] if cycle.starts_s[-1] >= 0.0 else cycle.starts_s
    if not period_s or not cycle.clock:
        return float(starts_s[0])
    return float(np.median(starts_s - period_s * np.round((starts_s - starts_s[0]) / period_s)))


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
