"""What a run will render: utterances with their conditions and replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.augment.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Plan:
    """What a run will render.

    Attributes:
        utterances: sorted by id, so that the order of the corpus does not matter.
        items: planned samples by utterance id, none where an id is absent; None where every utterance gets `every`.
        notes: what is reached on the way, or left out, a line each.
    """

    scenario: Scenario
    presets: Mapping[str, Mapping[str, Any]]
    conditions: Mapping[str, ConditionLevels]
    utterances: tuple[Utterance, ...]
    every: tuple[Item, ...]
    items: Mapping[str, tuple[Item, ...]] | None = None
    notes: tuple[str, ...] = ()

    def of(self, utterance: Utterance) -> tuple[Item, ...]:
        """Return the planned samples of an utterance."""
        return self.every if self.items is None else self.items.get(utterance.utterance_id, ())

    @property
    def samples(self) -> int:
        """Return how many samples are planned."""
        return sum(len(self.of(utterance)) for utterance in self.utterances)


#: One planned sample of an utterance: (condition name, replicate).
Item = tuple[str, int]
