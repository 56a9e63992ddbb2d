"""What kind of set a path names."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Literal

from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.bounded.regular_files import check_regular
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote

Kind = Literal["roomtone", "table", "nemo", "kaldi", "lhotse", "hugging_face", "webdataset"]

#: Endings of tables that DuckDB reads, and its function for each.
TABLE_READERS = {
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".jsonl": "read_json",
    ".json": "read_json",
    ".parquet": "read_parquet",
}
_CUTS = ("MonoCut", "MixedCut", "MultiCut", "PaddingCut")


def kind_of(name: str) -> Kind:
    """Return the kind of set that a path names; what looks like nothing else is a dataset folder of this project.

    Args:
        name: a folder, a file or a URL.

    Raises:
        RoomtoneError: a file that is no table, or not there.
    """
    path = Path(name)
    if is_remote(name):
        return "table" if path.suffix.lower() in TABLE_READERS else "roomtone"
    if path.is_dir():
        return _folder_kind(path)
    if path.name.endswith(".tar"):
        return "webdataset"
    if path.suffix.lower() in TABLE_READERS or path.name.endswith((".jsonl.gz", ".json.gz", ".manifest")):
        return _file_kind(path)
    return "roomtone"  # a folder that is not there: the manifest's reader names its neighbour


def _folder_kind(folder: Path) -> Kind:
    if (folder / "manifest").is_dir():
        return "roomtone"
    if (folder / "wav.scp").is_file() or (folder / "utt2spk").is_file():
        return "kaldi"
    if any(folder.glob("*.tar")) or any(folder.glob("*/*.tar")):
        return "webdataset"
    if any(folder.rglob("metadata.*")) or any(folder.rglob("*.parquet")) or any(folder.rglob("*.arrow")):
        return "hugging_face"
    return "roomtone"


def _file_kind(path: Path) -> Kind:
    check_table(path)
    if not path.name.endswith((".jsonl", ".json", ".gz", ".manifest")):
        return "table"
    first = first_object(path)
    if first is None:
        return "table"
    if "audio_filepath" in first:
        return "nemo"
    return "lhotse" if first.get("type") in _CUTS or {"recording", "supervisions"} <= set(first) else "table"


def check_table(path: Path) -> None:
    """Refuse a table that is not there, or no regular file.

    Args:
        path: of a file of this machine.

    Raises:
        RoomtoneError: one of these.
    """
    if not path.exists():
        raise RoomtoneError(f"{path}: there is no such file")
    try:
        check_regular(path)
    except OSError as error:
        raise RoomtoneError(f"{path}: {error.strerror}") from error


def first_object(path: Path) -> dict[str, object] | None:
    """Return the first line of a file as JSON, None where it is none.

    Args:
        path: a file of JSON lines, perhaps gzip-compressed.
    """
    try:
        with open_bounded_text(path) as file:
            found = json.loads(next((line for line in file if line.strip()), "null"))
    except (OSError, ValueError, EOFError, RecursionError, zlib.error):
        return None
    return found if isinstance(found, dict) else None


def json_lines(path: Path) -> list[dict[str, object]]:
    """Return the objects of a file of JSON lines.

    Raises:
        RoomtoneError: the file cannot be read, or a line is no JSON object; the message names the line.
    """
    found = []
    try:
        with open_bounded_text(path) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise RoomtoneError(f"{path}, line {number}: expected a JSON object, got {line.strip()[:40]!r}")
                found.append(row)
    except (ValueError, RecursionError) as error:
        raise RoomtoneError(f"{path}, line {len(found) + 1}: not JSON ({error})") from error
    except (OSError, EOFError, zlib.error) as error:
        raise RoomtoneError(f"{path}: cannot be read ({error})") from error
    return found
