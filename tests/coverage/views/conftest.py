"""Sets with sound for the matrix component, and a real browser with the network off."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a running Chromium, or skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Return an opener of pages without a network; a test fails on a script's error or a request that is not for a file."""
    contexts, errors, asked = [], [], []

    def opened(
        path: Path, *, width: int = 1280, height: int = 900, scheme: str = "light", scripts: bool = True, tolerate: bool = False
    ) -> Any:  # fmt: skip
        context = chromium.new_context(
            offline=True,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",  # colours are read at once, not on their way
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if not tolerate:  # a file that is missing on purpose is an error to the console
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        with contextlib.suppress(Exception):
            context.close()
    assert not errors
    assert all(url.startswith(("file:", "data:")) for url in asked)


@pytest.fixture(scope="session")
def axe_script() -> str:
    """Return the source of axe-core, from the folder that AXE_CORE names or an npm folder of this checkout; else skip."""
    named = [
        os.environ.get("AXE_CORE", ""),
        "node_modules/axe-core",
        *(str(p / "node_modules/axe-core") for p in Path(__file__).parents),
    ]
    for folder in filter(None, named):
        script = Path(folder) / "axe.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip("axe-core is not at hand: npm install --no-save axe-core, or AXE_CORE=its folder")
