"""Names of the files of a shard: one spelling a number, so that whoever lists a set sees the same shards.

`part-000000`, or a number in other digits than ASCII's, would be a second file of shard 0: one reader would take it, another would not.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"part-([0-9]{5,20})\.(parquet|jsonl|tar)")
_FOLDER = re.compile(r"[0-9]{5,20}")


def part_file(shard: int, suffix: str) -> str:
    """Return the name of a shard's file.

    >>> part_file(7, "parquet")
    'part-00007.parquet'
    """
    return f"part-{shard:05d}.{suffix}"


def part_number(name: str, *suffixes: str) -> int | None:
    """Return the number of the shard that a file is of, None where the name is not spelt as `part_file` spells it.

    Args:
        name: of the file, without a folder.
        suffixes: its possible endings: `parquet`, `jsonl`, `tar`.

    >>> part_number("part-00007.parquet", "parquet"), part_number("part-000007.parquet", "parquet")
    (7, None)
    """
    match = _NAME.fullmatch(name)
    if match is None or match[2] not in suffixes or part_file(int(match[1]), match[2]) != name:
        return None
    return int(match[1])


def folder_number(name: str) -> int | None:
    """Return the number of the shard whose recordings a folder below `audio/` holds, None where the name is spelt otherwise.

    >>> folder_number("00007"), folder_number("000007")
    (7, None)
    """
    return int(name) if _FOLDER.fullmatch(name) and f"{int(name):05d}" == name else None
