"""What the card and the metadata of a set are made from: the manifest's columns that they count, and the containers of its runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from roomtone.augment.output.imbalance import COLUMNS
from roomtone.core.dataset.manifest import common_schema, manifest_parts, read_manifest

if TYPE_CHECKING:
    import pandas as pd


def counted_rows(dataset: str | os.PathLike[str], *more: str) -> pd.DataFrame:
    """Return the columns of a set's manifest that are counted, its attributes among them.

    Args:
        dataset: the set's folder or URL.
        more: further columns.

    Raises:
        RoomtoneError: it holds no manifest.
    """
    attributes = [name for name in common_schema(manifest_parts(dataset)).names if name.startswith("attr_")]
    return read_manifest(dataset, columns=[*COLUMNS, *more, *attributes])


def containers_of(state: Mapping[str, Any]) -> list[str]:
    """Return the containers in which the runs of a set were written, by name, the first run's first.

    Args:
        state: its `dataset.json`.
    """
    return list(dict.fromkeys(str(run["config"].get("output_format", "flac")) for run in state["runs"]))
