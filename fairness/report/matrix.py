"""An evaluation on the matrix component: what coverage page, report and notebook show of it, each cell with what was heard in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from roomtone.core.bounded.regular_files import open_regular, read_json
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.dataset.study import read_study
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.matrix import CoverageMatrix
from roomtone.coverage.report.next_commands import fill_command
from roomtone.coverage.views.matrix_view import (
    EvaluationView,
    Factor,
    MatrixData,
    Step,
    coverage_data,
    embed,
    static_tables,
)
from roomtone.coverage.views.matrix_view.layout import UNKNOWN_LEVEL, Layout, levels_in_name
from roomtone.coverage.views.matrix_view.next_steps import filter_words
from roomtone.coverage.views.set_name import set_name
from roomtone.fairness.comparison.findings import sort_by_lacking
from roomtone.fairness.comparison.verdicts import NOT_ENOUGH
from roomtone.fairness.report.matrix_layers import Compared, evaluation_layers
from roomtone.fairness.results import evaluation_dir, read_evaluation
from roomtone.fairness.scoring.counting import align_tokens
from roomtone.fairness.scoring.normalize import AUTO, tokenizer_for

if TYPE_CHECKING:
    import pandas as pd

Words = list[tuple[str, str | None, str | None]]
#: Comparisons that could not be decided of which the page says what would settle them.
MAX_OPEN = 3
#: The layer that an evaluation begins with: what its headline is about.
FIRST = "wer"
#: The layers that are printed, and that show where scripts do not run.
PRINTED = ("lost", "invented", "wer", "verdict")


class Evaluated(Protocol):
    """What an evaluation offers to its report."""

    @property
    def dataset(self) -> Path:
        """Return the set's folder."""

    @property
    def scores(self) -> pd.DataFrame:
        """Return one row a sample, with labels, counts and answers."""

    @property
    def comparison(self) -> Compared:
        """Return the comparison."""


def evaluation_view(comparison: Compared, scores: pd.DataFrame, *, first: str = "") -> EvaluationView:
    """Return a comparison as further layers of a coverage matrix.

    Args:
        comparison: of the set's groups and conditions.
        scores: one row a sample: `sample_id, text, hypothesis, normalizer`, and `language` where it is known.
        first: id of the layer to begin with; empty begins with coverage.
    """
    names = ["sample_id", "text", "hypothesis", "normalizer", "language"]
    known = scores[[name for name in names if name in scores]].astype(object)

    def answers(sample_ids: Sequence[str]) -> dict[str, Words]:
        wanted = known[known["sample_id"].astype(str).isin(set(sample_ids))]
        return {
            str(row["sample_id"]): found for row in wanted.to_dict("records") if (found := _aligned(row)) is not None
        }

    def layers(layout: Layout) -> Sequence[Any]:
        return evaluation_layers(comparison, layout.row_names, layout.column_names, layout.factors)

    def sentences(layout: Layout) -> list[str | None]:
        return _sentences(comparison, layout.row_names, layout.column_names)

    return EvaluationView(layers, sentences, answers, first, _open_questions(comparison))


def stored_evaluation(dataset: str | Path, axes: Sequence[str]) -> EvaluationView | None:
    """Return the evaluation that lies in a set's folder as layers of its matrix; None where there is none for these axes.

    Args:
        dataset: the set's folder.
        axes: the columns that the matrix crosses; an evaluation of other ones is not shown.
    """
    folder = evaluation_dir(dataset)
    stored = StoredComparison(folder)
    if not stored.complete or tuple(axes) != (stored.settings.get("group"), stored.settings.get("condition")):
        return None
    scores = read_evaluation(dataset)
    if scores is None:
        return None
    texts = read_manifest(dataset, columns=["sample_id", "text", "language"])
    scores = scores.drop(columns=["text", "language"], errors="ignore")
    return evaluation_view(stored, scores.merge(texts, on="sample_id", how="left"))


def report_matrix(result: Evaluated, page: Path) -> str:
    """Return the matrix of an evaluation as HTML; the samples' files are written beside the page.

    Args:
        result: the evaluation.
        page: where the page will lie.
    """
    from markupsafe import Markup

    settings = result.comparison.settings
    view = evaluation_view(result.comparison, result.scores, first=FIRST)
    try:
        goals = read_study(result.dataset).goals
        matrix = CoverageMatrix(result.dataset, axes=(settings["group"], settings["condition"]), goals=goals)
    except RoomtoneError:  # the groups are no column of the manifest: the comparison stands for itself
        data = comparison_data(result.comparison)
        return Markup(embed(data, static_tables(data, PRINTED)))
    name = set_name(result.dataset)
    data = coverage_data(
        matrix.grid, matrix.source, name=name, holes=matrix.holes(), page=page, evaluation=view, render_command=fill_command(matrix.source),
        nothing_to_do="Every cell of the set meets its goals.",
    )  # fmt: skip
    return Markup(embed(data, static_tables(data, PRINTED)))


class StoredComparison:
    """The comparison that `roomtone evaluate` wrote into a folder, read back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.complete = all((folder / name).is_file() for name in ("cells.csv", "gaps.csv", "evaluation.json"))
        self.settings: Mapping[str, Any] = self._settings() if self.complete else {}

    def _settings(self) -> Mapping[str, Any]:
        try:
            found = read_json(self.folder / "evaluation.json")["settings"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def cells(self) -> pd.DataFrame:
        """Return one row a group and condition."""
        return self._table("cells.csv")

    @property
    def gaps(self) -> pd.DataFrame:
        """Return one row a comparison."""
        return self._table("gaps.csv")

    @property
    def accents(self) -> pd.DataFrame | None:
        """Return one row a group over all conditions, where the evaluation wrote it."""
        return self._further("accents.csv")

    @property
    def conditions(self) -> pd.DataFrame | None:
        """Return one row a condition over all groups, where the evaluation wrote it."""
        return self._further("conditions.csv")

    @property
    def levels(self) -> pd.DataFrame | None:
        """Return one row a group and factor level, where the evaluation wrote it."""
        return self._further("levels.csv")

    @property
    def findings(self) -> pd.DataFrame | None:
        """Return the gaps that were found, those to be told first on top, where the evaluation wrote them."""
        return self._further("findings.csv")

    def _further(self, name: str) -> pd.DataFrame | None:
        return self._table(name) if (self.folder / name).is_file() else None

    def _table(self, name: str) -> pd.DataFrame:
        return result_table(self.folder / name, (self.settings["group"], self.settings["condition"], "statement"))


def result_table(path: Path, texts: Sequence[str]) -> pd.DataFrame:
    """Return a table that a command wrote, the apostrophes taken away that keep a spreadsheet from running a cell.

    Args:
        path: of a CSV file.
        texts: columns of texts.
    """
    import pandas as pd

    with open_regular(path) as file:
        frame = pd.read_csv(file, keep_default_na=False, na_values=[""])
    for column in texts:
        if column in frame:
            frame[column] = frame[column].map(lambda v: v.removeprefix("'") if isinstance(v, str) else v)
    return frame


def comparison_html(comparison: Compared) -> str:
    """Return a comparison for a notebook: the component, and its tables where scripts do not run."""
    data = comparison_data(comparison)
    return embed(data, static_tables(data, (data.first, "verdict")))


def comparison_data(comparison: Compared) -> MatrixData:
    """Return what the component shows of a comparison alone, without the set that it was made on."""
    settings = comparison.settings
    group, condition, baseline = settings["group"], settings["condition"], settings["baseline"]
    rows = sorted(set(comparison.cells[group].map(str)))
    columns = [baseline, *sorted(set(comparison.cells[condition].map(str)) - {baseline})]
    factors = header_factors(getattr(comparison, "levels", None), columns, condition)
    layers = evaluation_layers(comparison, rows, columns, factors)
    return MatrixData(
        name=f"{group} by {condition}", row_axis=group, row_names=rows, column_axis=condition, column_names=columns, factors=factors,
        layers=layers, baseline=0, first=FIRST,
        steps=_open_questions(comparison), sentences=_sentences(comparison, rows, columns),
        nothing_to_do="Every comparison is decided.",
    )  # fmt: skip


def header_factors(levels: pd.DataFrame | None, columns: Sequence[str], condition: str) -> list[Factor]:
    """Return the header: the factors whose levels a comparison knows, read from the conditions' names, else the names themselves.

    Args:
        levels: one row a group and factor level, with `factor` and `level`; None where not known.
        columns: names of the conditions.
        condition: name of their column.
    """
    if levels is not None and len(levels) and {"factor", "level"} <= set(levels):
        known = {str(name): set(part["level"].map(str)) for name, part in levels.groupby("factor")}
        names = [name for name in FACTORS if name in known]
        found = [levels_in_name(column, names, known) for column in columns]
        if len(set(found)) == len(columns) and UNKNOWN_LEVEL not in {level for row in found for level in row}:
            return [_factor(name, [row[i] for row in found]) for i, name in enumerate(names)]
    return [_factor(condition, list(columns))]


def _factor(name: str, values: Sequence[str]) -> Factor:
    levels = Axis(name).order(values) if name in FACTORS else list(dict.fromkeys(values))
    return Factor(name, levels, [levels.index(value) for value in values])


def _aligned(row: Mapping[Any, Any]) -> Words | None:
    """Return what was said over what was heard, or None where there is no transcript or no answer."""
    text, heard = row.get("text"), row.get("hypothesis")
    if not isinstance(text, str) or not isinstance(heard, str):
        return None
    language, label = row.get("language"), row.get("normalizer")
    name = label.partition("/")[0] if isinstance(label, str) else AUTO
    tokenizer = tokenizer_for(name, language if isinstance(language, str) else None)
    found = align_tokens(tokenizer.tokens(text), tokenizer.tokens(heard))
    return list(zip(found.ops, found.reference, found.hypothesis))


def _sentences(comparison: Compared, rows: Sequence[str], columns: Sequence[str]) -> list[str | None]:
    group, condition = comparison.settings["group"], comparison.settings["condition"]
    said = {(str(row[group]), str(row[condition])): str(row["statement"]) for row in comparison.gaps.to_dict("records")}
    return [said.get((row, column)) for row in rows for column in columns]


def _open_questions(comparison: Compared) -> list[Step]:
    """Return what would narrow the first finding, or settle groups over all conditions where there is none; then cells, the easiest first."""
    first = _first_finding(comparison)
    steps = [_to_narrow(first, comparison.settings["group"])] if first else _undecided(comparison, "accents")
    return [*steps, *_undecided(comparison, "gaps")][:MAX_OPEN]


def _first_finding(comparison: Compared) -> Mapping[str, Any] | None:
    """Return the row of the finding that the headline tells."""
    found = getattr(comparison, "findings", None)
    if found is None or not len(found) or not found["worse_off"].astype(bool).iloc[0]:
        return None
    table = getattr(comparison, str(found["table"].iloc[0]))
    rows: list[dict[str, Any]] = table[table["statement"] == found["statement"].iloc[0]].to_dict("records")
    return rows[0] if rows else None


def _to_narrow(row: Mapping[str, Any], group: str) -> Step:
    """Return the step that halves an interval: four times the speakers on the side that has few."""
    name, own, other = str(row[group]), int(row["speakers"]), int(row["reference_speakers"])
    both = f" and {4 * other} of {row['reference']} ({other} now)" if other < 4 * own else ""
    text = f"{name}: about {4 * own} speakers in all ({own} now){both} would halve the interval of the first finding."
    return Step("record", text, words=filter_words(name))


def _undecided(comparison: Compared, where: str) -> list[Step]:
    """Return the comparisons of a table that could not be decided, those that the fewest speakers would settle first."""
    table, settings = getattr(comparison, where, None), comparison.settings
    if table is None or not len(table) or "speakers_needed" not in table:
        return []
    rows = table[(table["verdict"] == NOT_ENOUGH) & table["speakers_needed"].notna()]
    found = []
    for row in sort_by_lacking(rows).head(MAX_OPEN).to_dict("records"):
        name = str(row[settings["group"]])
        place = "over all conditions" if where == "accents" else f"in {row[settings['condition']]}"
        people = f"about {row['speakers_needed']:,.0f} speakers in all ({row['speakers']:,.0f} now)"
        found.append(Step("record", f"{name}: {people} would decide the comparison {place}.", words=filter_words(name)))
    return found
