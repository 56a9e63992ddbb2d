"""Single samples on the page: the worst ones to listen to, and the alignments of all, or of the worst where they are many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from roomtone.fairness.comparison.verdicts import GAP
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.report.formatting import records
from roomtone.fairness.scoring.edits import alignments, as_written

if TYPE_CHECKING:
    import pandas as pd

_WORST = 12
#: Alignments on the page; of a larger set those with the most errors of each cell.
MOST_ALIGNED = 400


def ranked_samples(result: Evaluation) -> pd.DataFrame:
    """Return the scored samples, cells with a gap first, then by WER; what was misheard before what was not heard at all.

    Args:
        result: of the evaluation.
    """
    scores, settings = result.scores, result.comparison.settings
    group, condition = settings["group"], settings["condition"]
    usable = scores[scores["hits"].notna() & (scores["words"] > 0)]
    errors = usable[["substitutions", "deletions", "insertions"]].astype(int).sum(axis=1)
    gaps = result.comparison.gaps
    found = set(zip(gaps.loc[gaps["verdict"] == GAP, group], gaps.loc[gaps["verdict"] == GAP, condition]))
    labels = (usable[name].map(str).to_numpy(object) for name in (group, condition))
    first = [key not in found for key in zip(*labels)]
    ranked = usable.assign(
        _wer=errors / usable["words"].astype(int), _errors=errors, _first=first, _empty=usable["hypothesis_words"] == 0
    )
    return ranked.sort_values(["_first", "_empty", "_wer"], ascending=[True, True, False], kind="stable")


def page_samples(result: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Return the single samples of the page: the `worst` ones and the `aligned` ones.

    Args:
        result: of the evaluation.
    """
    ranked = ranked_samples(result)
    return {"worst": _worst(result, ranked), "aligned": _aligned(result, ranked)}


def _worst(result: Evaluation, ranked: pd.DataFrame, most: int = _WORST) -> list[dict[str, Any]]:
    """Return the samples with the highest WER, one a cell and cells with a gap before others, in the order of their WER.

    Args:
        result: of the evaluation.
        ranked: of `ranked_samples`.
        most: samples at most.
    """
    settings = result.comparison.settings
    chosen = ranked[ranked["_errors"] > 0].drop_duplicates([settings["group"], settings["condition"]]).head(most)
    return _shown(chosen.sort_values("_wer", ascending=False, kind="stable"), result)


def _aligned(result: Evaluation, ranked: pd.DataFrame, most: int = MOST_ALIGNED) -> list[dict[str, Any]]:
    """Return the samples with the words side by side, by cell: all, or as many of each cell as fit, those with the most errors first.

    Args:
        result: of the evaluation.
        ranked: of `ranked_samples`.
        most: samples at most.
    """
    settings = result.comparison.settings
    keys = [settings["group"], settings["condition"]]
    if len(ranked) > most:
        cells = max(1, len(ranked.drop_duplicates(keys)))
        ranked = (
            ranked.sort_values("_errors", ascending=False, kind="stable")
            .groupby(keys, dropna=False)
            .head(max(1, most // cells))
            .head(most)
        )
    return _shown(ranked.sort_values([*keys, "sample_id"]), result)


def _shown(rows: pd.DataFrame, result: Evaluation) -> list[dict[str, Any]]:
    settings = result.comparison.settings
    return [
        {
            "sample_id": row["sample_id"], "group": row[settings["group"]] or "unknown", "condition": row[settings["condition"]],
            "wer": row["_wer"], "errors": row["_errors"], "audio": _player(row),
            "columns": list(zip(found.ops, map(as_written, found.reference), map(as_written, found.hypothesis))),
        }
        for row, found in zip(records(rows), alignments(rows, result.settings.normalizer))
    ]  # fmt: skip


def _player(row: Mapping[str, Any]) -> str | None:
    """Return the address of a recording beside the page; one inside a shard has none."""
    path = row.get("audio_path")
    return "../" + quote(str(path)) if path and "#" not in str(path) else None
