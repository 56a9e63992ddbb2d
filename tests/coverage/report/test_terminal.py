"""The matrix in a terminal: whole where it fits, a summary where it does not, everything when it is asked for."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from roomtone.coverage.report.terminal import print_matrix


def shown(rows: pd.DataFrame, width: int, goals=None, **options) -> list[str]:
    """Return the lines that a terminal of this width shows."""
    out = io.StringIO()
    print_matrix(rows, goals, Console(file=out, width=width), **options)
    return out.getvalue().splitlines()


@pytest.fixture
def large() -> pd.DataFrame:
    """Thirty accents in two hundred conditions, one accent short of speakers and one condition nearly empty."""
    rng = np.random.default_rng(0)
    accent, condition = np.repeat(np.arange(30), 200 * 3), np.tile(np.repeat(np.arange(200), 3), 30)
    speaker = np.tile(np.arange(3), 30 * 200)
    keep = ~((accent == 7) & (speaker > 0)) & ~((condition == 11) & (rng.random(accent.size) < 0.99))
    rows = pd.DataFrame({"accent": accent, "condition": condition, "speaker": speaker})[keep]
    names = {"accent": "accent_{:02d}", "condition": "ward+babble@{}dB+some_longer_name", "speaker": "p{}"}
    texts = {column: [names[column].format(value) for value in rows[column]] for column in rows}
    ids = [f"{a}-{c}-{s}" for a, c, s in rows.itertuples(index=False)]
    return pd.DataFrame(texts).assign(
        sample_id=ids, utterance_id=[f"{a}-{s}" for a, _, s in rows.itertuples(index=False)]
    )


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_large_matrix_is_a_summary(large, width):
    lines = shown(large, width, {"default": {"speakers": 3}})
    assert len(lines) < 40
    assert lines[0] == "recordings in a table: 30 accents x 200 conditions"
    assert "columns" in " ".join(lines)
    worst = lines.index("accents with the most missing")
    assert lines[worst + 1] == "  ■■■■■■■■■■  200 of 200 cells  accent_07"
    first = lines[lines.index("conditions with the most missing") + 1]
    assert first.endswith("ward+babble@11dB+some_longer_name")
    assert any(line.startswith("  accent accent_07, any condition: 200 cells") for line in lines)
    assert any(line.startswith("  record  accent_07: 2 more speakers") for line in lines)
    assert all(len(line) <= 80 for line in lines if "■" in line)


def test_asked_for_in_full_every_cell_is_there(large):
    lines = shown(large, 100, {"default": {"speakers": 3}}, full=True)
    assert sum(line.startswith("accent_07") for line in lines) > 10  # one block of columns below the other
    assert sum(line.count("1/3s") for line in lines if line.startswith("accent_07")) + sum(
        line.count("0/3s") for line in lines if line.startswith("accent_07")
    ) == 200  # fmt: skip
    assert any(line.strip().startswith("200  ward+babble@") for line in lines)


def test_in_full_every_row_that_lacks_something_is_told_and_the_summary_counts_all(rows_of):
    rows = rows_of({(f"accent_{k:02d}", "clean"): 1 for k in range(14)})
    goals = {"default": {"utterances": 3}}
    short, full = shown(rows, 80, goals), shown(rows, 80, goals, full=True)
    assert short[short.index("what closes them") + 6] == "  … and 9 more"
    assert sum(line.startswith("  record ") for line in full) == 14
    assert not any("more" in line and "…" in line for line in full)


def test_a_small_one_is_shown_whole(rows_of):
    rows = rows_of({("us", "clean"): 4, ("us", "gsm"): 4, ("scottish", "clean"): 2})
    lines = shown(rows, 80, {"default": {"utterances": 3, "speakers": 3}})
    assert lines[1].split() == ["accent", "clean", "gsm"]
    assert lines[2].split() == ["scottish", "2/3u", "0/3u"]
    assert lines[3].split() == ["us", "4", "4"]
    assert "2 of 4 cells meet their goals (50.0 %)" in " ".join(lines)


def test_by_weight_is_said_where_cells_weigh_differently(rows_of):
    rows = rows_of({("us", "clean"): 1, ("in", "clean"): 1})
    goals = {"default": {"utterances": 1}, "cells": [{"accent": "us", "utterances": 2, "weight": 3}]}
    assert "1 of 2 cells meet their goals (25.0 % by weight)" in " ".join(shown(rows, 80, goals))


def test_nothing_missing_says_nothing_of_holes(rows_of):
    lines = shown(rows_of({("us", "clean"): 1, ("in", "clean"): 1}), 80)
    assert not any("missing" in line for line in lines[3:])
    assert "2 of 2 cells meet their goals (100.0 %)" in " ".join(lines)


def test_names_are_text_to_the_terminal(rows_of):
    rows = rows_of({("[bold]us[/bold]", "[link=x]clean[/link]"): 1, ("in", "\x1b[31mred"): 1})
    text = "\n".join(shown(rows, 120))
    assert "[bold]us[/bold]" in text
    assert "[link=x]clean[/link]" in text


def test_rows_that_lack_the_same_cells_are_named_together_and_the_empty_cells_are_counted(rows_of):
    """Two accents lack the same two conditions: no region of whole rows or columns says so."""
    counts = {(a, c): 3 for a in ("us", "irish", "scottish", "welsh") for c in ("clean", "gsm", "ward", "hvac", "mri")}
    for gone in (("irish", "gsm"), ("irish", "ward"), ("welsh", "gsm"), ("welsh", "ward"), ("us", "mri")):
        del counts[gone]
    lines = shown(rows_of(counts | {("scottish", "hvac"): 1}), 80, {"default": {"utterances": 3}})
    assert "  accent irish, welsh: the same 2 conditions are empty (4 cells)" in lines
    assert "  5 empty and 1 partly filled cells in no larger region" in lines


def test_synthetic_speech_is_said_beside_the_figures(rows_of):
    rows = rows_of({("us", "clean"): 1, ("in", "clean"): 1})
    said = "This speech is synthetic: it shows that the pipeline works"
    assert not any(said in line for line in shown(rows, 80))
    assert sum(said in line for line in shown(rows.assign(speech_origin="synthetic"), 80)) == 1
