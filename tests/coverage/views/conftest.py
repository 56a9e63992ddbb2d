"""Sets with sound for the matrix component."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FACTORS = ("room", "noise", "equipment", "handset")
RATE_HZ = 8000


def condition_name(levels: dict[str, str]) -> str:
    """Return the name of a condition from its levels."""
    return "+".join(levels[f] for f in FACTORS if levels[f] != "none") or "clean"


@pytest.fixture(scope="session")
def conditions() -> list[dict[str, str]]:
    """Return seven conditions of four factors, clean among them."""
    rows = [
        ("none", "none", "none", "none"),
        ("ward", "none", "none", "none"),
        ("ward", "babble@10dB", "none", "gsm"),
        ("ward", "none", "mri_epi@10dB", "gsm"),
        ("imaging_control_room", "babble@10dB", "mri_epi@10dB", "smartphone_near"),
        ("imaging_control_room", "none", "none", "landline_mulaw"),
        ("none", "babble@10dB", "none", "gsm"),
    ]
    return [dict(zip(FACTORS, row)) for row in rows]


@pytest.fixture(scope="session")
def sound_rows(conditions: list[dict[str, str]]) -> Callable[..., pd.DataFrame]:
    """Return a maker of manifest rows: accents x conditions, four speakers of two utterances each, some cells left out."""

    def make(accents: list[str], *, without: set[tuple[int, int]] | None = None) -> pd.DataFrame:
        rows = []
        for (a, accent), (c, levels), s, u in itertools.product(
            enumerate(accents), enumerate(conditions), range(4), range(2)
        ):
            if (a, c) in (without or set()):
                continue
            utterance = f"{accent}-{s}-{u}"
            rows.append(
                {
                    "sample_id": f"s{a:02d}{c:02d}{s}{u}", "utterance_id": utterance, "speaker": f"{accent}-speaker-{s}", "accent": accent,
                    "condition": condition_name(levels), **levels, "text": f"give {u + 2} milligrams to bed {s}", "words": 6,
                    "duration_s": 0.4 + 0.1 * s, "audio_path": f"audio/{a}-{c}-{s}-{u}.wav",
                    "snr_db": 10.0 if levels["noise"] != "none" else None,
                    "measured_snr_db": 10.02 if levels["noise"] != "none" else None, "active_level_dbov": -26.0,
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    return make


@pytest.fixture(scope="session")
def with_sound() -> Callable[[Path, pd.DataFrame], None]:
    """Return a writer of the recordings that rows name: a tone whose pitch depends on the speaker."""
    soundfile = pytest.importorskip("soundfile")

    def write(folder: Path, rows: pd.DataFrame) -> None:
        for row in rows.to_dict("records"):
            path = folder / row["audio_path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            seconds = np.arange(round(RATE_HZ * row["duration_s"])) / RATE_HZ
            tone = 0.3 * np.sin(2 * np.pi * (400 + 100 * len(row["speaker"])) * seconds)
            soundfile.write(path, tone, RATE_HZ, subtype="PCM_16")

    return write
