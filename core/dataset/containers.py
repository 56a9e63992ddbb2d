"""How a set keeps its recordings: the closed table behind `output=…`.

A container says how one recording is encoded and how the recordings of a shard lie together. Whatever it is,
`pcm_sha256` hashes the decoded samples, never the file: Ogg files of one recording differ in a random serial number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from roomtone.core.dataset.part_names import part_file
from roomtone.core.errors import RoomtoneError, nearest

#: Rates that Opus codes and gives back at full length; at 24 kHz libsndfile loses a sample [measured].
_OPUS_RATES_HZ = (8000, 12000, 16000, 48000)
#: Bytes of a FLAC file over those of its 16-bit samples [measured on the demo: 0.40 behind GSM, 0.68 with babble in a ward, 0.52 over all].
_FLAC_SHARE = 0.52
#: Bytes a second of Opus at the quality that `core/audio/encoding.py` sets, about 135 kbit/s at 16 kHz [measured].
_OPUS_BYTES_PER_SECOND = 17_000.0
_MEDIA_TYPES = {
    "flac": "audio/flac",
    "wav": "audio/x-wav",
    "opus": "audio/ogg",
    "tar": "application/x-tar",
    "parquet": "application/x-parquet",
}


@dataclass(frozen=True)
class Container:
    """One way to keep recordings.

    Attributes:
        name: as in `output=…`.
        suffix: ending of a recording's name, which also says how it is encoded.
        layout: `files`, or one `tar` or `parquet` file a shard.
        shard_samples: samples that a shard holds at most, where the configuration does not say.
    """

    name: str
    suffix: Literal["flac", "wav", "opus"]
    layout: Literal["files", "tar", "parquet"] = "files"
    shard_samples: int = 96

    @property
    def lossy(self) -> bool:
        """Return whether decoding gives other samples than were encoded."""
        return self.suffix == "opus"

    @property
    def files(self) -> str:
        """Return the pattern of the files that hold recordings, relative to the set."""
        return f"audio/*/*.{self.suffix}" if self.layout == "files" else f"shards/part-*.{self.layout}"

    @property
    def media_type(self) -> str:
        """Return the media type of these files."""
        return _MEDIA_TYPES[self.suffix if self.layout == "files" else self.layout]

    def audio_path(self, shard: int, sample_id: str) -> str:
        """Return the manifest's `audio_path` of a sample.

        Args:
            shard: the shard's number.
            sample_id: the sample's id.
        """
        name = f"{sample_id}.{self.suffix}"
        return f"audio/{shard:05d}/{name}" if self.layout == "files" else f"{self.shard_name(shard)}#{name}"

    def shard_name(self, shard: int) -> str:
        """Return the name of the file that holds a shard's recordings."""
        return f"shards/{part_file(shard, self.layout)}"

    def bytes_per_second(self, sample_rate_hz: int) -> float:
        """Return about how many bytes a second of audio takes."""
        if self.lossy:
            return _OPUS_BYTES_PER_SECOND
        return 2.0 * sample_rate_hz * (_FLAC_SHARE if self.suffix == "flac" else 1.0)


CONTAINERS: dict[str, Container] = {
    container.name: container
    for container in (
        Container("flac", "flac"),
        Container("wav", "wav"),
        Container("opus", "opus"),
        Container("webdataset", "flac", "tar", 1000),
        Container("parquet", "flac", "parquet", 1000),
    )
}


def loaded_files(names: Iterable[str]) -> dict[str, list[str]]:
    """Return which files of a set a loader opens: configuration -> patterns relative to the set; the first is the default.

    Args:
        names: containers of the set's runs. Recordings in files of their own are listed with `metadata.parquet`, which names them.
    """
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        container = CONTAINERS[name]
        first = ["metadata.parquet"] if container.layout == "files" else []
        found.setdefault(container.layout, first).append(container.files)
    return {"default" if number == 0 else layout: files for number, (layout, files) in enumerate(found.items())}


def container_of(name: str, sample_rate_hz: int) -> Container:
    """Return the container of `output.format`.

    Args:
        name: a key of `CONTAINERS`.
        sample_rate_hz: rate of the set in Hz.

    Raises:
        RoomtoneError: no such container, or one that cannot hold this rate.
    """
    if name not in CONTAINERS:
        raise RoomtoneError(f"output.format: unknown {name!r}; {nearest(str(name), CONTAINERS)}")
    found = CONTAINERS[name]
    if found.lossy and sample_rate_hz not in _OPUS_RATES_HZ:
        allowed = ", ".join(map(str, _OPUS_RATES_HZ))
        raise RoomtoneError(f"output=opus: sample_rate_hz must be one of {allowed}, got {sample_rate_hz}")
    return found
