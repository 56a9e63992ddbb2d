"""`metadata.parquet`: what `datasets` reads beside a folder of recordings, so that each comes with its text and its labels.

The manifest's columns with `file_name` for `audio_path`, in their types whether or not a value is null; less the recipe and the row's own hash,
which the manifest alone holds.
"""

from __future__ import annotations

from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.dataset.manifest import common_schema, manifest_parts, read_part
from roomtone.core.dataset.storage import DatasetStorage

METADATA_NAME = "metadata.parquet"
_DROPPED = frozenset({"audio_path", "recipe", ROW_HASH})
#: Rows that are read at once by whoever streams the set.
_ROW_GROUP = 10_000


def write_metadata(storage: DatasetStorage) -> bool:
    """Write the table for those samples of a set that are files of their own; return whether there are any.

    Args:
        storage: where the finished set lies.

    Raises:
        RoomtoneError: no manifest, or a damaged part.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    parts = manifest_parts(storage.url)
    columns = common_schema(parts)
    kept = [name for name in columns.names if name not in _DROPPED]
    schema = pa.schema([pa.field("file_name", pa.string()), *(columns.field(name) for name in kept)])
    rows = 0
    with storage.attempt("metadata") as folder:
        path = folder / METADATA_NAME
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for part in parts:
                table = read_part(part, columns, ["audio_path", *kept])
                table = table.filter(pc.invert(pc.match_substring(table["audio_path"], "#")))
                rows += len(table)
                if len(table):
                    writer.write_table(table.rename_columns(schema.names).cast(schema), row_group_size=_ROW_GROUP)
        if rows:
            storage.publish({METADATA_NAME: path})
    return rows > 0
