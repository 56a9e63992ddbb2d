"""Folders as Hugging Face's `datasets` reads them: an AudioFolder's metadata, Parquet files with an `audio` column, saved Arrow files.

Audio bytes are not read: of a column `audio` only its path is taken. https://huggingface.co/docs/datasets/audio_dataset
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import check_regular, open_regular
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    import pyarrow as pa

_NAMES = {
    "file_name": "audio_path",
    "path": "audio_path",
    "sentence": "text",
    "transcription": "text",
    "duration": "duration_s",
}


def read_hugging_face(folder: Path) -> pa.Table:
    """Return the table of a folder, all its splits, with `audio_path` relative to the folder.

    Args:
        folder: an AudioFolder, a folder of Parquet files, or what `save_to_disk` wrote.

    Raises:
        RoomtoneError: no metadata and no table in it, or one that cannot be read.
    """
    import pyarrow as pa

    tables = [_renamed(table, home, folder) for table, home in _tables(folder)]
    if not tables:
        raise RoomtoneError(f"{folder}: neither metadata.csv, .jsonl or .parquet nor a Parquet or Arrow file in it")
    return pa.concat_tables(tables, promote_options="permissive")


def _tables(folder: Path) -> list[tuple[pa.Table, Path]]:
    import pyarrow as pa

    metadata = sorted(path for ending in ("csv", "jsonl", "parquet") for path in folder.rglob(f"metadata.{ending}"))
    files = metadata or sorted(folder.rglob("*.parquet")) or sorted(folder.rglob("*.arrow"))
    found = []
    for path in (path for path in files if not path.is_dir()):
        try:
            found.append((_read(path), path.parent if metadata else folder))
        except (pa.ArrowException, OSError) as error:
            raise RoomtoneError(
                f"{path}: cannot be read as a table ({next(iter(str(error).splitlines()), error)})"
            ) from error
    return found


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    check_regular(path)
    if path.suffix == ".csv":
        from pyarrow import csv

        # ids and labels are text whatever they look like
        names = csv.read_csv(path).column_names
        types = dict.fromkeys(names, pa.string())
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))
        return table
    if path.suffix == ".jsonl":
        from pyarrow import json

        return json.read_json(path)
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with open_regular(path) as file:
            check_footer(file, str(path), without=("audio",))
        names = [name for name in pq.read_schema(path).names if name != "audio"]
        audio = ["audio.path"] if "audio" in pq.read_schema(path).names else []
        return pq.read_table(path, columns=[*names, *audio])
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_stream(file).read_all()


def _renamed(table: pa.Table, home: Path, folder: Path) -> pa.Table:
    """Return a table under the manifest's names, without audio bytes, paths relative to the set."""
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if name == "audio" and pa.types.is_struct(column.type):
            if any(field.name == "path" for field in column.type):
                paths = [None if cell is None else cell["path"] for cell in column.to_pylist()]
                columns.setdefault("audio_path", pa.array(paths, pa.string()))
            continue
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            continue
        ours = _NAMES.get(name, name)
        if ours not in columns and (ours == name or ours not in table.column_names):
            columns[ours] = column
    if "audio_path" in columns and home != folder:
        prefix = home.relative_to(folder).as_posix()
        paths = [None if path is None else f"{prefix}/{path}" for path in columns["audio_path"].to_pylist()]
        columns["audio_path"] = pa.array(paths, pa.string())
    return pa.table(columns)
