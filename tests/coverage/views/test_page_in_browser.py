"""The page in a real browser with the network off: read, move, filter, group, open, play; at three widths, light and dark."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.core.dataset.manifest import read_manifest
from roomtone.coverage import CoverageMatrix
from roomtone.coverage.holes.hole_owners import holes_with_notes
from roomtone.coverage.report.html_page import write_page

pytestmark = pytest.mark.slow

SIZES = [(390, 844), (1280, 900), (2560, 1300)]
GOALS = {
    "default": {"utterances": 8, "speakers": 4},
    "ignore": [{"accent": "us", "condition": "ward"}],
    "illegal": [{"accent": "us", "condition": "clean"}],
}
ACCENTS = ["us", "scottish", "irish", "west_midlands", "hindi_l1"]
#: Everything in the shadow root is reached from here.
ROOT = "document.querySelector('.roomtone-matrix').shadowRoot"


@pytest.fixture(scope="module")
def page_path(tmp_path_factory, sound_rows, with_sound, conditions) -> Path:
    """Return a page of five accents and seven conditions with holes of every kind, and sound under it."""
    folder = tmp_path_factory.mktemp("page") / "set"
    rows = sound_rows(ACCENTS, without={(1, 2), (1, 3), (2, 4)})
    rows = rows[
        ~((rows["accent"] == "irish") & (rows["condition"] == "ward") & rows["speaker"].str.endswith(("1", "2", "3")))
    ]
    rows["measured_snr_db"] += rows["speaker"].str[-1].astype(float)
    with_sound(folder, rows)
    write_set(folder, rows)
    lost = [{"utterance_id": f"irish-0-{i}", "condition": "ward", "reason": f"missed by {i}"} for i in (0, 1, 1)]
    (folder / "rejected").mkdir()
    (folder / "rejected/part-00000.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lost))
    (folder / "holes.yaml").write_text('- {accent: irish, owner: Ann, note: "booked <b>"}\n')
    matrix = CoverageMatrix(folder, goals=GOALS)
    tables = {"Speakers that two splits share": pd.DataFrame({"split": ["dev"], "dev": [4]})}
    holes = holes_with_notes(matrix, folder / "holes.yaml")
    return write_page(
        matrix, folder / "coverage/index.html", extra=["2-way: total 90 %"], holes=holes, tables=tables, distributions=["duration_s"]
    )  # fmt: skip


@pytest.fixture(scope="module")
def large_path(tmp_path_factory) -> Path:
    """Return a page of 30 accents x 200 conditions with 100,000 renders."""
    rng = np.random.default_rng(3)
    levels = [(r, n, e, h) for r in ROOMS for n in NOISES for e in MACHINES for h in HANDSETS][:200]
    count = 100_000
    accent, column, utterance = rng.integers(0, 30, count), rng.integers(0, 200, count), rng.integers(0, 60, count)
    rows = pd.DataFrame(
        {
            "sample_id": [f"s{i:06d}" for i in range(count)],
            "utterance_id": [f"{a}-{u}" for a, u in zip(accent, utterance)],
            "speaker": [f"speaker-{a}-{u % 12}" for a, u in zip(accent, utterance)],
            "accent": [f"accent_{a:02d}" for a in accent],
            "condition": ["+".join(level for level in levels[c] if level != "none") or "clean" for c in column],
            "text": "give the patient in bed four two milligrams", "words": 8, "duration_s": 2.5,
        }
    )  # fmt: skip
    for i, name in enumerate(("room", "noise", "equipment", "handset")):
        rows[name] = [levels[c][i] for c in column]
    rows = rows[~((accent % 7 == 3) & (column % 9 == 2))]
    folder = tmp_path_factory.mktemp("large") / "set"
    write_set(folder, rows)
    return write_page(CoverageMatrix(folder, goals={"default": {"utterances": 12}}), folder / "coverage/index.html")


ROOMS = ["none", "ward", "imaging_suite", "imaging_control_room", "office"]
NOISES = ["none", "babble@5dB", "babble@10dB", "hvac@15dB"]
MACHINES = ["none", "mri_epi@10dB", "scanner_800hz@5dB"]
HANDSETS = ["none", "gsm", "landline_mulaw", "smartphone_near"]


def write_set(folder: Path, rows: pd.DataFrame) -> None:
    """Write rows as the one manifest part of a set."""
    from roomtone.core.dataset.manifest import write_part

    write_part(rows.astype(object).where(rows.notna(), None).to_dict("records"), folder / "manifest/part-00000.parquet")


def cell(page, row: int, column: int):
    """Return a cell of the grid's body, counted from 0 after the margin."""
    return page.locator(".scroller tbody tr").nth(row).locator("td").nth(column + 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
@pytest.mark.parametrize("which", ["page_path", "large_path"])
def test_nothing_is_cut_or_off_the_side(which, size, scheme, request, open_page):
    """The page never scrolls sideways, closed or with a drawer open, and every header shows the whole of its name."""
    page = open_page(request.getfixturevalue(which), width=size[0], height=size[1], scheme=scheme)
    wide = "[document.documentElement.scrollWidth, innerWidth]"
    assert page.evaluate(wide) == [size[0], size[0]]
    cut = f"""[...{ROOT}.querySelectorAll('[role=grid] th')].filter(th => th.scrollWidth > th.clientWidth + 1 || th.scrollHeight > th.clientHeight + 1)
        .map(th => th.textContent)"""
    assert page.evaluate(cut) == []
    cell(page, 1, 1).click()
    page.locator(".drawer h2").wait_for()
    assert page.evaluate(wide) == [size[0], size[0]]
    if size[0] >= 1000:  # the open drawer lies over nothing, wherever the page is scrolled to, and pushes nothing away
        page.locator(".side").scroll_into_view_if_needed()
        side, drawer, sheet = page.evaluate(
            f"['.side', '.drawer', '.sheet'].map(name => {ROOT}.querySelector(name).getBoundingClientRect().toJSON())"
        )
        assert side["right"] <= drawer["left"] or side["left"] >= drawer["right"]
        assert side["top"] < sheet["bottom"] + 60


def test_goals_of_thousands_of_words_fit_in_their_cells(tmp_path, open_page):
    """`36/6,2` was what a goal of 6,202 words showed."""
    manifest = pd.DataFrame([
        {"sample_id": f"{a}{c}{s}", "accent": a, "condition": c, "speaker": f"{a}{s}", "utterance_id": f"{a}{s}", "text": "one two three"}
        for a in ("irish", "us") for c in ("clean", "gsm") for s in range(2)
    ])  # fmt: skip
    manifest.to_csv(tmp_path / "rows.csv", index=False)
    matrix = CoverageMatrix(tmp_path / "rows.csv", goals={"default": {"detect": 0.05}})
    write_page(matrix, tmp_path / "page/index.html")
    page = open_page(tmp_path / "page/index.html")
    cells = page.locator("[role=grid] tbody td.short1, [role=grid] tbody td.short0")
    assert cells.count() > 0
    assert all("k" in text for text in cells.all_inner_texts())
    assert cells.evaluate_all("all => all.filter(td => td.scrollWidth > td.clientWidth).length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_colour(page_path, scheme, open_page, shown_contrasts):
    """4.5:1 at least, in every layer, on the hatching too; measured here, because axe-core cannot see through a gradient."""
    page = open_page(page_path, scheme=scheme)
    layers = page.locator(".layers label")
    seen = set()
    for i in range(layers.count()):
        layers.nth(i).click()
        found = shown_contrasts(page)
        seen |= {name for _, name in found}
        assert [pair for pair in found if pair[0] < 4.5] == []
    assert len(seen) > 50


def test_the_palettes_hold_for_every_class(page_path, open_page, shown_contrasts):
    """Also those that this matrix does not show: every colour of the style sheet with the ink that goes with it."""
    classes = [
        "met", *(f"short{i}" for i in range(5)), "plain", *(f"plain{i}" for i in range(5)), "unknown", "thin", "even", "out", "out bad",
        *(f"ramp{i}" for i in range(8)), *(f"more{i}" for i in range(1, 5)), *(f"less{i}" for i in range(1, 5)),
        *(f"verdict {name}" for name in ("worse", "better", "no_gap", "not_enough_data", "saturated")),
    ]  # fmt: skip
    for scheme in ("light", "dark"):
        page = open_page(page_path, scheme=scheme)
        page.evaluate(
            f"""classes => {{ const box = {ROOT}.querySelector('.legend'); box.append(...classes.map(name => {{
                const e = document.createElement('p'); e.className = 'swatch probed ' + name; e.textContent = '12 ' + name; return e; }})); }}""",
            classes,
        )
        found = [pair for pair in shown_contrasts(page) if "probed" in pair[1]]
        assert len(found) == len(classes)
        assert [pair for pair in found if pair[0] < 4.5] == []


@pytest.mark.parametrize(("which", "scheme"), [("page_path", "light"), ("page_path", "dark"), ("large_path", "light")])
def test_axe_finds_nothing_serious(which, scheme, request, open_page, axe_script):
    page = open_page(request.getfixturevalue(which), scheme=scheme)
    small = which == "page_path"  # the contrast of 6,000 cells takes minutes; their classes are measured above
    for opened in (False, True) if small else (False,):
        if opened:
            cell(page, 0, 1).click()
            page.locator(".samples h3, .samples p").first.wait_for()
        page.evaluate(axe_script)
        result = page.evaluate("on => axe.run({rules: {'color-contrast': {enabled: on}}})", small)
        faults = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]]) for v in result["violations"]]
        assert [f for f in faults if f[1] in ("serious", "critical")] == []
        # a target that is a list of lists lies in a shadow root: the component itself was looked at
        inside = {p["id"] for p in result["passes"] for node in p["nodes"] if isinstance(node["target"][0], list)}
        assert {"aria-required-children", "label", *(["color-contrast"] if small else [])} <= inside


def test_a_cell_is_opened_and_closed_by_keyboard_alone(page_path, open_page):
    page = open_page(page_path)
    active = f"{ROOT}.activeElement"
    for _ in range(40):  # the tab key reaches the grid, which is one stop
        page.keyboard.press("Tab")
        if page.evaluate(f"{active}?.closest('[role=grid]') !== null && {active}?.matches('td')"):
            break
    assert page.evaluate(f"{active}.matches('tbody td')")
    page.keyboard.press("Control+Home")
    assert page.evaluate(f"{active}.closest('tr').classList.contains('margins')")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    said = page.evaluate(f"{active}.getAttribute('aria-label')")
    assert said.startswith("irish, babble@10dB+gsm. distinct utterances: 8 (goal 8)")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{active}.textContent") == "irish in babble@10dB + gsm"
    page.locator(".samples .play").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".drawer").is_hidden()
    assert page.evaluate(f"{active}.getAttribute('aria-label')") == said
    page.keyboard.press("End")
    assert page.evaluate(f"{active}.cellIndex") == page.evaluate(f"{active}.parentElement.cells.length") - 1


def test_a_sample_plays_and_changes_over_to_clean(page_path, open_page):
    """Durations are read back: 0.4 s and a tenth more for each further speaker; the clean one goes on where the other was."""
    page = open_page(page_path)
    explained = f"{ROOT}.querySelector('.next h2').getBoundingClientRect().top"
    before = page.evaluate(explained)
    cell(page, 1, 1).click()
    page.locator(".samples .play").first.wait_for()
    assert (
        abs(page.evaluate(explained) - before) < 40
    )  # what explains the matrix stays beside the drawer, not a window's height below
    assert page.evaluate(f"{ROOT}.querySelector('.sample .play').getBoundingClientRect().bottom < innerHeight")
    assert [page.locator(".sample").count(), page.locator(".sample:visible").count()] == [8, 2]
    page.get_by_role("button", name="show all 8").click()
    assert page.locator(".sample:visible").count() == 8
    found = page.evaluate(
        f"""async () => {{ const found = [];
        for (const sample of {ROOT}.querySelectorAll('.sample')) {{
            const audio = sample.querySelector('audio'); audio.muted = true; sample.querySelector('.play').click();
            if (!audio.duration) await new Promise((ok, no) => {{ audio.addEventListener('loadedmetadata', ok); audio.addEventListener('error', no); }});
            found.push([audio.duration, Number(sample.querySelector('.who').textContent.match(/speaker-(\\d)/)[1])]);
        }} return found; }}"""
    )
    for duration, speaker in found:
        assert duration == pytest.approx(0.4 + 0.1 * speaker, abs=0.01)
    moment = page.evaluate(
        f"""async () => {{ const sample = {ROOT}.querySelector('.sample'); const [one, clean] = sample.querySelectorAll('audio');
        one.pause(); one.currentTime = 0.2; sample.querySelectorAll('.versions input')[1].click();
        if (clean.readyState < 1) await new Promise(ok => clean.addEventListener('loadedmetadata', ok, {{ once: true }}));
        return [one.getAttribute('src') !== clean.getAttribute('src'), clean.currentTime, sample.querySelector('.stage').dataset.on]; }}"""
    )
    assert moment == [True, pytest.approx(0.2, abs=0.02), "1"]
    measured = page.locator(".sample").first.locator(".measured").inner_text().replace("\n", " ")
    assert "SNR 10.0 dB asked 10.0" in measured
    assert page.locator(".sample img").first.evaluate("i => i.naturalWidth") == 144


def test_the_drawer_says_how_numbers_spread_what_was_rejected_and_who_looks_after_it(page_path, open_page):
    rows = read_manifest(page_path.parents[1])
    page = open_page(page_path)
    box = page.get_by_label("Show only")
    table = page.get_by_role("region", name="Speakers that two splits share")
    assert table.inner_text().split() == ["split", "dev", "dev", "4"]

    def opened(words: str) -> None:
        box.fill(words)
        page.wait_for_timeout(250)
        cell(page, 0, 0).click()
        page.locator(".samples h3").first.wait_for()

    opened("us babble ward")  # one column is left
    own = rows[(rows["accent"] == "us") & (rows["condition"] == "ward+babble@10dB+gsm")]["measured_snr_db"]
    said = page.get_by_role("img", name="SNR: median").get_attribute("aria-label")
    low, middle, high = own.quantile([0, 0.5, 1])  # of fewer than 20 samples the whole range
    assert said.startswith(
        f"SNR: median {middle:.1f} dB, all {len(own)} from {low:.1f} to {high:.1f}, {len(own)} samples"
    )
    bars = page.locator(".bars").first.locator("rect")
    assert bars.count() == own.nunique()  # four speakers, four values, four bars of one height
    assert len({bars.nth(i).get_attribute("height") for i in range(bars.count())}) == 1
    assert page.locator(".spreads dt").all_inner_texts() == ["SNR", "level", "duration_s"]
    assert page.locator(".owner, .rejected").count() == 0
    opened("irish landline")
    assert page.locator(".owner").count() == 0  # it meets its goals, so nobody needs to look after it
    box.fill("irish")
    page.wait_for_timeout(250)
    grid = page.locator(".scroller tbody tr").first.locator("td")
    short = next(i for i in range(grid.count()) if grid.nth(i).inner_text() == "2/8" and i)
    grid.nth(short).click()
    page.locator(".rejected").wait_for()
    assert page.locator(".owner").inner_text() == "Owner: Ann – booked <b>"
    assert (
        page.locator(".power").inner_text() == "Nothing can be shown here: one speaker is not enough for an interval."
    )
    assert page.locator(".state").get_attribute("class") == "state partly"
    assert "plain" in page.locator(".scroller .margins td").first.get_attribute("class")  # a total has no goal
    assert page.locator(".first-step").inner_text().startswith("Next: ")
    assert page.locator(".rejected").inner_text() == "3 of 5 planned were rejected, most of them: missed by 1"


def test_words_filter_rows_and_columns(page_path, open_page):
    page = open_page(page_path)
    box = page.get_by_label("Show only")

    def shown() -> tuple[list[str], int]:
        page.wait_for_timeout(250)
        rows = page.locator(".scroller tbody th").all_inner_texts()
        return rows, page.evaluate(f"{ROOT}.querySelector('.margins').cells.length - 2")

    box.fill("scottish gsm")
    assert shown() == (["scottish"], 3)
    box.fill('"scottish" "babble@10dB" gsm')
    assert shown() == (["scottish"], 2)
    box.fill('"scot" gsm')
    page.wait_for_timeout(250)
    assert page.locator(".nothing").inner_text() == 'No accent and no condition is called “"scot"”.'
    box.fill("scottish irish gsm babble")
    assert shown() == (["irish", "scottish"], 2)
    box.fill("GSM landline")
    assert shown()[1] == 4
    box.fill("clean")
    assert shown()[1] == 1
    box.fill("scottish submarine")
    page.wait_for_timeout(250)
    assert page.locator(".nothing").inner_text() == "No accent and no condition is called “submarine”."
    assert page.locator(".live").inner_text() == "No accent and no condition is called “submarine”."
    box.fill("")
    assert shown() == (sorted(ACCENTS), 7)


def test_columns_are_grouped_folded_and_sorted(page_path, open_page):
    page = open_page(page_path)
    heads = page.locator(".scroller thead tr.factor").first.locator("th")

    def top() -> list[tuple[str, int]]:
        return [(h.inner_text().replace("\n", ""), int(h.get_attribute("colspan") or 1)) for h in heads.all()[1:]]

    assert top() == [("clean", 1), ("none", 1), ("−imaging_control_room", 2), ("−ward", 3)]
    page.get_by_label("Group by").select_option(label="handset")
    assert [name.lstrip("−") for name, _ in top()] == ["clean", "none", "gsm", "landline_mulaw", "smartphone_near"]
    page.locator("th[data-level]", has_text="gsm").click()
    assert ("+gsmall 3", 1) in top()
    frame = pd.read_parquet(page_path.parents[1] / "manifest")
    row = page.locator(".scroller tbody tr", has_text="hindi_l1").locator("td").all_inner_texts()
    names = [name.lstrip("+−").removesuffix("all 3") for name, _ in top()]
    mine = frame[(frame["accent"] == "hindi_l1") & (frame["handset"] == "gsm")]
    assert row[1 + names.index("gsm")] == str(mine["utterance_id"].nunique())
    page.get_by_role("button", name="Unfold all").click()
    page.get_by_label("Group by").select_option(label="no grouping")
    page.get_by_label("Sort accents").select_option(label="most holes first")
    assert page.locator(".scroller tbody th").first.inner_text() in ("irish", "scottish")
    page.get_by_label("Sort accents").select_option(label="by name")
    assert page.locator(".scroller tbody th").all_inner_texts() == sorted(ACCENTS)


def test_the_legend_stands_over_the_grid_and_missing_cells_share_a_line(page_path, open_page):
    page = open_page(page_path, height=800)
    low = f"[...{ROOT}.querySelectorAll('.keys li, .margins')].map(box => box.getBoundingClientRect().bottom)"
    assert all(bottom < 800 for bottom in page.evaluate(low))
    assert "a hole: nothing is there" in page.locator(".keys").inner_text()
    page.locator(".margins td").first.click()
    lines = page.locator(".short-cells li").all_inner_texts()
    assert len({line.split(" in ")[0] for line in lines}) == len(lines) >= 2
    assert any("gsm, " in line for line in lines)


def test_margins_stay_while_the_cells_scroll(large_path, open_page):
    page = open_page(large_path)
    place = f"""(() => {{ const r = {ROOT}; const box = r.querySelector('.scroller').getBoundingClientRect();
        const at = e => {{ const b = e.getBoundingClientRect(); return [Math.round(b.left - box.left), Math.round(b.top - box.top)]; }};
        return [at(r.querySelector('.margins th')), at(r.querySelector('.margins td')), at(r.querySelector('tbody tr:last-child th')).slice(0, 1)]; }})()"""
    before = page.evaluate(place)
    page.evaluate(f"{ROOT}.querySelector('.scroller').scrollTo(4000, 200)")
    page.wait_for_timeout(100)
    assert page.evaluate(place) == before


def test_thirty_by_two_hundred_is_quick_and_light(large_path, open_page):
    size = large_path.stat().st_size
    assert size < 5_000_000
    page = open_page(large_path)
    painted, loaded = [], []
    for again in range(3):  # the best of three: what else the machine does is not the page's
        if again:
            page.reload()
        painted.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint').map(e => e.startTime)[0] ?? 1e9")
        )
        loaded.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert min(painted) < 1000
    assert min(loaded) < 2000
    assert page.locator(".scroller tbody tr").count() == 30
    assert page.evaluate(f"{ROOT}.querySelector('.margins').cells.length") == 202
    focusable = "a[href], button, input, select, textarea, summary, audio[controls], [tabindex]"
    assert (
        page.evaluate(
            f"document.querySelectorAll('{focusable}').length + {ROOT}.querySelectorAll('{focusable}').length"
        )
        < 300
    )
    assert page.locator(".overview canvas").is_visible()
    # the frame spans the rows that can be seen: those below the header and above the window's edge
    seen = page.evaluate(
        f"""[...{ROOT}.querySelectorAll('.scroller tbody tr')].map(r => r.getBoundingClientRect()).filter(r => r.top + r.height / 2 < innerHeight).length"""
    )
    frame = page.locator(".overview .window").evaluate("w => w.offsetHeight / w.parentElement.offsetHeight")
    assert 30 * frame == pytest.approx(seen, abs=1.1)


def test_without_scripts_the_tables_remain(page_path, open_page):
    page = open_page(page_path, scripts=False)
    text = page.locator("body").inner_text()
    assert "cells meet their goals" in text
    rows = page.locator(".roomtone-static tbody tr")
    assert rows.count() == 1 + 7
    assert page.locator(".roomtone-static td.short").count() > 0
    assert "0/8" in page.locator(".roomtone-static").inner_text()


def test_on_paper_the_tables_are_whole(page_path, open_page, tmp_path):
    """A4: the static tables stand for the grid, none is wider than the sheet, rows are not torn."""
    page = open_page(page_path, width=718)
    page.emulate_media(media="print")
    assert page.locator(".roomtone-static table").first.is_visible()
    assert page.evaluate(f"getComputedStyle({ROOT}.querySelector('.frame')).display") == "none"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.roomtone-static tr')).breakInside") == "avoid"
    pdf = page.pdf(format="A4")
    assert pdf[:5] == b"%PDF-"


def test_the_data_of_the_page_are_the_matrix(page_path):
    """Figures of page, frame and CSV are the same numbers."""
    from roomtone.coverage.views.csv_tables import read_matrix_csv, write_csv

    folder = page_path.parents[1]
    matrix = CoverageMatrix(folder, goals=GOALS)
    write_csv(matrix.to_frame(), folder / "coverage/matrix.csv")
    _, table = read_matrix_csv(folder / "coverage/matrix.csv")
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page_path.read_text())[1])
    layers = {layer["id"]: layer["fields"] for layer in data["layers"]}
    order = pd.MultiIndex.from_product([data["rows"]["names"], data["columns"]["names"]])
    table = table.set_index(["accent", "condition"]).loc[order]
    for unit in ("renders", "utterances", "speakers", "minutes"):
        assert layers[unit]["value"]["cells"] == pytest.approx(table[unit].tolist(), abs=1e-6)
        if f"goal_{unit}" in table and (table[f"goal_{unit}"] > 0).any():
            assert layers[unit]["goal"]["cells"] == pytest.approx(table[f"goal_{unit}"].tolist())
    share = [np.nan if value is None else value for value in layers["share"]["value"]["cells"]]
    assert share == pytest.approx(table["covered_share"].tolist(), abs=1e-6, nan_ok=True)
