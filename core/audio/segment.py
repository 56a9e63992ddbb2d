"""A segment of a recording: where it lies and which samples of it are meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudioRef:
    """A recording, or a segment of one.

    Attributes:
        path: its file: an absolute path, or `package:…` for a bundled recording.
        offset_s: where the segment begins, in seconds.
        duration_s: its length in seconds; None for all that follows.
        sha256: of the file's bytes, in hex; None where it is not known or not needed.
    """

    path: str
    offset_s: float = 0.0
    duration_s: float | None = None
    sha256: str | None = None

    def to_dict(self) -> dict[str, str | float | None]:
        """Return the fields as plain JSON types."""
        return {name: getattr(self, name) for name in ("path", "sha256", "offset_s", "duration_s")}
