"""YAML files as plain data: no tags, no objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError


def read_yaml_mapping(path: Path, needs: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Args:
        path: the file, UTF-8.
        needs: what a right file has, for the message, e.g. "the key 'accents'".

    Raises:
        RoomtoneError: the file cannot be read, is not YAML, or holds something else than a mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RoomtoneError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RoomtoneError(f"{path}: expected a mapping with {needs}")
    return content
