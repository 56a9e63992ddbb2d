"""A segment of a recording: where it lies and which samples of it are meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clip:
    """Where a stretch of recorded sound lies: a file (absolute, or `package:…`) and, for segments, offset and length."""

    path: str
    sha256: str | None = None
    offset_s: float = 0.0
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class AudioRef:
    """Where a stretch of sound lies: a file (absolute path, or `package:…`) and, for a segment, offset and length."""

    path: str
    offset_s: float = 0.0
    duration_s: float | None = None
