"""Samples where none may be: counted row by row, so that a sample in two illegal cells is one."""

from __future__ import annotations

from collections.abc import Sequence

from roomtone.coverage.counting.axes import Axis, literal
from roomtone.coverage.counting.goals import Goals, Rule
from roomtone.coverage.counting.source import OpenSource


def illegal_samples(source: OpenSource, goals: Goals, axes: Sequence[Axis]) -> int:
    """Return how many samples match an illegal rule, whether or not it names axes of the matrix.

    A missing value is matched as it is shown, `none` or `(not stated)`; several accents are matched one by one.

    Args:
        source: an open source.
        goals: their illegal rules.
        axes: the axes of the matrix; a rule may name their bins.
    """
    known = {axis.column: axis for axis in axes}
    rules = [_rule_sql(source, rule, known) for rule in goals.illegal if rule.where]
    if not rules:
        return 0
    query = f"SELECT count(*) FROM {source.relation} WHERE {' OR '.join(rules)}"
    return int(source.connection.execute(query).fetchall()[0][0])


def _rule_sql(source: OpenSource, rule: Rule, known: dict[str, Axis]) -> str:
    parts = [_column_sql(source, known.get(name, Axis(name)), patterns) for name, patterns in rule.where.items()]
    return "(" + " AND ".join(parts) + ")"


def _column_sql(source: OpenSource, axis: Axis, patterns: Sequence[str]) -> str:
    values = axis.parts_sql() if axis.column == "accent" else f"[{source.axis_sql(axis)}]"
    fits = " OR ".join(f"v = {literal(p)} OR v GLOB {literal(p)}" for p in patterns)
    return f"len(list_filter({values}, lambda v: {fits})) > 0"
