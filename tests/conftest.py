"""What all tests share: an active-level meter of their own, a small corpus, one cache of room banks, a browser without a network."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# examples take what a busy machine gives them: time is measured in bench/, never in a test
settings.register_profile("roomtone", deadline=None)
settings.load_profile("roomtone")


def pytest_configure(config):
    config.option.loadscopereorder = (
        False  # xdist would begin with files of many tests, and end with one long one on one worker
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Begin with the notebooks and the files that hold slow tests, then those of many tests, so that workers end together."""
    count = Counter(item.path for item in items)
    slow = {item.path for item in items if item.path.suffix == ".ipynb" or item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, -count[item.path], str(item.path)))


@pytest.fixture(scope="session", autouse=True)
def _own_homes(tmp_path_factory):
    """The user's key lies in a folder of the tests' own, and so do banks, which all workers share and build once."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", os.environ.get("ROOMTONE_TEST_CACHE") or str(shared / "cache"))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def own_active_level(samples, rate):
    """ITU-T P.56 method B written a second time, from the formulas: (level in dBov, activity)."""
    from scipy.signal import lfilter

    x = np.asarray(samples, dtype=np.float64)
    g = np.exp(-1 / (0.03 * rate))
    q = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(x)))
    hang = int(0.2 * rate + 0.5)
    index = np.arange(x.size)
    thresholds = 2.0 ** np.arange(-15, 0)
    energy = (x**2).sum()
    level = []
    for threshold in thresholds:
        last = np.maximum.accumulate(np.where(q >= threshold, index, -hang - 2))
        active = np.count_nonzero(index - last <= hang)
        level.append(10 * np.log10(energy / active) if active else np.nan)
    difference = np.array(level) - 20 * np.log10(thresholds) - 15.9
    j = int(np.argmax(difference <= 0))
    share = difference[j - 1] / (difference[j - 1] - difference[j])
    found = level[j - 1] + share * (level[j] - level[j - 1])
    return found, 10 ** ((10 * np.log10(energy / x.size) - found) / 10)


@pytest.fixture(scope="session")
def active_level():
    return own_active_level


@pytest.fixture(scope="session")
def speech():
    """A few seconds of the bundled corpus: float32 at 16 kHz."""
    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.reading import read_audio

    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    return read_audio(utterances[0].audio, 16000)


@pytest.fixture(scope="session")
def write_corpus():
    """write_corpus(folder, count) -> path of a table of that many utterances."""
    return write_table


def write_table(folder, count, *, stride=7):
    """Write a table of `count` demo utterances, spread over accents, with the audio beside it."""
    import shutil

    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.recording_files import audio_path

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    rows = []
    for i in range(count):
        utterance = utterances[i * stride % len(utterances)]
        source = audio_path(utterance.audio.path)
        shutil.copy(source, folder / source.name)
        rows.append(
            {"audio": source.name, "text": utterance.text, "speaker": utterance.speaker, "accent": utterance.accent}
        )
    path = folder / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def small_table(tmp_path):
    """A table of six utterances of six accents."""
    return write_table(tmp_path / "corpus", 6)


@pytest.fixture(scope="session")
def composed():
    """Composes a configuration of `generate` as the command does: composed("seed=1", …) -> plain mapping."""
    from roomtone.cli.arguments import Arguments
    from roomtone.cli.commands.generate import plain
    from roomtone.cli.compose import compose_config

    def compose(*overrides, config_dir=None, config_name=None, primary="generate"):
        return plain(compose_config(Arguments(tuple(overrides), config_dir, config_name), primary))

    return compose


@pytest.fixture(scope="session")
def voice():
    """One second of the demo corpus at 16 kHz, float32."""
    import roomtone.augment  # noqa: F401 - brings the bundled recordings
    from roomtone.core.audio.reading import read_audio
    from roomtone.core.audio.segment import AudioRef

    return read_audio(AudioRef("package:demo/american-m1-01.flac", 0.3, 1.0), 16000)


@pytest.fixture(scope="session")
def write_audio(voice):
    """Return a function that writes a recording in the format its name says and returns its path."""

    import soundfile

    def write(path, samples=None, rate_hz=16000, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        defaults = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, voice if samples is None else samples, rate_hz, **(defaults | options))
        return path

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


def _shown_contrasts(page: Any) -> list[tuple[float, str]]:
    """Return the contrast of every text in the shadow root with what is painted behind it, hatching included."""
    found = page.evaluate(
        """kinds => {
        const texts = [...document.querySelector('.roomtone-matrix').shadowRoot.querySelectorAll(kinds)];
        return texts.filter(e => e.offsetParent && e.textContent.trim()).map(e => {
            const style = getComputedStyle(e); let back = null;
            for (let n = e; n && !back; n = n.parentElement) {
                const s = getComputedStyle(n);
                const inks = s.backgroundImage.match(/rgb\\([^)]*\\)/g) || [];
                if (s.backgroundColor !== 'rgba(0, 0, 0, 0)' || inks.length) back = [...inks, ...(inks.length ? [] : [s.backgroundColor])];
            }
            return [style.color, back || [getComputedStyle(document.body).backgroundColor], e.className + ' ' + e.textContent.trim().slice(0, 20)];
        });
    }""",
        "td, th, .swatch, .ramp span, p, li, dt, dd, label span, legend, h2, h3, button, select, code, small, b",
    )
    from roomtone.coverage.views.goal_colours import contrast

    return [(min(contrast(_hexed(ink), _hexed(back)) for back in backs), name) for ink, backs, name in found]


def _hexed(colour: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(int(part) for part in re.findall(r"\d+", colour)[:3]))


@pytest.fixture
def shown_contrasts() -> Callable[[Any], list[tuple[float, str]]]:
    """Return a meter: the contrast of every text of the matrix component on a page, with a piece of the text."""
    return _shown_contrasts
