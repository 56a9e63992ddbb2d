"""Recordings that come with a package: `package:demo/NAME.flac` names the same file on every machine.

The package that brings recordings registers their folder when it is imported; nothing here knows which packages there are.
"""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"package:(?P<bundle>[a-z_]+)/(?P<file>[A-Za-z0-9_-]+\.flac)")
_folders: dict[str, Path] = {}


def register_bundle(name: str, folder: Path) -> None:
    """Make the recordings of `folder` known as `package:NAME/FILE.flac`.

    Args:
        name: of the bundle, lower-case letters and `_`.
        folder: where its FLAC files lie.
    """
    _folders[name] = folder


def bundled_path(name: str) -> Path | None:
    """Return where a bundled recording lies.

    Args:
        name: `package:BUNDLE/FILE.flac`; nothing else, so that no name leaves the bundle's folder.

    Returns:
        None for a name of another form, or of a bundle that no imported package has registered.
    """
    match = _NAME.fullmatch(name)
    return _folders[match["bundle"]] / match["file"] if match and match["bundle"] in _folders else None
