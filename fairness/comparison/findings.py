"""Which of the gaps that were found is told first, and which are a part of it.

A gap in every condition, in one factor level and in one condition all show in several tables at once. The finding that explains most comes
first: its size squared times the number of conditions it is about. A group that is worse off comes before one that is better off, which
is context.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from roomtone.fairness.comparison.statements import is_reference_worse
from roomtone.fairness.comparison.verdicts import GAP

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "table",
    "group",
    "condition",
    "estimand",
    "size",
    "conditions",
    "p_adjusted",
    "worse_off",
    "part_of",
    "statement",
)


def rank_findings(tables: Mapping[str, Sequence[dict[str, Any]]]) -> pd.DataFrame:
    """Return the gaps that were found, those to be told first on top.

    Args:
        tables: rows by table: `accents`, `levels`, `gaps`.

    Returns:
        `group` is who the finding is about: where a group has less than the named one that it is compared with, the latter.
        `part_of` is the row of an earlier finding on the same two sides that says it already, null where none does.
    """
    import pandas as pd

    found = []
    for name in ("accents", "levels", "gaps"):
        for row in tables[name]:
            if row["verdict"] == GAP:
                size, sides = row[row["estimand"]], (row["group"], row["reference"])
                is_ratio = row["estimand"] in ("ratio", "ror")
                amount = math.log(size) if is_ratio else size
                if is_reference_worse(amount, row["reference"]):
                    amount, size, sides = -amount, 1 / size if is_ratio else -size, (row["reference"], row["group"])
                found.append({
                    "table": name, "group": sides[0], "condition": row["condition"], "estimand": row["estimand"], "size": size,
                    "conditions": len(row["_columns"]), "p_adjusted": row["p_adjusted"], "worse_off": amount > 0, "statement": row["statement"],
                    "_sides": sides, "_columns": set(row["_columns"]), "_score": len(row["_columns"]) * amount**2,
                })  # fmt: skip
    found.sort(key=lambda row: (not row["worse_off"], -row["_score"], row["group"], row["condition"]))
    for number, row in enumerate(found):
        row["part_of"] = next((k for k in range(number) if _says(found[k], row)), None)
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    frame["part_of"] = frame["part_of"].astype("Int64")
    return frame


def _says(first: dict[str, Any], later: dict[str, Any]) -> bool:
    """Return whether an earlier finding says the later one already: the same two sides, the same direction, and conditions it holds."""
    if first["_sides"] != later["_sides"] or first["worse_off"] != later["worse_off"] or first["part_of"] is not None:
        return False
    if (
        first["table"] == "accents"
    ):  # a gap everywhere is one in the baseline too; what a condition adds is another finding
        return bool(later["_columns"] <= first["_columns"])
    if later["table"] == "accents":  # one condition may carry the whole of it
        return bool(first["_score"] >= later["_score"])
    shared = len(first["_columns"] & later["_columns"])
    return shared * 2 >= min(len(first["_columns"]), len(later["_columns"]))


def sort_by_lacking(table: pd.DataFrame) -> pd.DataFrame:
    """Return undecided comparisons, those first whose smaller side lacks the fewest speakers, and last those whose speakers would mostly do.

    Args:
        table: one of a comparison, with `speakers_needed`.
    """
    has = table[["speakers", "reference_speakers"]].min(axis=1)
    lacking = (table["speakers_needed"].astype("Float64") - has).rename("lacking")
    return table.loc[lacking.where(lacking > 0).sort_values(kind="stable", na_position="last").index]
