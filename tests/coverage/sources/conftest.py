"""A small augmented corpus as plain facts; the tests of a format write it in that format's own layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

ACCENTS = {"anna": "scottish", "bob": "scottish", "cem": "indian", "dora": "us", "eve": "indian"}
RECORDINGS = {
    "noise": ["noise-free-sound-0001", "noise-free-sound-0002", "noise-free-sound-0003"],
    "music": ["music-fma-0007", "music-fma-0011"],
    "babble": ["speech-us-gov-0003", "speech-us-gov-0005", "speech-librivox-0009", "speech-librivox-0012"],
}


@pytest.fixture
def corpus() -> Callable[..., pd.DataFrame]:
    """Return a maker of an augmented corpus: originals, and of some of them noisy and reverberant copies.

    Columns: `copy` (own id), `original`, `speaker`, `accent`, `noise` (kind or empty), `recordings`, `snrs_db`, `rir`, `seconds`, `text`.
    """

    def make(seed: int = 0, utterances: int = 12) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        rows: list[dict[str, Any]] = []
        for number in range(utterances):
            speaker = sorted(ACCENTS)[int(rng.integers(len(ACCENTS)))]
            original = {
                "copy": f"{speaker}-{number:03d}",
                "original": f"{speaker}-{number:03d}",
                "speaker": speaker,
                "accent": ACCENTS[speaker],
                "noise": "",
                "recordings": (),
                "snrs_db": (),
                "rir": "",
                "seconds": round(float(rng.uniform(1, 9)), 2),
                "text": " ".join(rng.choice(["turn", "left", "at", "the", "bank"], size=int(rng.integers(2, 9)))),
            }
            rows.append(original)
            for kind in rng.permutation(["noise", "music", "babble", "room"])[: int(rng.integers(0, 5))]:
                rows.append({**original, **_copied(str(kind), original["copy"], rng)})
        return pd.DataFrame(rows)

    return make


def _copied(kind: str, original: str, rng: np.random.Generator) -> dict[str, Any]:
    if kind == "room":
        return {"copy": f"rvb1_{original}", "rir": f"Room{int(rng.integers(1, 4)):03d}-00001"}
    many = 3 if kind == "babble" else 1
    named = tuple(str(name) for name in rng.choice(RECORDINGS[kind], many, replace=False))
    snrs = tuple(int(x) for x in rng.choice([0, 5, 10, 15], many))
    return {"copy": f"{original}-{kind}", "noise": kind, "recordings": named, "snrs_db": snrs}


@pytest.fixture
def counted() -> Callable[..., pd.DataFrame]:
    """Return a counter with pandas alone: the six units of each cell of a corpus."""

    def count(corpus: pd.DataFrame, axes: dict[str, pd.Series]) -> pd.DataFrame:
        table = corpus.assign(
            words=corpus["text"].map(lambda text: None if text is None else len(text.split())),
            assets=[
                [*("n:" + name for name in row.recordings), *(["r:" + row.rir] if row.rir else [])]
                for row in corpus.itertuples()
            ],
        )
        return table.groupby([values.rename(name) for name, values in axes.items()]).agg(
            renders=("copy", "size"),
            utterances=("original", "nunique"),
            speakers=("speaker", "nunique"),
            minutes=("seconds", lambda s: s.sum() / 60),
            words=("words", "sum"),
            assets=("assets", lambda lists: len({name for names in lists for name in names})),
        )

    return count


@pytest.fixture
def equal() -> Callable[..., None]:
    """Return an assertion that a matrix holds what pandas counted, and nothing else."""

    def check(matrix: Any, expected: pd.DataFrame, units: tuple[str, ...]) -> None:
        cells = matrix.to_frame()
        cells = cells[cells["renders"] > 0].set_index(list(matrix.axes)).sort_index()
        expected = expected.sort_index()
        assert list(cells.index) == list(expected.index)
        for unit in units:
            np.testing.assert_allclose(
                cells[unit].to_numpy(float), expected[unit].to_numpy(float), atol=1e-6, err_msg=unit
            )

    return check
