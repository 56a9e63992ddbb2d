"""Rows of a design dealt over utterances: each utterance gets a few, every accent all of them, as evenly as can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import CLEAN, NOT_STATED
from roomtone.coverage.fill.speech import tie


@dataclass(frozen=True)
class Dealt:
    """What each utterance gets.

    Attributes:
        assigned: utterance -> its conditions in the order of the design, the clean one first.
        rows: conditions that were dealt, clean aside.
        lacking: accent -> the conditions that it did not get, because it has too few utterances.
    """

    assigned: dict[str, tuple[str, ...]]
    rows: tuple[str, ...]
    lacking: dict[str, tuple[str, ...]]

    def lines(self) -> tuple[str, ...]:
        """Return what is to be said of the deal, a line each."""
        each = max((len(names) - (CLEAN in names) for names in self.assigned.values()), default=0)
        lines = [
            f"{len(self.rows):,} conditions dealt over {len(self.assigned):,} utterances, {each} each besides clean"
        ]
        lines += [
            f"accent {accent} has too few utterances for {len(names):,} of the conditions, e.g. {names[0]}; raise "
            "design.rows_per_utterance"
            for accent, names in self.lacking.items()
        ]
        return tuple(lines)


def deal(
    utterances: Mapping[str, tuple[Sequence[str], str | None]],
    conditions: Sequence[str],
    *,
    rows_per_utterance: Any,
    seed: int = 0,
) -> Dealt:
    """Return which conditions each utterance gets.

    An utterance gets the rows that its accents have least often, and of equals those that its speaker has least often, so that within
    every accent two rows differ by one utterance at most, where utterances have one accent each. Clean goes to every utterance.

    Args:
        utterances: id -> (accents, speaker).
        conditions: names of the design's conditions.
        rows_per_utterance: conditions of each utterance, clean aside.
        seed: orders equals.

    Raises:
        RoomtoneError: not a whole number from 1 up.
    """
    if not isinstance(rows_per_utterance, int) or isinstance(rows_per_utterance, bool) or rows_per_utterance < 1:
        raise RoomtoneError(f"design.rows_per_utterance: expected a whole number from 1 up, got {rows_per_utterance!r}")
    rows = [name for name in conditions if name != CLEAN]
    place = {name: i for i, name in enumerate(conditions)}
    order = {name: tie(seed, name) for name in rows}
    of_accent: dict[str, Counter[str]] = {}
    of_speaker: dict[str | None, Counter[str]] = {}
    assigned = {}
    # those of several accents first: what they leave uneven the others mend
    for utterance in sorted(utterances, key=lambda u: (-len(utterances[u][0]), tie(seed, u), u)):
        accents, speaker = utterances[utterance]
        held = [of_accent.setdefault(accent, Counter()) for accent in (accents or (NOT_STATED,))]
        said = of_speaker.setdefault(speaker, Counter())
        ranked = sorted(
            rows,
            key=lambda name: (min(h[name] for h in held), sum(h[name] for h in held), said[name], order[name], name),
        )
        chosen = ranked[:rows_per_utterance]
        for counts in (*held, said):
            counts.update(chosen)
        assigned[utterance] = tuple(
            sorted([*chosen, *([CLEAN] if CLEAN in place else [])], key=lambda name: place[name])
        )
    lacking = {accent: tuple(name for name in rows if not counts[name]) for accent, counts in sorted(of_accent.items())}
    return Dealt(assigned, tuple(rows), {accent: names for accent, names in lacking.items() if names})
