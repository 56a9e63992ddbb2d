"""The page in a real browser with the network off: click, list, play; whatever the texts hold stays text."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix
from roomtone.coverage.report.html_page import script_json, write_page
from roomtone.coverage.views.heat_map import save_figure, tway_triangle
from roomtone.coverage.views.players import SampleList

PAYLOADS = [
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "{{ 7*7 }} {% raw %}",
    "$\\frac{1}{",
    "a\u2028b & <!--",
]


@pytest.fixture
def hostile_set(tmp_path, write_set) -> Path:
    """Return a set with payloads in every text, and real audio under its rows."""
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "set/audio").mkdir(parents=True)
    rows = []
    for i, text in enumerate(PAYLOADS):
        path = f"audio/s {i}#?.wav"
        soundfile.write(tmp_path / "set" / path, np.zeros(8000 * (i + 1), dtype=np.int16), 16000)
        texts = {"text": text, "speaker": text, "accent": text, "condition": f"{text} {i}", "utterance_id": f"u{i}"}
        rows.append({"sample_id": f"s{i}", "audio_path": path, "duration_s": 0.5 * (i + 1), "words": 1, **texts})
    rows.append({**rows[0], "sample_id": "out", "utterance_id": "x", "audio_path": "../../etc/passwd"})
    return write_set(tmp_path / "set", pd.DataFrame(rows))


def test_the_page_is_one_file_without_the_network(hostile_set):
    page = write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html").read_text()
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", page)
    assert "default-src 'none'" in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "window.hit=1</script>" not in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert set(data["levels"][0]) == set(PAYLOADS)
    links = [sample[4] for cell in data["samples"].values() for sample in cell]
    assert "./../audio/s%200%23%3F.wav" in links
    assert links.count(None) == 1  # what points out of the set is not linked


def test_script_json_comes_back_and_closes_nothing():
    text = str(script_json(PAYLOADS))
    assert not set("<>&") & set(text)
    assert json.loads(text) == PAYLOADS


def test_reprs_and_pictures_keep_text_as_text(hostile_set, tmp_path):
    matrix = CoverageMatrix(hostile_set)
    shown = matrix._repr_html_()
    assert "<script" not in shown
    assert "onerror" not in re.sub(r"<!--.*?-->", "", shown, flags=re.S)
    players = SampleList(matrix.samples(with_root=True, accent=PAYLOADS[0], condition=f"{PAYLOADS[0]} 0"))._repr_html_()
    assert "<script" not in players
    assert players.count("<audio") == 1  # of two rows one points out of the set
    save_figure(matrix.plot(), tmp_path / "m.svg")
    save_figure(matrix.plot(), tmp_path / "m.png")
    svg = (tmp_path / "m.svg").read_text()
    assert "<script" not in re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    save_figure(CoverageMatrix(hostile_set).plot(), tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == svg
    assert (tmp_path / "m.png").read_bytes()[:4] == b"\x89PNG"


def test_a_heat_map_of_three_axes_and_a_triangle(random_rows):
    rows = random_rows(1).assign(room="ward", noise="none")
    figure = CoverageMatrix(rows, axes=("accent", "condition", "room")).plot()
    assert [axes.get_title() for axes in figure.axes][:1] == ["room ward"]
    coverage = CoverageMatrix(rows).t_way(2, factors=["condition", "room", "accent"])
    texts = [text.get_text() for text in tway_triangle(coverage).axes[0].texts]
    assert sorted(texts) == ["3/3", "3/3", "9/9"]


def test_the_heat_map_shows_every_count(rows_of):
    rows = rows_of({("us", "a"): 3, ("us", "b"): 12, ("in", "a"): 1})
    texts = {text.get_text() for text in CoverageMatrix(rows).plot().axes[0].texts}
    assert texts == {"3", "12", "1", "0"}


@pytest.mark.slow
def test_in_a_browser(hostile_set):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    page_path = write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html")
    asked, errors = [], []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_path.as_uri())
        size = len(PAYLOADS)
        assert page.locator("#matrix td button").count() == size * size
        for i, payload in enumerate(PAYLOADS):
            name = f"accent {payload}, condition {payload} {i}"
            cell = page.evaluate(
                "name => [...document.querySelectorAll('#matrix button')].find(b => b.getAttribute('aria-label').startsWith(name)).dataset.cell",
                name,
            )
            page.click(f"#matrix button[data-cell='{cell}']")
            row = page.locator("#cell tr", has_text=f"s{i}")
            assert row.locator("td").nth(2).text_content() == payload
            seconds = page.evaluate(
                """async () => { const a = document.querySelector('#cell tr:last-child audio') || document.querySelector('#cell audio');
                if (a.readyState < 1) await new Promise((ok, no) => { a.onloadedmetadata = ok; a.onerror = () => no(a.error.message); });
                a.muted = true; await a.play(); return a.duration; }"""
            )
            assert seconds == pytest.approx(0.5 * (i + 1), abs=0.01)
        assert page.evaluate("window.hit") is None
        assert page.locator("img").count() == 0
        browser.close()
    assert not errors
    assert asked
    assert all(url.startswith("file:") for url in asked)
