"""What a person types at a Python prompt: the version, help, misspelt names with the nearest one, wrong types in one line."""

import pydoc
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

import roomtone
from roomtone.augment import active_speech_level, rerender
from roomtone.core.errors import RoomtoneError
from roomtone.coverage import CoverageMatrix, read_manifest
from roomtone.fairness import compare, score

ROWS = pd.DataFrame(
    [
        {"accent": a, "condition": c, "room": c, "sample_id": f"{a}{c}{i}", "utterance_id": f"{a}{i}", "speaker": f"{a}{i}", "text": "one two"}
        for a in ("scottish", "us") for c in ("clean", "ward") for i in range(3)
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def matrix():
    return CoverageMatrix(ROWS)


def test_version_and_help():
    """A namespace has no `__init__.py`, so that both once were an AttributeError and an empty page."""
    assert roomtone.__version__ == version("roomtone")
    text = pydoc.plain(pydoc.render_doc(roomtone))
    assert "roomtone - Roomtone: stress-test sets" in text
    assert "augment" in text


SLIPS = {
    "levels": (lambda m: CoverageMatrix(ROWS, levels={"acent": ["us"]}), r"levels: no column 'acent'; did you mean 'accent'\?"),
    "t_way": (lambda m: m.t_way(9), "strength: expected 1 to 4, got 9"),
    "t_way of text": (lambda m: m.t_way("two"), "strength: expected 1 to 4, got 'two'"),
    "drill_down": (lambda m: m.drill_down(accent="scotish", condition="ward"), r"accent: no value 'scotish'; did you mean 'scottish'\?"),
    "axes": (lambda m: CoverageMatrix(ROWS, axes=5), "axes: expected a column"),
    "goals": (lambda m: CoverageMatrix(ROWS, goals=5), "goals: expected a mapping, got 5"),
    "a set": (lambda m: CoverageMatrix(5), "dataset: expected a folder, a table or a DataFrame, got 5"),
    "a manifest": (lambda m: read_manifest(5), "dataset: expected a folder, or a list of folders, got 5"),
    "a sample": (lambda m: rerender("/nope", "x"), "/nope: there is no such dataset folder"),
    "scores": (lambda m: compare(5), "compare: expected a DataFrame of scores, got 5"),
    "a table": (lambda m: score(5, {}), "the manifest: expected a DataFrame, got 5"),
    "hypotheses": (lambda m: score(ROWS, 5), "the hypotheses: expected a DataFrame, got 5"),
    "a normaliser": (lambda m: score(ROWS, dict.fromkeys(ROWS["sample_id"], "one"), "spoken_englsh"), r"did you mean 'spoken_english'\?"),
    "a rate": (lambda m: active_speech_level(np.zeros(100), "16k"), "sample_rate_hz: expected a number of Hz, e.g. 16000, got '16k'"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_one_line_that_says_what_to_type(matrix, slip):
    call, message = SLIPS[slip]
    with pytest.raises(RoomtoneError, match=message) as caught:
        call(matrix)
    assert "\n" not in str(caught.value)


def test_an_unknown_keyword_names_the_function():
    with pytest.raises(TypeError, match="compare.*'grop'"):
        compare(ROWS, grop="accent")
