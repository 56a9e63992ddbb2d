"""WebDataset tar shards: the files of a sample are adjacent and share its key, which holds no dot.

Headers hold no time, owner or machine, so that equal rows give an equal file.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError


def write_tar(path: Path, samples: Iterable[tuple[Mapping[str, Any], str, bytes]]) -> None:
    """Write one shard: for each sample `KEY.SUFFIX` (its recording), `KEY.json` (its row) and `KEY.txt` (its words).

    Args:
        path: the tar file.
        samples: for each its manifest row, the suffix of its recording without a dot, and the recording's bytes.

    Raises:
        RoomtoneError: a `sample_id` with a dot or a slash, at which readers would cut the key.
    """
    with open(path, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row, suffix, recording in samples:
            key = str(row["sample_id"])
            if "." in key or "/" in key:
                raise RoomtoneError(f"sample {key!r}: a WebDataset key holds no dot and no slash")
            members = {
                suffix: recording,
                "json": json.dumps(dict(row), ensure_ascii=False, sort_keys=True, allow_nan=False).encode(),
                "txt": str(row["text"] or "").encode(),
            }
            for ending, data in members.items():
                info = tarfile.TarInfo(f"{key}.{ending}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
