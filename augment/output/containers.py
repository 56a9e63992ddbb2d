"""How the recordings of a finished shard are put together: as they are, in a tar file, or in a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import open_regular, read_bytes
from roomtone.core.dataset.containers import Container
from roomtone.core.dataset.hub_card import audio_type, with_features
from roomtone.core.dataset.tar_shards import add_sample, open_shard

#: Rows a Parquet row group: what one reading of one recording decodes.
_ROW_GROUP = 32


def gather(
    container: Container, folder: Path, shard: int, rows: Sequence[Mapping[str, Any]], part: Path
) -> dict[str, Path]:
    """Return what is to be published, by name: the encoded files in `folder`, or the one file made of them.

    Args:
        container: how the set keeps its recordings.
        folder: where the attempt wrote its recordings.
        shard: the shard's number.
        rows: the shard's rows.
        part: the manifest part that holds them.
    """
    if container.layout == "files":
        names = (f"{row['sample_id']}.{container.suffix}" for row in rows)
        return {f"audio/{shard:05d}/{name}": folder / name for name in names}
    if not rows:
        return {}
    path = folder / f"shard.{container.layout}"
    if container.layout == "tar":
        _write_tar(path, folder, container.suffix, rows)
    else:
        write_parquet(path, folder, container.suffix, part)
    return {container.shard_name(shard): path}


def _write_tar(path: Path, folder: Path, suffix: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a WebDataset shard: for each row the recording, its row as JSON and its text."""
    with open_shard(path) as tar:
        for row in rows:
            members = {
                suffix: read_bytes(folder / f"{row['sample_id']}.{suffix}"),
                "json": json.dumps(dict(row), ensure_ascii=False, sort_keys=True).encode(),
                "txt": (row["text"] or "").encode(),
            }
            add_sample(tar, str(row["sample_id"]), members)


def write_parquet(path: Path, folder: Path, suffix: str, part: Path) -> None:
    """Write a Parquet shard as Hugging Face's `datasets` reads it: the manifest part's columns, and `audio` as bytes and path.

    Args:
        path: the file to write.
        folder: where the recordings lie.
        suffix: ending of their names.
        part: the manifest part of the shard.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_regular(part) as file:
        labels = pq.read_table(file, partitioning=None)
    audio_field = pa.field("audio", audio_type())
    schema = with_features(pa.schema([*labels.schema, audio_field]), labels["sample_rate_hz"][0].as_py())
    with open(path, "wb") as shard, pq.ParquetWriter(shard, schema, compression="zstd") as writer:
        for start in range(0, len(labels), _ROW_GROUP):
            block = labels.slice(start, _ROW_GROUP)
            names = [f"{sample_id}.{suffix}" for sample_id in block["sample_id"].to_pylist()]
            audio = [{"bytes": read_bytes(folder / name), "path": name} for name in names]
            writer.write_table(block.append_column(audio_field, pa.array(audio, audio_field.type)).cast(schema))
