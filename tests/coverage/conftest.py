"""Small sets for the coverage tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from roomtone.core.dataset.manifest import write_part


@pytest.fixture
def rows_of() -> Callable[..., pd.DataFrame]:
    """Return a maker of manifest rows from cell counts: one utterance of one speaker each."""

    def make(cells: Mapping[tuple[str, str], int] | Sequence[tuple[str, str]]) -> pd.DataFrame:
        listed = (
            [key for key, count in cells.items() for _ in range(count)] if isinstance(cells, Mapping) else list(cells)
        )
        return pd.DataFrame(
            {
                "sample_id": [f"s{i}" for i in range(len(listed))],
                "utterance_id": [f"u{i}" for i in range(len(listed))],
                "speaker": [f"p{i}" for i in range(len(listed))],
                "accent": [accent for accent, _ in listed],
                "condition": [condition for _, condition in listed],
                "words": 5,
                "duration_s": 2.0,
            }
        )

    return make


@pytest.fixture
def random_rows() -> Callable[..., pd.DataFrame]:
    """Return a maker of random manifest rows with replicates, missing speakers and assets."""

    def make(seed: int, count: int = 300) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        utterance = rng.integers(0, 60, count)
        speaker = np.array([f"p{u % 13}" for u in utterance], dtype=object)
        speaker[utterance % 17 == 0] = None
        return pd.DataFrame(
            {
                "sample_id": [f"{seed}-{i}" for i in range(count)],
                "utterance_id": [f"u{u}" for u in utterance],
                "speaker": speaker,
                "accent": np.array(["us", "scottish", "indian"])[utterance % 3],
                "condition": rng.choice(["clean", "gsm", "ward+babble@5dB"], count),
                "duration_s": 1 + utterance / 7,
                "words": 3 + utterance % 5,
                "noise_asset": rng.choice(["n1", "n2", None], count),
                "room_asset": rng.choice(["r1", None], count),
            }
        )

    return make


@pytest.fixture
def write_set() -> Callable[..., Path]:
    """Return a writer of a dataset folder from rows, in parts of a few rows."""

    def write(folder: Path, frame: pd.DataFrame, per_part: int = 50) -> Path:
        listed: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
        for part in range(max(1, -(-len(listed) // per_part))):
            write_part(
                listed[part * per_part : (part + 1) * per_part], folder / "manifest" / f"part-{part:05d}.parquet"
            )
        return folder

    return write
