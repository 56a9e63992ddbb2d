"""The coverage matrix of one or more sets: counts, goals, holes, figures, pictures.

matrix = CoverageMatrix("stress-set", axes=("accent", "condition"), goals={"default": {"speakers": 3}})
matrix.to_frame()      # one row a cell: axes, counts, goals, status
matrix.holes()         # the cells that miss a goal, and what would close them
matrix                 # in a notebook: the matrix to look at
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.extras import how_to_install
from roomtone.core.vocabulary import FACTORS
from roomtone.coverage.counting.axes import Axis, check_columns, check_named_levels, parse_axes
from roomtone.coverage.counting.cells import cell_rows
from roomtone.coverage.counting.figures import Figures, matrix_figures
from roomtone.coverage.counting.goal_parsing import parse_goals
from roomtone.coverage.counting.goals import UNITS, Goals, Rule, check_goal_axes, margin_amounts
from roomtone.coverage.counting.grid import count_grid, goal_columns, with_goals
from roomtone.coverage.counting.illegal import illegal_samples
from roomtone.coverage.counting.source import OpenSource, Source, open_source
from roomtone.coverage.sources.measured import with_bins
from roomtone.coverage.sources.options import parse_options
from roomtone.coverage.views.set_name import set_name

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from roomtone.coverage.combinatorics.t_way import TWayCoverage


class CoverageMatrix:
    """Which cells of the chosen axes a set holds, in six counts, against goals.

    Args:
        source: a dataset folder, a table of recordings (CSV, TSV, JSONL, Parquet), a list of either, or a DataFrame with
            the manifest's columns. Rows are united by `sample_id`.
        axes: 1 to 6 manifest columns, or `{column: [edges]}` for a number in bins.
        goals: see `roomtone.coverage.counting.goals`; default one render a cell.
        levels: further values of an axis, e.g. `{"condition": [...]}` of a scenario, that count as missing if unseen.
        columns: our column -> the source's, e.g. `{"accent": "dialect", "utterance": "original"}`.
        utterance_pattern: regular expression that finds the recording's id in the id of a copy, as its group.
        accents: speaker -> accent, as a mapping or a file of two columns, where the source does not state accents.
        measure: whether level, noise floor, bandwidth, clipping and duration are measured on the audio.

    Attributes:
        notes: what the source does not state, and what would tell it, a line each.

    Raises:
        RoomtoneError: nothing to read, an axis that is no column, or goals that do not parse or name other axes.
    """

    def __init__(
        self,
        source: Any,
        axes: Any = ("accent", "condition"),
        goals: Mapping[str, Any] | Goals | None = None,
        *,
        levels: Mapping[str, Sequence[str]] | None = None,
        columns: Mapping[str, str] | None = None,
        utterance_pattern: str | None = None,
        accents: Mapping[str, str] | str | None = None,
        measure: bool = False,
    ) -> None:
        self.source = source if isinstance(source, Source) else Source(source)
        if columns or utterance_pattern or accents or measure:
            options = parse_options(columns, utterance_pattern, accents, measure=measure)
            self.source = Source(self.source.value, options)
        self.goals = parse_goals(goals)
        self._axes = parse_axes(with_bins(axes) if self.source.options.measure else axes)
        with open_source(self.source) as opened:
            check_goal_axes(self.goals, self._axes, opened.columns)
            check_named_levels(levels, {*opened.columns, *self.axes, *FACTORS, "condition"})
            self.where, self.notes = opened.where, list(opened.notes)
            self.grid = with_goals(count_grid(opened, self._axes, self.goals, levels), self.goals)
            self._margins = [_count_margin(opened, rule, self._axes, self.goals, levels) for rule in self.goals.margins]
            self._illegal = illegal_samples(opened, self.goals, self._axes)

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the names of the axes."""
        return tuple(axis.column for axis in self._axes)

    @property
    def axis_definitions(self) -> tuple[Axis, ...]:
        """Return the axes with their bins."""
        return self._axes

    @property
    def levels(self) -> dict[str, list[str]]:
        """Return the values of each axis, in order."""
        return {axis.column: list(values) for axis, values in zip(self._axes, self.grid.levels)}

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell, combinations without samples included; of a million cells or more those with samples.

        Columns: the axes; `renders, utterances, speakers, assets, minutes, words`; `goal_*` of each (0 where there is
        none); `status`, `covered_share`; `speakers_effective` (Kish), `words_effective` (words of distinct
        utterances over the design effect); `weight`.
        """
        return self.grid.frame.copy()

    def margin_rows(self) -> list[tuple[tuple[str, ...], dict[Hashable, Any]]]:
        """Return (axes of the margin, its row) for every margin that has a goal; the row has those axes as columns."""
        rows = []
        for rule, frame in zip(self.goals.margins, self._margins):
            rows += [(rule.axes, row) for row in frame.to_dict("records")]
        return rows

    def margins(self) -> pd.DataFrame:
        """Return one row a margin that has a goal: `margin` (its axes), `value`, counts, goals, status."""
        import pandas as pd

        columns = ["margin", "value", *UNITS, *[f"goal_{unit}" for unit in UNITS], "status", "covered_share"]
        return pd.concat(self._margins, ignore_index=True)[columns] if self._margins else pd.DataFrame(columns=columns)

    def holes(self, *, clean: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the cells that miss a goal, what they miss, and whether rendering can close them; see `holes.py`.

        Args:
            clean: the speech that could be rendered, one row an utterance (`utterance_id, speaker, words, duration_s` and
                the speech axes); default the distinct utterances of the source itself.
        """
        from roomtone.coverage.holes.holes import list_holes

        return list_holes(self.grid.frame, self._axes, self.source if clean is None else clean)

    def recruiting(self, *, clean: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return what to record first, one row for each value of the speech axes that lacks something.

        Args:
            clean: as of `holes`.

        Returns:
            the speech axes and `record_speakers, record_utterances, record_minutes, record_words`.
        """
        from roomtone.coverage.holes.holes import recruiting

        return recruiting(self.holes(clean=clean), self._axes)

    def patterns(self) -> list[str]:
        """Return the holes compressed, one line for each region in which everything is missing."""
        from roomtone.coverage.holes.patterns import hole_lines

        return hole_lines(self.grid)

    @cached_property
    def figures(self) -> Figures:
        """The coverage in numbers; see `figures.py`."""
        shares = self.margins()["covered_share"].to_numpy(float)
        return matrix_figures(
            self.grid.frame,
            margins=(int(np.isfinite(shares).sum()), int((shares >= 1).sum())),
            rest=self.grid.rest,
            illegal=self._illegal,
        )

    def t_way(
        self,
        strength: int,
        *,
        factors: Sequence[str] = (),
        levels: Mapping[str, Sequence[str]] | None = None,
        constraints: Sequence[Mapping[str, Any]] = (),
        min_samples: int = 1,
        min_speakers: int = 0,
    ) -> TWayCoverage:
        """Return the t-way coverage of the factors' levels over all samples; see `t_way.py`.

        Args:
            strength: t, 1 to 4.
            factors: manifest columns; default the four acoustic factors that the set has.
            levels: a scenario's levels of each factor, so that one never rendered counts as missing.
            constraints: a scenario's constraints, over names.
            min_samples: a combination counts from this many renders on.
            min_speakers: and from this many distinct speakers on.

        Raises:
            RoomtoneError: another strength, no such column, or levels of a column that is not there.
        """
        from roomtone.coverage.combinatorics.t_way import source_t_way

        with open_source(self.source) as opened:
            return source_t_way(
                opened,
                strength,
                factors,
                self.goals,
                levels=levels,
                constraints=constraints,
                min_samples=min_samples,
                min_speakers=min_speakers,
            )

    def t_way_by(self, axis: str, strength: int, **options: Any) -> pd.DataFrame:
        """Return the t-way coverage within each value of an axis: `{accent} x {conditions at strength t}`.

        A set may hold every pair of levels and yet have some accent in a few of them only. All values are measured
        against the same levels, those of the whole set and of `levels`.

        Args:
            axis: an axis of this matrix, e.g. `accent`.
            strength: t, 1 to 4.
            options: as of `t_way`.

        Returns:
            one row a value: the axis, `seen, possible, total, simple`.

        Raises:
            RoomtoneError: `axis` is no axis of this matrix.
        """
        import pandas as pd

        from roomtone.coverage.combinatorics.t_way import source_t_way
        from roomtone.coverage.counting.cells import membership

        chosen = next((a for a in self._axes if a.column == axis), None)
        if chosen is None:
            raise RoomtoneError(f"t_way_by: {axis!r} is not an axis of this matrix; {nearest(axis, self.axes)}")
        factors = options.pop("factors", ())
        whole = self.t_way(1, factors=factors, levels=options.pop("levels", None))
        options["levels"] = dict(zip(whole.names, whole.levels))
        rows = []
        with open_source(self.source) as opened:
            for value in self.levels[axis]:
                where = membership(opened, chosen, value)
                found = source_t_way(opened, strength, whole.names, self.goals, where=where, **options)
                rows.append(
                    {
                        axis: value,
                        "seen": found.seen,
                        "possible": found.possible,
                        "total": found.total,
                        "simple": found.simple,
                    }
                )
        return pd.DataFrame(rows)

    def samples(self, *, limit: int = 50, with_root: bool = False, **cell: str) -> pd.DataFrame:
        """Return the samples of one cell, e.g. `samples(accent="scottish", condition="clean")`, `limit` at most.

        Args:
            limit: the first so many by `sample_id`.
            with_root: also the column `root`, the folder that `audio_path` is relative to.
            cell: a value for each axis.

        Raises:
            RoomtoneError: an axis is missing or unknown, or has no such value.
        """
        if missing := set(self.axes) ^ set(cell):
            raise RoomtoneError(
                f"samples: name a value for each of {', '.join(self.axes)}; check {', '.join(sorted(missing))}"
            )
        for name, value in cell.items():
            if str(value) not in self.levels[name]:
                raise RoomtoneError(f"{name}: no value {value!r}; {nearest(str(value), self.levels[name])}")
        with open_source(self.source) as opened:
            return cell_rows(
                opened, self._axes, [str(cell[n]) for n in self.axes], SAMPLE_COLUMNS, limit, with_root=with_root
            )

    def drill_down(self, *, limit: int = 20, **cell: str) -> Any:
        """Return the samples of one cell with audio players, to show in a notebook; see `samples`."""
        from roomtone.coverage.views.players import SampleList

        return SampleList(self.samples(limit=limit, with_root=True, **cell))

    def plot(self, unit: str | None = None, *, by: str | None = None) -> Figure:
        """Return a heat map (matplotlib); `by` names a third axis for small multiples. See `views/heat_map.py`.

        Args:
            unit: the count shown in the cells; default the first unit that has a goal, renders last.
            by: axis of the small multiples; default the third.
        """
        from roomtone.coverage.views.heat_map import heat_map
        from roomtone.coverage.views.matrix_view.layout import lay_out
        from roomtone.coverage.views.speech_note import speech_notes

        note = " ".join(speech_notes(self.source))
        with open_source(self.source) as opened:
            factors = lay_out(self.grid, opened).factors if self.axes[1:] == ("condition",) and by is None else ()
        return heat_map(self.grid, unit=unit, by=by, name=set_name(self.source), note=note, factors=factors)

    def to_xarray(self) -> xr.Dataset:
        """Return counts, goals and shares as a Dataset with one dimension an axis (needs xarray).

        Raises:
            RoomtoneError: xarray is not installed.
        """
        try:
            import xarray as xr
        except ImportError as error:
            raise RoomtoneError(f"to_xarray: xarray is not installed; {how_to_install('notebooks')}") from error

        columns = [*UNITS, *[f"goal_{unit}" for unit in UNITS], "covered_share", "status", "weight"]
        data = {name: (self.axes, self.grid.array(name)) for name in columns}
        return xr.Dataset(data, coords={axis: list(values) for axis, values in self.levels.items()})

    def __repr__(self) -> str:
        figures = self.figures
        name = set_name(self.source)
        return (
            f"CoverageMatrix({name}: {' x '.join(self.axes)}, {figures.covered_cells} of {figures.cells} cells covered)"
        )

    def _repr_html_(self) -> str:
        from roomtone.coverage.views.notebook import matrix_html

        return matrix_html(self)


#: What a drill-down from a cell shows of each sample.
SAMPLE_COLUMNS = ("sample_id", "utterance_id", "speaker", "accent", "condition", "text", "duration_s", "audio_path")


def _count_margin(
    source: OpenSource, rule: Rule, axes: Sequence[Axis], goals: Goals, levels: Mapping[str, Sequence[str]] | None
) -> pd.DataFrame:
    """Return one row a margin that has a goal: its own axes, counts, goals, status, `margin` and `value` as text."""
    known = {axis.column: axis for axis in axes}
    own = parse_axes([known.get(name, Axis(name)) for name in rule.axes])
    check_columns(own, source.columns, where="goals.margins")
    grid = count_grid(source, own, goals, levels)
    frame = goal_columns(grid.frame[[*grid.names, *UNITS]].copy(), margin_amounts(rule, grid.cells))
    frame["margin"] = " x ".join(grid.names)
    frame["value"] = frame[grid.names].agg(" x ".join, axis=1)
    return frame[frame["status"] != "no goal"]
