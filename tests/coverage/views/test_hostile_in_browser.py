"""Texts that want to be markup, in a browser: they are shown as they are, and nothing of them runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.core.dataset.manifest import write_part
from roomtone.coverage import CoverageMatrix
from roomtone.coverage.report.html_page import write_page

pytestmark = pytest.mark.slow

PAYLOADS = [
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "{{ 7*7 }} ${window.hit=1}",
    "a\u2028b & <!--",
    "لهجة مصرية",
    "👩🏽‍⚕️ ward 🔊",
]
ROOT = "document.querySelector('.roomtone-matrix').shadowRoot"


@pytest.fixture
def page_path(tmp_path) -> Path:
    """Return the page of a set with a payload in every text, one accent and one condition a payload, and sound under each."""
    soundfile = pytest.importorskip("soundfile")
    folder = tmp_path / "set"
    (folder / "audio").mkdir(parents=True)
    rows = []
    for i, text in enumerate(PAYLOADS):
        soundfile.write(folder / f"audio/s {i}#?.wav", np.zeros(8000 * (i + 1), dtype=np.int16), 16000)
        texts = {"text": text, "speaker": text, "accent": text, "condition": f"{text} {i}", "measured_codec": text}
        rows.append(
            {
                "sample_id": f"s{i}",
                "utterance_id": f"u{i}",
                "audio_path": f"audio/s {i}#?.wav",
                "duration_s": 0.5 * (i + 1),
                **texts,
            }
        )
    frame = pd.DataFrame(rows)
    write_part(frame.to_dict("records"), folder / "manifest/part-00000.parquet")
    return write_page(CoverageMatrix(folder), folder / "coverage/index.html")


def test_payloads_stay_text_and_their_samples_play(page_path, open_page):
    page = open_page(page_path)
    names = page.locator(".scroller tbody th").all_inner_texts()
    assert sorted(name.replace("\n", " ") for name in names) == sorted(PAYLOADS)
    for i, payload in enumerate(PAYLOADS):
        row = page.evaluate(
            f"text => [...{ROOT}.querySelectorAll('tbody th')].findIndex(th => th.textContent === text)", payload
        )
        assert row >= 0
        filled = page.evaluate(
            f"""row => {{ const cells = [...{ROOT}.querySelectorAll('tbody tr')[row].cells].slice(2);
            const at = cells.findIndex(td => td.textContent === '1'); cells[at].click(); return at; }}""",
            row,
        )
        assert filled >= 0
        page.locator(".sample").wait_for()
        assert page.locator(".sample .text").evaluate("e => e.textContent") == payload
        assert page.locator(".drawer h2").evaluate("e => e.textContent").startswith(f"{payload} in {payload}")
        seconds = page.evaluate(
            f"""async () => {{ const audio = {ROOT}.querySelector('.sample audio'); audio.muted = true; {ROOT}.querySelector('.play').click();
            if (!audio.duration) await new Promise((ok, no) => {{ audio.addEventListener('loadedmetadata', ok); audio.addEventListener('error', no); }});
            return audio.duration; }}"""
        )
        assert seconds == pytest.approx(0.5 * (i + 1), abs=0.01)
    assert page.evaluate("window.hit") is None
    assert page.evaluate(f"{ROOT}.querySelectorAll('img:not(.spectrogram), script').length") == 0


def test_a_name_from_right_to_left_reads_so(page_path, open_page):
    page = open_page(page_path)
    direction = page.evaluate(
        f"getComputedStyle([...{ROOT}.querySelectorAll('tbody th')].find(th => th.textContent === 'لهجة مصرية')).direction"
    )
    assert direction == "rtl"


def test_a_missing_file_of_samples_is_said(page_path, open_page):
    (page_path.parent / "index-files/samples-0000.js").unlink()
    page = open_page(page_path, tolerate=True)
    page.evaluate(
        f"[...{ROOT}.querySelectorAll('tbody td')].find(td => td.textContent === '1' && !td.classList.contains('all')).click()"
    )
    page.locator(".samples .warn").wait_for()
    assert page.locator(".samples .warn").inner_text() == (
        "The file index-files/samples-0000.js is missing. Copy the folder index-files/ together with this page."
    )
