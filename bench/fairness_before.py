"""The comparison as it was until version 0.1: Student's t on the speaker jackknife, Holm over the cells. For the table of `fairness_calibration` alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit


def before(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row a group and condition: gap and did against all others with 95 % intervals, p of the one that was judged, Holm's p."""
    rows = frame.assign(errors=frame[["substitutions", "deletions", "insertions"]].sum(axis=1))
    names = ["clean", *sorted(set(rows["condition"]) - {"clean"})]
    clean = rows[rows["condition"] == "clean"].set_index("utterance_id")
    rows = rows.assign(
        base=rows["utterance_id"].map(clean["errors"]), base_words=rows["utterance_id"].map(clean["words"])
    )
    paired = rows["base"].notna()
    rows = rows.assign(paired=rows["errors"].where(paired), paired_words=rows["words"].where(paired))
    sums = rows.groupby(["accent", "speaker", "condition"])[
        ["errors", "words", "paired", "paired_words", "base", "base_words"]
    ].sum()
    tables = [sums[c].unstack("condition").reindex(columns=names).fillna(0.0) for c in sums]
    group = tables[0].index.get_level_values("accent").to_numpy()
    counts = np.stack([table.to_numpy(float) for table in tables])
    groups = sorted(set(group))
    found = []
    for name in groups:
        mine = group == name
        own = _estimates(counts[:, mine])
        rest = _estimates(counts[:, group == groups[0]] if len(groups) == 2 else counts[:, ~mine])
        if len(groups) == 2 and name == groups[0]:
            continue
        gap, did = _minus(own[0], rest[0]), _minus(own[1], rest[1])
        for c, condition in enumerate(names):
            judged = gap if c == 0 else did
            found.append(
                {"accent": name, "condition": condition, "p": judged[3][c]} | _row("gap", gap, c) | _row("did", did, c)
            )
    table = pd.DataFrame(found)
    table["p_adjusted"] = holm(table["p"].to_numpy(float))
    return table


def holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p; NaN stays NaN."""
    order = np.argsort(p)
    known = int(np.isfinite(p).sum())
    out = np.full(len(p), np.nan)
    out[order[:known]] = np.minimum(1, np.maximum.accumulate(p[order[:known]] * (known - np.arange(known))))
    return out


def _row(name: str, estimate: tuple[np.ndarray, ...], c: int) -> dict[str, float]:
    value, variance, df, _ = estimate
    half = stdtrit(df[c], 0.975) * np.sqrt(variance[c])
    return {name: value[c], f"{name}_low": value[c] - half, f"{name}_high": value[c] + half}


def _estimates(counts: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return value, jackknife variance and degrees of freedom of the rate and of its change from clean."""
    total = counts.sum(axis=1, keepdims=True)
    present = counts[1] > 0
    n = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [lambda t: t[0] / t[1], lambda t: t[2] / t[3] - t[4] / t[5]]
        floors = [(total[0], total[1]), (total[0] + total[4], np.minimum(total[1], total[5]))]
        found = []
        for rate, (errors, words) in zip(rates, floors):
            without = rate(total - counts)
            mean = np.where(present, without, 0).sum(axis=0) / n
            variance = (n - 1) / n * np.where(present, (without - mean) ** 2, 0).sum(axis=0)
            floor = np.where(errors[0] < 10, np.maximum(errors[0], 1) / words[0] ** 2, 0.0)
            found.append(
                (rate(total)[0], np.where(n > 1, np.maximum(variance, floor), np.nan), np.where(n > 1, n - 1.0, np.nan))
            )
    return found


def _minus(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = a[1] + b[1]
        df = variance**2 / (a[1] ** 2 / a[2] + b[1] ** 2 / b[2])
        value = a[0] - b[0]
        return value, variance, df, 2 * stdtr(df, -np.abs(value) / np.sqrt(variance))
