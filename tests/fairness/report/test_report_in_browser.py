"""The report in a real browser with the network off: on a phone and a wide screen, light and dark, on paper, without scripts."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from roomtone.core.dataset.manifest import write_part
from roomtone.fairness.evaluation import Settings, evaluate
from roomtone.fairness.report.page import write_report

pytestmark = pytest.mark.slow

SIZES = [(390, 844), (1280, 900), (2560, 1300)]
ACCENTS = ["us", "scottish", "hindi_l1", "<b>west</b> midlands", "لهجة مصرية"]
CONDITIONS = [
    ("none", "none", "none"),
    ("none", "babble@5dB", "none"),
    ("ward", "babble@10dB", "gsm"),
    ("ward", "none", "gsm"),
]
TEXT = "give ten units of saline every hour before noon"
ROOT = "document.querySelector('.roomtone-matrix').shadowRoot"


@pytest.fixture(scope="module")
def report_path(tmp_path_factory) -> Path:
    """Return the report of five accents in four conditions, one accent failing in ward, with sound under every sample."""
    soundfile = pytest.importorskip("soundfile")
    folder = tmp_path_factory.mktemp("report") / "set"
    rng = np.random.default_rng(2)
    rows, heard = [], []
    for (a, accent), (room, noise, handset), s, u in itertools.product(
        enumerate(ACCENTS), CONDITIONS, range(4), range(3)
    ):
        condition = "+".join(level for level in (room, noise, handset) if level != "none") or "clean"
        name = f"s{len(rows):04d}"
        path = folder / "audio" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(3200), 8000, subtype="PCM_16")
        rows.append(
            {"sample_id": name, "utterance_id": f"{a}-{s}-{u}", "speaker": f"{a}-{s}", "accent": accent, "condition": condition, "room": room,
             "noise": noise, "equipment": "none", "handset": handset, "text": TEXT, "words": 9, "duration_s": 0.4, "audio_path": f"audio/{name}.wav",
             "speech_origin": "recorded"}
        )  # fmt: skip
        rate = 0.6 if a == 1 and room == "ward" else 0.05 + 0.1 * (noise != "none")
        words = [("wrong" if rng.random() < rate else word) for word in TEXT.split()]
        heard.append({"sample_id": name, "hypothesis": " ".join(words)})
    write_part(rows, folder / "manifest/part-00000.parquet")
    (folder.parent / "heard.jsonl").write_text("".join(json.dumps(row) + "\n" for row in heard))
    result = evaluate(folder, Settings(asr={"recogniser": "hypotheses", "path": str(folder.parent / "heard.jsonl")}))
    return write_report(result)[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_nothing_runs_off_the_side(report_path, size, scheme, open_page):
    page = open_page(report_path, width=size[0], height=size[1], scheme=scheme)
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [size[0], size[0]]
    cut = f"[...{ROOT}.querySelectorAll('[role=grid] th')].filter(th => th.scrollWidth > th.clientWidth + 1).map(th => th.textContent)"
    assert page.evaluate(cut) == []
    assert page.evaluate("document.documentElement.scrollHeight") < 14_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everybody(report_path, scheme, open_page, axe_script, shown_contrasts):
    page = open_page(report_path, scheme=scheme)
    page.evaluate(axe_script)
    result = page.evaluate("axe.run()")
    faults = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]]) for v in result["violations"]]
    assert [f for f in faults if f[1] in ("serious", "critical")] == []
    for i in range(page.locator(".layers label").count()):
        page.locator(".layers label").nth(i).click()
        assert [pair for pair in shown_contrasts(page) if pair[0] < 4.5] == []


def test_words_said_and_heard_stand_above_each_other(report_path, open_page):
    page = open_page(report_path)
    row = page.evaluate(f"[...{ROOT}.querySelectorAll('tbody th')].findIndex(th => th.textContent === 'scottish')")
    page.evaluate(f"row => [...{ROOT}.querySelectorAll('tbody tr')[row].cells].at(-1).click()", row)
    page.locator(".sample").first.wait_for()
    said, got = page.locator(".sample").first.locator(".heard tr").all()
    assert said.locator("td").all_inner_texts() == TEXT.split()
    assert len(got.locator("td").all()) == len(TEXT.split())
    errors = page.locator(".sample .op.S").count()
    assert errors > 10  # six words of ten are wrong here
    assert page.locator(".answers").inner_text().count("95 %") >= 1
    assert page.locator(".said").first.inner_text()


def test_a_gap_has_an_outline_in_every_layer(report_path, open_page):
    page = open_page(report_path)
    data = json.loads(page.locator(".roomtone-matrix script").first.text_content())
    value = next(layer for layer in data["layers"] if layer["id"] == "verdict")["fields"]["value"]
    worse = [*value["cells"], *value["rows"]].count("worse")
    assert worse > 0
    layers = page.locator(".layers label")
    assert layers.count() > 5
    for i in range(layers.count()):
        layers.nth(i).click()
        assert page.locator("td.gap-worse").count() == worse
        assert page.locator(".keys .gap-worse").count() == 1


def test_the_pictures_name_their_groups(report_path, open_page):
    page = open_page(report_path)
    ranked = page.locator("#ranked tbody th").all_inner_texts()
    assert set(ranked) == set(ACCENTS)
    assert ranked[0] == "scottish"
    assert page.locator("#speakers .person").count() == 4 * len(ACCENTS)
    panels = page.locator(".panels figure")  # babble is there at two SNRs
    assert panels.count() == len(ACCENTS)
    assert panels.first.locator("svg").get_attribute("aria-label").startswith("scottish: 5 dB: ")


def test_without_scripts_texts_and_tables_remain(report_path, open_page):
    page = open_page(report_path, scripts=False)
    tables = page.locator(".roomtone-static table")
    assert tables.count() >= 3
    assert page.locator("#ranked tbody tr").count() == len(ACCENTS)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_paper_no_table_is_wider_than_the_sheet(report_path, open_page):
    """A4 has 718 px between margins of 14 mm at 96 px an inch."""
    page = open_page(report_path, width=718)
    page.emulate_media(media="print")
    wide = """[...document.querySelectorAll('table, svg')].filter(e => e.offsetParent !== null && e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.id || e.caption?.textContent)"""
    assert page.evaluate(wide) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for selector in (".roomtone-static tr", "#ranked tr"):
        assert page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).breakInside") == "avoid"
    assert page.pdf(format="A4")[:5] == b"%PDF-"
