"""How a set keeps its recordings: the closed table behind `output=…`.

A container says how one recording is encoded and how the recordings of a shard lie together. Whatever it is,
`pcm_sha256` hashes the decoded samples, never the file: Ogg files of one recording differ in a random serial number.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from roomtone.core.errors import RoomtoneError, nearest

#: Rates that Opus codes and gives back at full length; at 24 kHz libsndfile loses a sample [measured].
_OPUS_RATES_HZ = (8000, 12000, 16000, 48000)
#: Rows a Parquet row group: what one reading of one recording decodes.
_ROW_GROUP = 32


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

    def audio_path(self, shard: int, sample_id: str) -> str:
        """Return the manifest's `audio_path` of a sample."""
        name = f"{sample_id}.{self.suffix}"
        return f"audio/{shard:05d}/{name}" if self.layout == "files" else f"{self.shard_name(shard)}#{name}"

    def shard_name(self, shard: int) -> str:
        """Return the name of the file that holds a shard's recordings."""
        return f"shards/part-{shard:05d}.{self.layout}"

    def gather(self, folder: Path, shard: int, rows: Sequence[Mapping[str, Any]], part: Path) -> dict[str, Path]:
        """Return what is to be published, by name: the encoded files in `folder`, or the one file made of them.

        Args:
            folder: where the attempt wrote its recordings.
            rows: the shard's rows; `part` is the manifest part that holds them.
        """
        if self.layout == "files":
            names = (f"{row['sample_id']}.{self.suffix}" for row in rows)
            return {f"audio/{shard:05d}/{name}": folder / name for name in names}
        if not rows:
            return {}
        path = folder / f"shard.{self.layout}"
        if self.layout == "tar":
            write_tar(path, folder, self.suffix, rows)
        else:
            write_parquet(path, folder, self.suffix, part)
        return {self.shard_name(shard): path}


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


def container_of(name: str, sample_rate_hz: int) -> Container:
    """Return the container of `output.format`.

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


def write_tar(path: Path, folder: Path, suffix: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a WebDataset shard: for each row the recording, its row as JSON and its text, under one key without dots.

    Headers hold no time, owner or machine, so that equal rows give an equal file.
    """
    import tarfile

    with open(path, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row in rows:
            members = {
                suffix: (folder / f"{row['sample_id']}.{suffix}").read_bytes(),
                "json": json.dumps(dict(row), ensure_ascii=False, sort_keys=True).encode(),
                "txt": (row["text"] or "").encode(),
            }
            for ending, data in members.items():
                info = tarfile.TarInfo(f"{row['sample_id']}.{ending}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def write_parquet(path: Path, folder: Path, suffix: str, part: Path) -> None:
    """Write a Parquet shard as Hugging Face's `datasets` reads it: the manifest part's columns, and `audio` as bytes and path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = pq.read_table(part, partitioning=None)
    schema = _hugging_face(labels)
    with open(path, "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, len(labels), _ROW_GROUP):
            block = labels.slice(start, _ROW_GROUP)
            names = [f"{sample_id}.{suffix}" for sample_id in block["sample_id"].to_pylist()]
            audio = [{"bytes": (folder / name).read_bytes(), "path": name} for name in names]
            writer.write_table(block.append_column("audio", pa.array(audio, schema.field("audio").type)).cast(schema))


def _hugging_face(labels: Any) -> Any:
    """Return the schema with the `features` that `datasets` looks for in its metadata."""
    import pyarrow as pa

    kinds = {"string": "string", "int32": "int32", "int64": "int64", "double": "float64", "bool": "bool"}
    features: dict[str, Any] = {
        field.name: {"dtype": kinds.get(str(field.type), "string"), "_type": "Value"} for field in labels.schema
    }
    features["audio"] = {"sampling_rate": labels["sample_rate_hz"][0].as_py(), "_type": "Audio"}
    audio = pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([*labels.schema, audio], metadata=metadata)
