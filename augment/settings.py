"""What a run is asked for: the keys of `conf/generate.yaml`, typed and checked once, at the door.

Planning, rendering and resuming read these and nothing else. The groups `corpus`, `scenario` and `design` stay mappings here,
because their keys depend on the reader or design that they name; `open_corpus`, `parse_scenario` and `conditions_for` check them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from roomtone.augment.scenarios.own_material import with_own_material
from roomtone.augment.scenarios.scenario import name_by_levels
from roomtone.core.audio.rates import HIGHEST_RENDERED_HZ, LOWEST_RENDERED_HZ
from roomtone.core.max_rejected import MaxRejected
from roomtone.core.settings import Annotated, Bounds, read_settings
from roomtone.core.workers.executors import ExecutorSettings

Count = Annotated[int, Bounds(1)]
Rate = Annotated[int, Bounds(LOWEST_RENDERED_HZ, HIGHEST_RENDERED_HZ, "in Hz, without a unit")]


@dataclass(frozen=True)
class OutputSettings:
    """The group `output`.

    Attributes:
        format: a container's name.
        dir: the dataset folder or an fsspec URL.
        overwrite: remove the set that is there.
        append: add to the set that is there.
        shard_samples: samples a shard at most; None takes the container's own number.
    """

    format: str
    dir: str
    overwrite: bool = False
    append: bool = False
    shard_samples: Count | None = None


@dataclass(frozen=True)
class GenerateSettings:
    """The keys of `roomtone generate` and `roomtone plan`; `conf/generate.yaml` says what each means.

    Attributes:
        corpus, scenario, design: mappings, checked by whoever reads them.
        level_dbov: active speech level of the files (ITU-T P.56), dB re a full-scale square wave.
        effort: how the talkers of all conditions speak; None as recorded.
        max_rejected: samples that may be rejected: a whole number is a count, a fraction a share of them, rounded up.
        item_timeout_s: seconds that one utterance may take to read.
        sources: what the run that a set's config.yaml repeats was made from, by root; None asks nothing.
        config_dir: the user's folder of presets and accent maps, None where there is none.
    """

    corpus: Mapping[str, Any]
    scenario: Mapping[str, Any]
    design: Mapping[str, Any]
    executor: ExecutorSettings
    output: OutputSettings
    accents: Any = None
    seed: Annotated[int, Bounds(0)] = 0
    replicates: Count = 1
    draws: Literal["independent", "common"] = "independent"
    sample_rate_hz: Rate = 16_000
    level_dbov: Annotated[float, Bounds(-90, 0)] = -26.0
    effort: Literal["raised", "loud", "shout"] | None = None
    max_rejected: MaxRejected = field(default_factory=MaxRejected)
    retry_rejected: bool = False
    item_timeout_s: Annotated[float, Bounds(0.001)] = 60.0
    cache_dir: str | None = None
    presets: Mapping[str, Any] = field(default_factory=dict)
    config_dir: str | None = None
    sources: Mapping[str, Any] | None = None

    @property
    def search(self) -> tuple[Path, ...]:
        """Return the folders in which the user's own YAML is looked for before the packaged one."""
        return () if self.config_dir is None else (Path(self.config_dir),)

    @property
    def corpus_keys(self) -> dict[str, Any]:
        """Return the corpus as `open_corpus` takes it: `accents=NAME` wins over the preset's own map."""
        return {**self.corpus, **({} if self.accents is None else {"accents": self.accents})}

    @property
    def common_draws(self) -> bool:
        """Return whether conditions that share a level draw the same for it."""
        return self.draws == "common"

    def identity(self) -> dict[str, Any]:
        """Return what shapes the samples, and not how they are computed: two runs with equal identities make equal sets."""
        names = (
            "corpus",
            "accents",
            "scenario",
            "design",
            "seed",
            "replicates",
            "draws",
            "sample_rate_hz",
            "level_dbov",
        )
        return {name: getattr(self, name) for name in names} | ({"effort": self.effort} if self.effort else {})


def generate_settings(cfg: Mapping[str, Any] | GenerateSettings) -> GenerateSettings:
    """Return the settings of a composed configuration.

    Args:
        cfg: the keys of `conf/generate.yaml` as plain values, or settings, which are returned as they are.

    Raises:
        RoomtoneError: an unknown key, or a value of the wrong type or out of bounds; the message opens with the key.
    """
    if isinstance(cfg, GenerateSettings):
        return cfg
    settings = read_settings(GenerateSettings, cfg)
    scenario, presets = with_own_material(settings.scenario, settings.presets, settings.search)
    if scenario.get("name") is None:
        scenario["name"] = name_by_levels(scenario.get("factors"))
    return replace(settings, scenario=scenario, presets=presets)
