"""Any table, any axes, any goals: the matrix against a count by pandas that shares no code with it."""

from __future__ import annotations

import fnmatch
import itertools
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.coverage import CoverageMatrix, parse_gates
from roomtone.coverage.report.ci_gates import check_gates

VALUES = {
    "accent": ["us", "irish", "irish|welsh", "us|welsh", None],
    "condition": ["clean", "gsm", "ward+babble@5dB"],
    "noise": ["none", "babble@5dB", "car x 2"],
    "room": ["none", "ward", None],
    "handset": ["none", "gsm"],
    "attr_age": ["20s", "30s", None],
}


@st.composite
def sets(draw):
    """Return (tables, axes, goals): one to three tables that share some rows."""
    axes = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=6, unique=True))
    count, rng = draw(st.integers(1, 60)), np.random.default_rng(draw(st.integers(0, 10**6)))
    utterance = rng.integers(0, 20, count)
    rows = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(count)],
            "utterance_id": [f"u{u}" for u in utterance],
            "speaker": [None if u % 7 == 0 else f"p{u % 5}" for u in utterance],
            "duration_s": [None if u % 11 == 0 else 1 + u / 8 for u in utterance],
            "words": utterance % 6,
            "noise_asset": [None if i % 3 == 0 else f"n{i % 4}" for i in range(count)],
            **{name: rng.choice(np.array(values, dtype=object), count) for name, values in VALUES.items()},
        }
    )
    parts = [rows[rng.random(count) < 0.7] for _ in range(draw(st.integers(0, 2)))]
    goal = st.integers(0, 5)
    goals = {"default": {"renders": draw(goal), "utterances": draw(goal), "speakers": draw(goal)}}
    chosen = st.sampled_from(axes)
    for key in draw(st.lists(st.sampled_from(["ignore", "illegal", "weights", "cells"]), unique=True)):
        axis = draw(chosen)
        value = draw(st.sampled_from([part for v in VALUES[axis] for part in (v or "(not stated)").split("|")]))
        if key == "weights":
            goals["weights"] = {axis: {value: draw(st.integers(0, 9))}}
        elif key == "cells":
            goals["cells"] = [{axis: value, "renders": draw(st.integers(1, 9))}]
        else:
            goals[key] = [{axis: value}]
    return [rows, *parts], axes, goals


def split(axis: str, value: object) -> list[str]:
    if value is None or value != value:
        return ["none" if axis in ("noise", "room", "handset", "equipment") else "(not stated)"]
    return sorted(set(str(value).split("|"))) if axis == "accent" else [str(value)]


def by_hand(rows: pd.DataFrame, axes: list[str], goals) -> dict[tuple[str, ...], dict[str, object]]:
    groups = defaultdict(list)
    for row in rows.to_dict("records"):
        for key in itertools.product(*(split(axis, row[axis]) for axis in axes)):
            groups[key].append(row)
    cells = {}
    # values that goals name for cells are there too, whether anybody has them or not
    named = [{str(rule[axis]) for rule in goals.get("cells", []) if axis in rule} for axis in axes]
    levels = [sorted({key[i] for key in groups} | named[i]) for i in range(len(axes))]
    for key in itertools.product(*levels):
        held = pd.DataFrame(groups.get(key, []), columns=rows.columns)
        seconds = held["duration_s"].dropna()
        cells[key] = {
            "renders": len(held),
            "utterances": held["utterance_id"].nunique(),
            "speakers": np.nan if len(held) and rows["speaker"].isna().all() else held["speaker"].nunique(),
            "minutes": np.nan if len(held) and seconds.empty else float(seconds.sum()) / 60,
            "assets": held["noise_asset"].nunique(),
            "words": held["words"].sum(),
            **aims(dict(zip(axes, key)), goals),
        }
    return cells


def aims(cell: dict[str, str], goals) -> dict[str, object]:
    """Return the goals and the weight of a cell, None for goals where it is ignored or illegal."""

    def hit(rule) -> bool:
        return all(fnmatch.fnmatchcase(cell[axis], pattern) for axis, pattern in rule.items() if axis in cell)

    wanted = dict(goals["default"])
    for rule in goals.get("cells", []):
        if hit({axis: value for axis, value in rule.items() if axis in cell}):
            wanted["renders"] = rule["renders"]
    out = any(hit(rule) for key in ("ignore", "illegal") for rule in goals.get(key, []))
    weight = 1.0
    for axis, values in goals.get("weights", {}).items():
        weight *= values.get(cell[axis], 1.0)
    if "(not stated)" in cell.values():  # nobody can aim at who did not say
        return {"goal": {}, "weight": weight}
    return {"goal": None if out else {u: g for u, g in wanted.items() if g}, "weight": weight}


@pytest.mark.slow
@given(sets())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_set_is_counted_as_pandas_counts_it(made):
    tables, axes, goals = made
    whole = pd.concat(tables).drop_duplicates("sample_id")
    matrix = CoverageMatrix(pd.concat(tables), axes=axes, goals=goals)
    expected = by_hand(whole, axes, goals)
    frame = matrix.to_frame()
    found = {tuple(row[axis] for axis in axes): row for row in frame.to_dict("records")}
    assert set(found) == set(expected)
    covered = total = 0.0
    for key, cell in expected.items():
        row = found[key]
        for unit in ("renders", "utterances", "speakers", "assets", "words"):
            np.testing.assert_equal(float(row[unit]), float(cell[unit]), err_msg=f"{key} {unit}")
        np.testing.assert_allclose(float(row["minutes"]), cell["minutes"], atol=1e-9, err_msg=str(key))
        goal = cell["goal"]
        if goal is None:
            assert row["status"] in ("ignored", "illegal"), key
            continue
        assert {u: row[f"goal_{u}"] for u in ("renders", "utterances", "speakers") if row[f"goal_{u}"]} == goal, key
        if goal:
            met = all(cell[unit] >= amount for unit, amount in goal.items())
            assert (row["covered_share"] >= 1) == met, key
            covered, total = covered + met * cell["weight"], total + cell["weight"]
    share = matrix.figures.covered
    if total == 0:
        assert share is None
    else:
        assert float(share) == np.float64(covered / total) or abs(float(share) - covered / total) < 1e-12
        assert bool(check_gates(matrix, parse_gates({"fail_under": 50}))) == (covered / total < 0.5)
