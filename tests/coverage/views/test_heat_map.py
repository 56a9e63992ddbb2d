"""The heat map for papers: every count, a title, the factors beside the conditions, a bar that says what colours mean."""

from __future__ import annotations

import numpy as np
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.coverage import CoverageMatrix
from roomtone.coverage.views.figure_files import as_image, as_png, save_figure
from roomtone.coverage.views.goal_colours import HOLE, MET, SHORT, contrast, goal_colour, ink_on
from roomtone.coverage.views.t_way_triangle import tway_triangle


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_heat_map_shows_every_count(rows_of):
    rows = rows_of({("us", "a"): 3, ("us", "b"): 12, ("in", "a"): 1})
    assert sorted(texts(CoverageMatrix(rows).plot())) == ["0", "1", "12", "3"]


def test_it_says_what_it_shows(rows_of):
    figure = CoverageMatrix(rows_of({("us", "a"): 3, ("in", "b"): 1}), goals={"default": {"speakers": 2}}).plot()
    assert (
        figure.get_suptitle()
        == "recordings in a table: speakers in each cell of accent x condition, goal 2; 1 of 4 cells meet their goals"
    )
    bar = figure.axes[-1]
    assert bar.get_ylabel() == "share of the cell's goals reached; hatched: something is missing"
    assert next(label.get_text() for label in bar.get_yticklabels()) == "nothing"


def test_conditions_are_grouped_by_their_factors(sound_rows):
    """Each run of equal levels is written once; the condition without any level has its own name."""
    figure = CoverageMatrix(sound_rows(["us", "scottish"])).plot()
    shown = texts(figure)
    assert [shown.count(name) for name in ("room", "noise", "equipment", "handset")] == [1, 1, 1, 1]
    assert shown.count("imaging_control_room") == 1
    assert shown.count("ward") == 1
    assert shown.count("clean") == 1
    assert figure.axes[0].get_ylabel() == ""


def test_three_axes_become_small_multiples(random_rows):
    rows = random_rows(1).assign(room="ward", noise="none")
    figure = CoverageMatrix(rows, axes=("accent", "condition", "room")).plot()
    assert figure.axes[0].get_title() == "room ward"
    with pytest.raises(RoomtoneError, match="4 axes do not fit"):
        CoverageMatrix(rows, axes=("accent", "condition", "room", "noise")).plot()


def test_a_triangle_shows_the_pairs_of_levels(random_rows):
    coverage = CoverageMatrix(random_rows(1).assign(room="ward")).t_way(2, factors=["condition", "room", "accent"])
    assert sorted(texts(tway_triangle(coverage))) == ["3/3", "3/3", "9/9"]


def test_colours_of_goals_can_be_read():
    for colour in (MET, HOLE, *SHORT):
        assert contrast(ink_on(colour), colour) >= 4.5
    assert [goal_colour(share) for share in (0.0, 0.1, 0.3, 0.6, 0.9, 1.0)] == [HOLE, *SHORT, MET]
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's well-known near miss


def test_the_same_figure_gives_the_same_bytes_and_small_ones_for_a_notebook(sound_rows, tmp_path):
    matrix = CoverageMatrix(sound_rows(["us", "scottish", "irish"]))
    assert as_png(matrix.plot()) == as_png(matrix.plot())
    save_figure(matrix.plot(), tmp_path / "m.png")
    assert (tmp_path / "m.png").read_bytes()[:4] == b"\x89PNG"
    assert len(as_image(matrix.plot(), "alt")) < 40_000
    assert np.isfinite(matrix.plot().get_size_inches()).all()


def test_synthetic_speech_is_said_in_the_title(random_rows):
    rows = random_rows(1)
    assert "synthetic" not in CoverageMatrix(rows).plot().get_suptitle()
    title = " ".join(CoverageMatrix(rows.assign(speech_origin="synthetic")).plot().get_suptitle().split())
    assert "This speech is synthetic: it shows that the pipeline works, and says nothing about how" in title
