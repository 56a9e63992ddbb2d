"""Two matrices as outputs of one notebook: each with its own state, in the notebook's theme, a picture where scripts do not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomtone.coverage import CoverageMatrix

pytestmark = pytest.mark.slow


@pytest.fixture
def notebook_path(tmp_path, sound_rows) -> Path:
    """Return a page with two matrices, as a notebook puts its outputs into one document."""
    outputs = [
        CoverageMatrix(sound_rows(["us", "scottish"])),
        CoverageMatrix(sound_rows(["us", "irish", "welsh"], without={(0, 1)}), goals={"default": {"speakers": 4}}),
    ]
    cells = "".join(f"<div class='jp-OutputArea-output'>{matrix._repr_html_()}</div>" for matrix in outputs)
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><meta charset='utf-8'><body data-jp-theme-light='false'>{cells}</body>", encoding="utf-8"
    )
    return path


def test_two_outputs_live_side_by_side(notebook_path, open_page):
    page = open_page(notebook_path)
    hosts = page.locator(".roomtone-matrix")
    assert hosts.count() == 2
    first, second = hosts.nth(0), hosts.nth(1)
    assert first.locator("tbody th").all_inner_texts() == ["scottish", "us"]
    assert second.locator("tbody th").all_inner_texts() == ["irish", "us", "welsh"]
    first.get_by_label("Show only").fill("scottish")
    page.wait_for_timeout(300)
    assert first.locator("tbody th").all_inner_texts() == ["scottish"]
    assert second.locator("tbody th").count() == 3
    second.locator(".layers label", has_text="minutes").click()
    chosen = [host.locator(".layers input:checked").get_attribute("value") for host in (first, second)]
    assert chosen == ["renders", "minutes"]


def test_it_follows_the_notebooks_theme_and_not_the_systems(notebook_path, open_page):
    page = open_page(notebook_path, scheme="light")
    assert page.locator(".roomtone-matrix").first.get_attribute("data-theme") == "dark"
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_timeout(50)
    assert page.locator(".roomtone-matrix").first.get_attribute("data-theme") == "light"


def test_a_cell_tells_how_to_hear_its_samples(notebook_path, open_page):
    page = open_page(notebook_path)
    page.locator(".roomtone-matrix").first.locator("tbody td").nth(1).click()
    assert page.locator(".drawer code").first.inner_text() == 'matrix.drill_down(accent="scottish", condition="clean")'


def test_without_scripts_it_is_a_picture(notebook_path, open_page):
    page = open_page(notebook_path, scripts=False)
    pictures = page.locator("img")
    assert pictures.count() == 2
    assert pictures.first.evaluate("i => i.naturalWidth") > 300
    assert pictures.first.get_attribute("alt").startswith("CoverageMatrix(recordings in a table: accent x condition")
    assert "{" not in page.locator("body").inner_text()  # neither code nor style shows as text
