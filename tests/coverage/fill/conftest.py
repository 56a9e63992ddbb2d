"""Random small planning problems, and their optimum by an integer programme that shares no code with the planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix


@dataclass
class Problem:
    """A corpus, conditions, goals a cell, and a cap on renders of one speaker."""

    clean: pd.DataFrame
    conditions: list[str]
    goals: dict[str, Any]
    cap: int | None
    amounts: dict[str, dict[str, float]] = field(default_factory=dict)

    def cells(self) -> list[tuple[str, str]]:
        accents = sorted({a for cell in self.clean["accent"] for a in cell.split("|")})
        return [(accent, condition) for accent in accents for condition in self.conditions]

    def goal(self, accent: str) -> dict[str, float]:
        return self.amounts.get(accent, self.goals["default"])

    def deficit(self, rows: pd.DataFrame) -> float:
        """Return what the cells of some renders (utterance_id, condition) lack, in shares of their goals, added up."""
        table = rows.merge(self.clean, on="utterance_id")
        lacking = 0.0
        for accent, condition in self.cells():
            own = table[
                table["accent"].str.split("|").map(lambda names, a=accent: a in names)
                & (table["condition"] == condition)
            ]
            held = {
                "utterances": own["utterance_id"].nunique(),
                "speakers": own["speaker"].nunique(),
                "minutes": own["duration_s"].sum() / 60,
            }
            lacking += sum(max(0.0, goal - held[unit]) / goal for unit, goal in self.goal(accent).items())
        return lacking


@pytest.fixture(scope="session")
def random_problem() -> Callable[[int], Problem]:
    """Return a maker of problems: 2 to 4 accents, some speakers of two, 2 to 4 conditions, clean pairs, perhaps a cap."""

    def make(seed: int) -> Problem:
        rng = np.random.default_rng(seed)
        accents = ["us", "scottish", "indian", "irish"][: int(rng.integers(2, 5))]
        people = []
        for number in range(int(rng.integers(5, 11))):
            several = rng.random() < 0.3
            own = sorted(rng.choice(accents, 2 if several else 1, replace=False))
            people.append((f"p{number}", "|".join(own)))
        clean = pd.DataFrame(
            [
                {
                    "utterance_id": f"{name}-{i}",
                    "speaker": name,
                    "accent": accent,
                    "words": 4,
                    "duration_s": round(float(rng.uniform(2, 9)), 2),
                }
                for name, accent in people
                for i in range(int(rng.integers(1, 4)))
            ]
        )
        conditions = ["clean", "gsm", "ward", "babble@5dB"][: int(rng.integers(2, 5))]
        units = {"utterances": int(rng.integers(1, 6)), "speakers": int(rng.integers(1, 4))}
        if rng.random() < 0.4:
            units["minutes"] = round(float(rng.uniform(0.05, 0.3)), 3)
        other = {accents[0]: {"utterances": int(rng.integers(1, 8))}}
        goals = {"default": units, "cells": [{"accent": accents[0], **other[accents[0]]}]}
        cap = int(rng.integers(3, 9)) if rng.random() < 0.4 else None
        # what a cell's own goal does not name keeps the default
        return Problem(clean, conditions, goals, cap, {accents[0]: {**units, **other[accents[0]]}})

    return make


@pytest.fixture(scope="session")
def optimum() -> Callable[[Problem], tuple[float, int]]:
    """Return a solver: the least deficit, and the fewest renders that reach it."""

    def solve(problem: Problem) -> tuple[float, int]:
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows = list(problem.clean.itertuples())
        names: dict[Any, int] = {}
        for u, _ in enumerate(rows):
            for c in problem.conditions:
                names["x", u, c] = len(names)
        entries: list[tuple[dict[int, float], float, float]] = []
        for u, _ in enumerate(rows):
            for c in problem.conditions[1:]:  # a clean pair beside every render
                entries.append(({names["x", u, c]: 1.0, names["x", u, "clean"]: -1.0}, -np.inf, 0.0))
        costs: dict[int, float] = {}
        for cell in problem.cells():
            accent, c = cell
            members = [u for u, row in enumerate(rows) if accent in row.accent.split("|")]
            for unit, goal in problem.goal(accent).items():
                lacking = names.setdefault(("d", cell, unit), len(names))
                costs[lacking] = 1.0 / goal
                terms = {lacking: 1.0}
                if unit == "speakers":
                    for speaker in {rows[u].speaker for u in members}:
                        heard = names.setdefault(("s", cell, speaker), len(names))
                        own = [u for u in members if rows[u].speaker == speaker]
                        entries.append(({heard: 1.0} | {names["x", u, c]: -1.0 for u in own}, -np.inf, 0.0))
                        terms[heard] = 1.0
                else:
                    terms |= {
                        names["x", u, c]: 1.0 if unit == "utterances" else rows[u].duration_s / 60 for u in members
                    }
                entries.append((terms, goal, np.inf))
        if problem.cap is not None:
            for speaker in problem.clean["speaker"].unique():
                own = [u for u, row in enumerate(rows) if row.speaker == speaker]
                entries.append(({names["x", u, c]: 1.0 for u in own for c in problem.conditions}, -np.inf, problem.cap))
        matrix = np.zeros((len(entries), len(names)))
        for i, (terms, _, _) in enumerate(entries):
            for variable, factor in terms.items():
                matrix[i, variable] = factor
        whole = np.array([name[0] != "d" for name in names])
        upper = np.where(whole, 1.0, np.inf)
        limits = [LinearConstraint(matrix, [low for _, low, _ in entries], [high for _, _, high in entries])]
        first = np.array([costs.get(i, 0.0) for i in range(len(names))])
        options = {"mip_rel_gap": 0.0, "time_limit": 60}
        least = milp(first, constraints=limits, integrality=whole, bounds=Bounds(0, upper), options=options)
        assert least.status == 0, least.message
        second = np.array([float(name[0] == "x") for name in names])
        limits.append(LinearConstraint(first[None, :], -np.inf, least.fun + 1e-6))
        found = milp(second, constraints=limits, integrality=whole, bounds=Bounds(0, upper), options=options)
        assert found.status == 0, found.message
        return float(least.fun), round(float(found.fun))

    return solve


@pytest.fixture
def recounted() -> Callable[[pd.DataFrame, Problem], CoverageMatrix]:
    """Return the matrix of planned renders."""

    def count(rows: pd.DataFrame, problem: Problem) -> CoverageMatrix:
        table = rows.merge(problem.clean, on="utterance_id")
        table["sample_id"] = [f"s{i}" for i in range(len(table))]
        return CoverageMatrix(table, goals=problem.goals, levels={"condition": problem.conditions})

    return count
