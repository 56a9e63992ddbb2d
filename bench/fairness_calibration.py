"""Prints whether the verdicts, intervals, tests and detectable sizes of `roomtone.fairness.compare` keep their promises, by simulation.

    python bench/fairness_calibration.py [STUDIES] [PART …] [WORLD …]

Parts: null, errors (false gaps and interaction of null, quickly), planted, boundary, detectable, power. Every study goes through `compare()`, in `null` and
`errors` those whose family of tests found anything: without that no verdict is "gap". The worlds are in `fairness_worlds`, the method of version 0.1 in
`fairness_before` (`BENCH_BEFORE=1` runs it beside), the subgroup search in `fairness_search`. Bounds, each judged two standard errors loose, are at the
head of each table.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 - after the variables that it reads
from fairness_before import before  # noqa: E402
from fairness_studies import error, mean_of, run  # noqa: E402
from fairness_worlds import NULL, PLANTED, Planted, World, simulate  # noqa: E402

from roomtone.fairness import compare  # noqa: E402
from roomtone.fairness.comparison.compare import levels_of  # noqa: E402
from roomtone.fairness.inference.counts import lay_out, prepare  # noqa: E402
from roomtone.fairness.inference.estimands import make_estimands  # noqa: E402
from roomtone.fairness.inference.study import Study, work_out  # noqa: E402
from roomtone.fairness.settings import CompareSettings  # noqa: E402

#: Of a study; half of what `compare` draws by itself, so that thousands of studies can be.
PERMUTATIONS = 499
#: Of a study that only asks whether anything is found where nothing is: a permutation test is as exact with fewer.
FEWER = 199
#: Whether the method of version 0.1 is run beside the present one.
BEFORE = bool(os.environ.get("BENCH_BEFORE"))
#: Studies of a world whose study is slow, as a share of those asked for.
SLOW = 0.25


def worked_out(frame: Any, seed: int, permutations: int) -> Study:
    """Return the study that `compare` makes its tables of, without the tables."""
    s = CompareSettings(permutations=permutations, resamples=0, seed=seed)
    rows = prepare(
        frame, group=s.group, condition=s.condition, speaker=s.speaker, baseline=s.baseline, utterance=s.utterance
    )
    conditions = [s.baseline, *sorted(set(rows["condition"]) - {s.baseline})]
    estimands = make_estimands(conditions, levels_of(frame, rows, conditions))
    return work_out(lay_out(rows, conditions, several=True), estimands, s)


def any_gap(study: Study, frame: Any, seed: int, permutations: int) -> bool:
    """Return whether the report has any gap; its tables are made only where the family's test found anything, without which no verdict is "gap"."""
    p = np.concatenate([study.test.p_adjusted.ravel(), study.test.condition_p_adjusted])
    if not (p <= study.settings.alpha).any():
        return False
    new = compare(frame, resamples=0, seed=seed, permutations=permutations)
    return any((t["verdict"] == "gap").any() for t in (new.accents, new.conditions, new.levels, new.gaps))


def share_that_holds_zero(bounds: tuple[np.ndarray, np.ndarray], at: Sequence[int]) -> float:
    """Return the share of defined intervals of some estimands that hold 0."""
    low, high = (bound[:, list(at)] for bound in bounds)
    known = np.isfinite(low)
    return float(((low <= 0) & (high >= 0))[known].mean())


def null_study(world: World, seed: int) -> dict[str, Any]:
    """Return false gaps, coverage, widths and sizes of a study without any gap."""
    frame = simulate(world, seed)
    study = worked_out(frame, seed, PERMUTATIONS)
    numbers, count = study.estimands.numbers, len(study.data.conditions)
    gaps, dids = ([numbers[(first + c,)] for c in range(c0, count)] for first, c0 in ((0, 0), (count, 1)))
    tested = [k for k, kind in enumerate(study.estimands.kinds) if kind]
    bounds = study.interval()
    return {
        "false": any_gap(study, frame, seed, PERMUTATIONS), "interaction": max(study.test.interaction_p, study.smallest_p) <= study.settings.alpha,
        "gap": share_that_holds_zero(bounds, gaps), "did": share_that_holds_zero(bounds, dids), "accent": share_that_holds_zero(bounds, [0]),
        "together": share_that_holds_zero(study.interval(simultaneous=True), tested) == 1.0,
        "width": float(np.nanmedian((bounds[1] - bounds[0])[:, gaps])), "accent width": float(np.nanmedian((bounds[1] - bounds[0])[:, 0])),
    }  # fmt: skip


def print_null(studies: int) -> None:
    """Print false gaps and coverage where no group differs."""
    print(
        "\nNo gap at all. Bounds: any false gap <= 6 %, interaction <= 6 %; pointwise intervals >= 93 % (<= 97 % where balanced, with 6 speakers"
        "\nor more, tails not heavy), simultaneous >= 93 %, all two standard errors loose. Widths: median, points."
    )
    print(
        f"{'world':46}{'n':>5} | {'any false gap':>15} {'interaction':>15} | {'gap':>5} {'DiD':>5} {'accent':>12} {'all':>12} | "
        f"{'width: cell':>11} {'accent':>6}"
    )
    for name, world in asked(NULL).items():
        if results := run(null_study, world, studies):
            m, n = mean_of(results), len(results)
            parts = [f"{100 * m[key]:6.1f} % ± {error(m[key], n):3.1f}" for key in ("false", "interaction")]
            spread = 100 * float(np.std([r["accent"] for r in results])) / math.sqrt(n)
            print(
                f"{name:46}{n:5} | {parts[0]:>15} {parts[1]:>15} | {100 * m['gap']:5.1f} {100 * m['did']:5.1f} {100 * m['accent']:6.1f} ± {spread:3.1f} "
                f"{100 * m['together']:6.1f} ± {error(m['together'], n):3.1f} | {100 * m['width']:11.1f} {100 * m['accent width']:6.1f}", flush=True,
            )  # fmt: skip


def error_study(world: World, seed: int) -> dict[str, Any]:
    """Return what `null_study` does of false gaps and of the interaction alone."""
    frame = simulate(world, seed)
    study = worked_out(frame, seed, FEWER)
    return {
        "false": any_gap(study, frame, seed, FEWER), "interaction": max(study.test.interaction_p, study.smallest_p) <= study.settings.alpha,
    }  # fmt: skip


def print_errors(studies: int) -> None:
    """Print false gaps and rejected interactions where no group differs, with their standard errors."""
    print("\nNo gap at all. Bounds: any false gap <= 6 %, interaction <= 6 %, two standard errors loose.")
    print(f"{'world':46}{'n':>5} | {'any false gap':>15} {'interaction':>15}")
    for name, world in asked(NULL).items():
        if results := run(error_study, world, studies):
            m, n = mean_of(results), len(results)
            parts = [f"{100 * m[key]:6.1f} % ± {error(m[key], n):3.1f}" for key in ("false", "interaction")]
            print(f"{name:46}{n:5} | {parts[0]:>15} {parts[1]:>15}", flush=True)


def asked(worlds: Mapping[str, World]) -> Mapping[str, World]:
    """Return the worlds named on the command line, or all."""
    return {name: world for name, world in worlds.items() if name in sys.argv} or worlds


def planted_study(world: World, seed: int) -> dict[str, Any]:
    """Return whether a planted gap is named first, and whether anything is claimed that is not so."""
    frame = simulate(world, seed)
    new = compare(frame, resamples=0, seed=seed, permutations=PERMUTATIONS)
    p = world.planted
    assert p is not None
    name, where = f"a{p.group}", world.planted_in
    label = "all conditions" if len(where) == world.conditions else p.room or f"c{p.condition}"
    table = "accents" if label == "all conditions" else "levels" if p.room else "gaps"
    first = new.findings.iloc[0] if len(new.findings) else None
    named = first is not None and (first["table"], first["accent"], first["condition"]) == (table, name, label)
    row = {"accents": new.accents, "levels": new.levels, "gaps": new.gaps}[table]
    row = row[(row["accent"] == name) & (row["condition"] == label)].iloc[0]
    truth = p.points
    kind = "gap" if table == "accents" else "did"
    return {
        "found": row["verdict"] == "gap", "first": named, "false": wrong(new, world),
        "covered": float(row[f"{kind}_low"] <= truth <= row[f"{kind}_high"]),
        "old": bool((before(frame).query("accent == @name")["p_adjusted"] <= 0.05).any()) if BEFORE else math.nan,
    }  # fmt: skip


def wrong(found: Any, world: World) -> bool:
    """Return whether any finding is untrue: a gap where groups do not differ, or in the wrong direction."""
    p = world.planted
    assert p is not None
    hit = set(world.planted_in)
    names = ["clean", *(f"c{c}" for c in range(1, world.conditions))]
    for row in found.findings.to_dict("records"):
        if row["table"] == "accents":
            touched = True
        elif row["table"] == "levels":
            members = [
                c for c in range(1, world.conditions) if row["condition"] in (world.rooms[c], f"noise{(c - 1) // 2}")
            ]
            touched = bool(hit.intersection(members)) and 0 not in hit
        else:
            c = names.index(row["condition"])
            touched = c in hit and (c == 0 or 0 not in hit)
        right_way = row["worse_off"] == (row["accent"] == f"a{p.group}")
        if not touched or not right_way:
            return True
    return False


def print_planted(studies: int) -> None:
    """Print how often a planted gap is found, named first, and what else is claimed beside it."""
    print("\nOne gap of 20 points planted. Bound: any untrue claim beside it <= 6 %.")
    print(
        f"{'world':31}{'n':>5} | {'before: found':>13} | {'now: found':>10} {'named first':>11} {'interval holds':>14} {'untrue':>7}"
    )
    for name, world in asked(PLANTED).items():
        n = studies if sum(world.sizes) <= 150 else max(1, round(SLOW * studies))
        results = run(planted_study, world, n)
        if not results:
            continue
        m, n = mean_of(results), len(results)
        print(
            f"{name:31}{n:5} | {100 * m['old']:12.1f}% | {100 * m['found']:9.1f}% {100 * m['first']:10.1f}% {100 * m['covered']:13.1f}% "
            f"{100 * m['false']:6.1f}%", flush=True,
        )  # fmt: skip


def boundary_study(world: World, seed: int) -> dict[str, Any]:
    """Return whether "no gap" is said of a group whose true gap is as large as what matters."""
    frame = simulate(world, seed)
    points = world.planted.points if world.planted is not None else 0.05
    new = compare(frame, resamples=0, seed=seed, permutations=PERMUTATIONS, smallest_gap=points, reference="a1")
    row = new.accents[new.accents["accent"] == "a0"].iloc[0]
    return {"said": row["verdict"] == "no_gap", "warned": "none failed wholly" in row["statement"]}


def failing_world(speakers: int) -> World:
    """Return a world whose true gap of 5 points lies with one speaker in twenty."""
    return World(
        sizes=(speakers, speakers), speaker_sd=0.2, hardest=0.08, failing=0.05 / (TOP_SHARE - 0.07), failing_in=(0,)
    )


TOP_SHARE = 0.97
BOUNDARY: dict[str, World] = {
    "4 x 20": World(planted=Planted(0, 0.05)),
    "4 x 60": World(sizes=(60,) * 4, planted=Planted(0, 0.05)),
    "3, 8, 30, 300": World(sizes=(30, 300, 3, 8), planted=Planted(0, 0.05)),
    "own 20 sentences": World(texts="own", utterances=20, planted=Planted(0, 0.05)),
    "heavy tails (t3), 4 x 40": World(sizes=(40,) * 4, tail="t3", speaker_sd=0.7, planted=Planted(0, 0.05)),
    "one speaker in twenty fails, 2 x 20": failing_world(20),
    "one speaker in twenty fails, 2 x 40": failing_world(40),
    "one speaker in twenty fails, 2 x 60": failing_world(60),
    "one speaker in twenty fails, 2 x 100": failing_world(100),
}


def print_boundary(studies: int) -> None:
    """Print how often "no gap" is said of a gap that is just as large as what matters."""
    print(
        '\nA true gap of the size that matters (5 points). Bound: "no gap" is said in <= 5 %; under 60 speakers of whom one in twenty fails the rate is'
    )
    print("printed, and the sentence says that so few cannot show it.")
    print(f"{'world':40}{'n':>5} | {'said':>6} {'with the sentence':>18}")
    for name, world in asked(BOUNDARY).items():
        n = studies if sum(world.sizes) <= 250 else max(1, round(SLOW * studies))
        results = run(boundary_study, world, n)
        if not results:
            continue
        m, n = mean_of(results), len(results)
        print(f"{name:40}{n:5} | {100 * m['said']:5.1f}% {100 * m['warned']:17.1f}%", flush=True)


def size_study(world: World, seed: int) -> dict[str, Any]:
    """Return the detectable sizes of one cell and one accent, of a study without a gap."""
    new = compare(simulate(world, seed), resamples=0, seed=seed, permutations=PERMUTATIONS)
    cell = new.gaps[(new.gaps["accent"] == "a0") & (new.gaps["condition"] == "c3")].iloc[0]
    return {"cell": cell["detectable"], "accent": new.accents[new.accents["accent"] == "a0"].iloc[0]["detectable"]}


def found_study(world: World, seed: int) -> dict[str, Any]:
    """Return whether the planted gap is found, now and before."""
    frame = simulate(world, 100_000 + seed)
    p = world.planted
    assert p is not None
    new = compare(frame, resamples=0, seed=seed, permutations=PERMUTATIONS)
    if p.condition is None:
        row = new.accents[new.accents["accent"] == "a0"].iloc[0]
        return {"found": row["verdict"] == "gap", "old": math.nan}
    row = new.gaps[(new.gaps["accent"] == "a0") & (new.gaps["condition"] == f"c{p.condition}")].iloc[0]
    if not BEFORE:
        return {"found": row["verdict"] == "gap", "old": math.nan}
    old = before(frame).query("accent == 'a0' and condition == @row.condition").iloc[0]
    return {"found": row["verdict"] == "gap", "old": bool(old["p_adjusted"] <= 0.05)}


DETECTABLE: dict[str, World] = {
    "4 x 20": World(), "4 x 20, log odds": World(scale="odds", speaker_sd=0.5, condition_sd=0.3), "4 x 40": World(sizes=(40,) * 4),
    "12 x 12": World(sizes=(12,) * 12), "8 x 8": World(sizes=(8,) * 8), "8 x 4": World(sizes=(4,) * 8),
    "the same 20 sentences, 4 x 20": World(texts="shared", utterances=20), "own 20 sentences, 4 x 20": World(texts="own", utterances=20),
}  # fmt: skip


def print_detectable(studies: int) -> None:
    """Print whether gaps of the size that a report calls detectable are found as often as it says."""
    print(
        "\nThe median detectable size, planted in new studies. Bound: found in 75 to 85 % (70 to 90 % under 8 speakers)."
    )
    print(
        f"{'world':31}{'n':>5} | {'cell: size':>10} {'printed':>8} {'found':>6} | {'accent: size':>12} {'printed':>8} {'found':>6}"
    )
    for name, world in asked(DETECTABLE).items():
        sizes = run(size_study, world, max(40, studies // 5))
        if not sizes:
            continue
        parts = []
        for key, condition in (("cell", 3), ("accent", None)):
            each = np.array([r[key] for r in sizes])
            if np.isfinite(each).mean() <= 0.5:
                parts.append(f"{'–':>10} {100 * np.isfinite(each).mean():7.0f}% {'–':>6}")
                continue
            size = float(np.nanmedian(each))
            hit = mean_of(run(found_study, replace(world, planted=Planted(0, size, condition)), studies))
            parts.append(f"{100 * size:10.1f} {100 * np.isfinite(each).mean():7.0f}% {100 * hit['found']:5.1f}%")
        print(f"{name:31}{studies:5} | {parts[0]} |   {parts[1]}", flush=True)


def print_power(studies: int) -> None:
    """Print the power of both methods where texts are shared and the earlier one keeps its level."""
    print(
        "\nPower with shared texts, 4 x 20, one condition. Bound: where the earlier method finds 80 %, at least 72 %."
    )
    print(f"{'points':>7} {'before':>7} {'now':>7}")
    for points in (0.06, 0.08, 0.10, 0.12, 0.14):
        m = mean_of(run(found_study, World(texts="shared", utterances=20, planted=Planted(0, points, 3)), studies))
        print(f"{100 * points:7.0f} {100 * m['old']:6.1f}% {100 * m['found']:6.1f}%", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Print the tables that were asked for."""
    studies = int(arguments[0]) if arguments else 2000
    parts = {
        "null": print_null,
        "errors": print_errors,
        "planted": print_planted,
        "boundary": print_boundary,
        "detectable": print_detectable,
        "power": print_power,
    }
    chosen = [name for name in arguments[1:] if name in parts]
    for name in chosen or [name for name in parts if name != "errors"]:
        parts[name](studies)


if __name__ == "__main__":
    main(sys.argv[1:])
