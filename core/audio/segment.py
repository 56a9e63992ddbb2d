"""A segment of a recording: in which file it is, and which part of the file is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudioRef:
    """Where a segment of recorded sound is.

    Attributes:
        path: an absolute path, or `package:BUNDLE/NAME.flac` for a recording that comes with a package.
        offset_s: where the segment begins, seconds.
        duration_s: its length in seconds; None is to the end of the file.
        sha256: hash of the file's bytes where a recipe depends on them; None where it is not known.
    """

    path: str
    offset_s: float = 0.0
    duration_s: float | None = None
    sha256: str | None = None

    def as_dict(self) -> dict[str, str | float | None]:
        """Return the fields by name, as a recipe holds them in JSON."""
        return {name: getattr(self, name) for name in self.__slots__}
