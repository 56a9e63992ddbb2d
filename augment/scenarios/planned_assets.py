"""What a render will draw, known before it is rendered, so that a cap on the use of a recording or realisation can hold.

Both follow from the seed, the corpus, the utterance, the condition and the replicate alone: the realisation of a room by its own
random stream (`rendering/recipe.py`), a recording of noise or of a machine by its turn (`recordings/catalogue.py`). Talkers of a
babble are not capped: there every render mixes several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.recordings.catalogue import Catalogue, in_turn, recordings
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.core.random_streams import stream


class PlannedAssets:
    """Names the assets of renders, see `coverage.fill.inputs.AssetsOf`; recordings by the id that the manifest gives them."""

    def __init__(
        self,
        conditions: Mapping[str, ConditionLevels],
        utterances: Sequence[Utterance],
        seed: int,
        sample_rate_hz: int,
        *,
        common_draws: bool,
    ) -> None:
        """Take in the conditions.

        Args:
            conditions: by name.
            utterances: of the corpus, sorted by id.
            seed: of the run.
            sample_rate_hz: of the set, Hz.
            common_draws: whether conditions that share a level draw the same for it.

        Raises:
            RoomtoneError: a folder of recordings is missing or empty.
        """
        self._seed, self._common = seed, common_draws
        self._places = {utterance.utterance_id: place for place, utterance in enumerate(utterances)}
        self._speakers = [f"{utterance.corpus}/{utterance.speaker}" for utterance in utterances]
        self._rooms: dict[str, tuple[str, int]] = {}
        self._played: dict[str, list[tuple[str, str, Catalogue]]] = {}
        found: dict[object, Catalogue] = {}
        for name, condition in conditions.items():
            self._played[name] = []
            for factor, level in condition.levels.items():
                needed = level.op.recordings_needed()
                if needed is None or needed.path is None:
                    continue
                if needed not in found:
                    found[needed] = recordings(needed.path, needed.layout, sample_rate_hz, split=needed.split)
                series = level.preset if common_draws else name
                self._played[name].append((factor, series, found[needed].of_factor(factor)))
            room = condition.levels.get("room")
            if room is not None and room.op.num_realisations is not None:
                self._rooms[name] = room.preset, room.op.num_realisations

    def __call__(self, utterance: str, condition: str, replicate: int) -> list[str]:
        """Return the names of what a render will draw.

        Args:
            utterance: its id.
            condition: name of the condition.
            replicate: number of the replicate.
        """
        drawn = []
        place = self._places[utterance]
        for factor, series, catalogue in self._played[condition]:
            usable = catalogue.without_group(self._speakers[place])  # sorted by id
            ordinal = place + replicate * len(self._speakers)
            drawn.append(in_turn(usable, ordinal, seed=self._seed, series=series, factor=factor).id)
        if condition in self._rooms:
            preset, count = self._rooms[condition]
            rng = stream(self._seed, utterance, preset if self._common else condition, replicate, "room")
            drawn.append(f"room {preset} {int(rng.integers(count)) if count > 1 else 0}")
        return drawn
