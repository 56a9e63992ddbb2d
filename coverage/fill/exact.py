"""The fewest renders that reach the same, as an integer programme: exact, and so only for small plans.

One variable says for each render that is possible whether it is planned, one for each utterance and each speaker in a target whether
it is heard there. First what is lacking is made as small as possible, then the number of renders (scipy's `milp`, that is HiGHS).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from roomtone.coverage.fill.greedy import Growth
from roomtone.coverage.fill.tally import ASSETS, MINUTES, RENDERS, SPEAKERS, UTTERANCES, WORDS

#: Renders that are possible, up to which the programme is solved.
MAX_VARIABLES = 3_000
#: Nodes of the search tree after which the best plan found is taken: counted, so that a seed gives one plan everywhere.
_NODES = 2_000
#: A plan that is proven to be within this share of the best is good enough.
_GAP = 0.005


@contextlib.contextmanager
def _without_printing() -> Iterator[None]:
    """Keep what HiGHS prints past Python (a line of its own now and then) off the standard output."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no standard output at all
        yield
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


class Programme:
    """Variables and constraints while they are collected."""

    def __init__(self) -> None:
        self.upper: list[float] = []
        self.whole: list[int] = []
        self.rows: list[tuple[list[tuple[int, float]], float, float]] = []

    def variable(self, upper: float, *, whole: bool) -> int:
        """Return the number of a new variable from 0 to `upper`.

        Args:
            upper: its largest value.
            whole: whether it takes whole numbers only.
        """
        self.upper.append(upper)
        self.whole.append(int(whole))
        return len(self.upper) - 1

    def require(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        """Add the constraint low <= sum of (variable, factor) <= high.

        Args:
            terms: (number of a variable, factor) each.
            low: smallest sum; -inf asks nothing.
            high: largest sum; inf asks nothing.
        """
        self.rows.append((terms, low, high))

    def solve(self, costs: list[tuple[int, float]]) -> np.ndarray | None:
        """Return the values of all variables that make the costs smallest, None where none were found in time."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        size = len(self.upper)
        objective = np.zeros(size)
        for variable, cost in costs:
            objective[variable] += cost
        at = [(i, variable, factor) for i, (terms, _, _) in enumerate(self.rows) for variable, factor in terms]
        row, column, factor = (np.array(part) for part in zip(*at)) if at else (np.zeros(0, int),) * 3
        matrix = csr_array((factor.astype(float), (row.astype(int), column.astype(int))), shape=(len(self.rows), size))
        bounds = LinearConstraint(matrix, [low for _, low, _ in self.rows], [high for _, _, high in self.rows])
        with _without_printing():
            found = milp(
                objective,
                constraints=bounds,
                integrality=np.array(self.whole),
                bounds=Bounds(np.zeros(size), np.array(self.upper)),
                options={"node_limit": _NODES, "mip_rel_gap": _GAP},
            )
        return None if found.x is None else np.asarray(found.x)


def fewest_renders(growth: Growth) -> list[tuple[int, int, int]] | None:
    """Return the renders (utterance, condition, replicate) of the smallest plan, or None where there are too many to choose from.

    Args:
        growth: targets and limits as they are before anything is planned.
    """
    options = _options(growth)
    if not options or len(options) > MAX_VARIABLES:
        return None
    programme = Programme()
    chosen = {option: programme.variable(1, whole=True) for option in options}
    _add_limits(programme, chosen, growth)
    deficits = _add_targets(programme, chosen, growth)
    first = programme.solve(deficits)
    if first is None:
        return None
    least = sum(cost * first[variable] for variable, cost in deficits)
    programme.require(deficits, -np.inf, least + 1e-7)
    second = programme.solve([(variable, 1.0) for variable in chosen.values()])
    if second is None:
        return None
    return sorted(
        (option for option, variable in chosen.items() if second[variable] > 0.5), key=lambda o: (o[2], o[0], o[1])
    )


def _options(growth: Growth) -> list[tuple[int, int, int]]:
    """Return the renders that could serve a target, and the clean ones that they would need."""
    limits, tally = growth.limits, growth.tally
    members = np.arange(len(limits.voices))
    found = []
    for condition in range(limits.conditions):
        usable = limits.free(members, condition, copies=True)
        for u in np.flatnonzero(usable).tolist():
            serves = any(tally.missing(t).any() for t in tally.touched(u, condition))
            if not serves and not (condition == limits.clean and limits.pairless[u]):
                continue
            taken = limits.taken.get((u, condition), set())
            numbers = [n for n in range(limits.most(condition) + len(taken)) if n not in taken]
            found += [(u, condition, n) for n in numbers[: limits.most(condition) - len(taken)]]
            if len(found) > MAX_VARIABLES:
                return found
    return found


def _add_limits(programme: Programme, chosen: dict[tuple[int, int, int], int], growth: Growth) -> None:
    limits = growth.limits
    by_speaker: dict[int, list[tuple[int, float]]] = defaultdict(list)
    by_asset: dict[str, list[tuple[int, float]]] = defaultdict(list)
    by_condition: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (u, c, n), variable in chosen.items():
        if c != limits.clean and limits.pairless[u] and limits.clean is not None:
            clean = chosen.get((u, limits.clean, 0))
            programme.require([(variable, 1.0)] + ([(clean, -1.0)] if clean is not None else []), -np.inf, 0.0)
        if (u, c, n - 1) in chosen:  # replicates are numbered without gaps
            programme.require([(variable, 1.0), (chosen[u, c, n - 1], -1.0)], -np.inf, 0.0)
        by_speaker[int(limits.voices.speaker[u])].append((variable, 1.0))
        if not limits.times_in(c)[u] and n == 0:
            by_condition[c].append((variable, 1.0))
        for asset in limits.assets_of(u, c, n):
            by_asset[asset].append((variable, 1.0))
    for speaker, terms in by_speaker.items():
        if limits.per_speaker is not None and speaker >= 0:
            programme.require(terms, -np.inf, max(0, limits.per_speaker - int(limits.of_speaker[speaker])))
    for asset, terms in by_asset.items():
        programme.require(terms, -np.inf, max(0, limits.most_of_asset(asset) - limits.of_asset[asset]))
    for condition, terms in by_condition.items():
        if limits.per_condition is not None and condition != limits.clean:
            programme.require(terms, -np.inf, max(0, limits.per_condition - int(limits.utterances_in[condition])))


def _add_targets(
    programme: Programme, chosen: dict[tuple[int, int, int], int], growth: Growth
) -> list[tuple[int, float]]:
    """Add what every target asks; return (variable of what it lacks, 1 / goal)."""
    tally = growth.tally
    serving: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (u, c, _), variable in chosen.items():
        for target in tally.touched(u, c):
            serving[target].append((u, variable))
    deficits = []
    for target in range(len(tally.goal)):
        missing = tally.missing(target)
        for unit in np.flatnonzero(missing > 0).tolist():
            terms = _terms(programme, serving[target], growth, target, unit)
            lacking = programme.variable(float(missing[unit]), whole=False)
            scale = 1.0 / float(tally.goal[target, unit])  # shares of goals, so that nanoseconds and speakers are alike
            programme.require(
                [(v, f * scale) for v, f in [*terms, (lacking, 1.0)]], float(missing[unit]) * scale, np.inf
            )
            deficits.append((lacking, scale))
    return deficits


def _terms(
    programme: Programme, serving: list[tuple[int, int]], growth: Growth, target: int, unit: int
) -> list[tuple[int, float]]:
    voices, tally = growth.limits.voices, growth.tally
    if unit in (RENDERS, ASSETS):
        return [(variable, 1.0) for _, variable in serving]
    if unit in (MINUTES, WORDS):
        amount = voices.ns if unit == MINUTES else voices.words
        return [(variable, float(amount[u])) for u, variable in serving]
    heard = tally.utterances[target] if unit == UTTERANCES else tally.speakers[target]
    groups: dict[int, list[int]] = defaultdict(list)
    for u, variable in serving:
        who = u if unit == UTTERANCES else int(voices.speaker[u])
        if heard.get(who, 0) <= 0 and (unit != SPEAKERS or who >= 0):
            groups[who].append(variable)
    terms = []
    for variables in groups.values():
        new = programme.variable(1, whole=False)  # whole by itself: it is bounded by whole ones
        programme.require([(new, 1.0), *((variable, -1.0) for variable in variables)], -np.inf, 0.0)
        terms.append((new, 1.0))
    return terms
