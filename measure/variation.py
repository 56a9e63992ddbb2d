"""Variants of a measured machine: presets with one property changed each, so that a report shows which change would matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roomtone.core.errors import RoomtoneError


def variants(name: str, op: Mapping[str, Any], *, pitch: float = 0.2) -> dict[str, dict[str, Any]]:
    """Return `{name of the variant: op}`: pitch up and down by a share, period halved and doubled.

    A burst that does not fit into half the period is shortened (`stretch`); recorded cycles overlap there.

    Args:
        name: of the measured preset.
        op: its `periodic_tone` or `recorded_cycle`.
        pitch: share by which the pitch is changed, 0 to 0.9.

    Raises:
        RoomtoneError: the op is neither of these, or the share is out of bounds.
    """
    if op.get("op") not in ("periodic_tone", "recorded_cycle"):
        raise RoomtoneError(
            f"variation: {name} is a {op.get('op')!r}; only a periodic_tone or a recorded_cycle can be varied"
        )
    if not 0.0 < pitch < 0.9:
        raise RoomtoneError(f"variation: pitch must be a share between 0 and 0.9, got {pitch!r} (in per cent?)")
    found: dict[str, dict[str, Any]] = {}
    percent = round(100 * pitch)
    if op["op"] == "recorded_cycle":
        found[f"{name}_pitch_down{percent}"] = dict(op) | {"pitch": round(1.0 - pitch, 4)}
        found[f"{name}_pitch_up{percent}"] = dict(op) | {"pitch": round(1.0 + pitch, 4)}
    elif op.get("harmonics"):
        f0 = float(op["fundamental_hz"])
        found[f"{name}_pitch_down{percent}"] = dict(op) | {"fundamental_hz": round(f0 * (1.0 - pitch), 4)}
        found[f"{name}_pitch_up{percent}"] = dict(op) | {"fundamental_hz": round(f0 * (1.0 + pitch), 4)}
    period = float(op.get("period_s", 0.0))
    if period:
        found[f"{name}_period_half"] = dict(op) | _period(op, 0.5 * period)
        found[f"{name}_period_double"] = dict(op) | _period(op, 2.0 * period)
    elif op.get("am_hz"):
        found[f"{name}_period_half"] = dict(op) | {"am_hz": 2.0 * float(op["am_hz"])}
        found[f"{name}_period_double"] = dict(op) | {"am_hz": 0.5 * float(op["am_hz"])}
    return found


def _period(op: Mapping[str, Any], period_s: float) -> dict[str, Any]:
    jitter = min(float(op.get("jitter_s", 0.0)), 0.1 * period_s)
    free = period_s - 2.0 * jitter
    changed: dict[str, Any] = {"period_s": round(period_s, 6)}
    if jitter:
        changed["jitter_s"] = jitter
    burst_s = max((row[0] + row[1] for row in op.get("pulses", ())), default=0.0)
    if burst_s > free:
        changed["stretch"] = round(0.98 * free / burst_s, 5)
    return changed
