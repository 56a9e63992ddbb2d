"""Which run a dataset folder belongs to: `dataset.json`, what may be resumed, and what is said when it may not.

A run is its configuration (what shapes the samples, not how they are computed), the corpus's listing, and the versions.
The same run is finished where it was left; another is refused with what changed, or appended as a further run of the set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.output.croissant import croissant
from roomtone.augment.output.dataset_card import dataset_card
from roomtone.augment.rendering.recipe import library_versions
from roomtone.core.dataset.manifest import is_remote
from roomtone.core.dataset.run_record import FORMAT_VERSION, _read, _write
from roomtone.core.dataset.storage import Place
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.fault_injection import point

if TYPE_CHECKING:
    from roomtone.augment.runs.summary import Summary

#: Configuration that changes how a set is computed and not what is in it.
_HOW = ("executor", "max_rejected", "retry_rejected", "item_timeout_s", "cache_dir", "config_dir")


@dataclass(frozen=True)
class Run:
    """One run of a set, opened; its shards are numbered from `first_shard`."""

    place: Place
    index: int
    record: dict[str, Any]

    @property
    def first_shard(self) -> int:
        """Return the number of this run's first shard."""
        return int(self.record["first_shard"])

    def finish(self, summary: Summary, config_text: str | None) -> None:
        """Write the counts, the card and the configuration."""
        counts = {"planned": summary.planned, "rendered": summary.rendered, "rejected": len(summary.rejected)}
        state = _read(self.place)
        state["runs"][self.index] = self.record | {"counts": counts, "finished": True}
        state["counts"] = {key: sum(run.get("counts", {}).get(key, 0) for run in state["runs"]) for key in counts}
        point("before_finish")
        if config_text is not None:
            name = "config.yaml" if self.index == 0 else f"config-{self.index}.yaml"
            self.place.write_text(name, config_text)
        self.place.write_text("README.md", dataset_card(self.place.url, state))
        if not is_remote(self.place.url):
            metadata = croissant(Path(self.place.url), state)
            self.place.write_text("croissant.json", json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
        _write(self.place, state)
        point("after_finish")


def open_run(
    place: Place,
    cfg: Mapping[str, Any],
    presets: Mapping[str, Any],
    utterances: Sequence[Utterance],
    *,
    shards: int,
    append: bool,
) -> Run:
    """Return the run of a configuration in a set: one begun earlier, or a new one of so many `shards`.

    Raises:
        RoomtoneError: the folder holds something else, or another run and `append` is false; says what changed.
    """
    record = _record(cfg, presets, utterances)
    state = _read(place)
    if state is None:
        if set(place.names()) - {".lock", "tmp"}:
            raise RoomtoneError(f"{place}: not empty and not a stress-test set; choose another output.dir")
        state = {"format_version": FORMAT_VERSION, "name": record["config"]["scenario"]["name"], "runs": []}
    for index, run in enumerate(state["runs"]):
        if run["run_id"] == record["run_id"]:
            return Run(place, index, run)
    if state["runs"] and not append:
        raise RoomtoneError(
            f"{place}: this set was begun otherwise: {_difference(state['runs'][-1], record)}; "
            "output.append=true adds to it, output.overwrite=true starts anew, output.dir=… makes another"
        )
    # behind every shard that an earlier run has or will have
    record |= {"first_shard": sum(run["shards"] for run in state["runs"]), "shards": shards}
    state["runs"].append(record)
    point("before_record")
    _write(place, state)
    point("after_record")
    return Run(place, len(state["runs"]) - 1, record)


def _record(cfg: Mapping[str, Any], presets: Mapping[str, Any], utterances: Sequence[Utterance]) -> dict[str, Any]:
    config = {key: value for key, value in cfg.items() if key not in (*_HOW, "output", "presets")}
    config |= {
        "presets": presets,
        "output_format": cfg["output"]["format"],
        "shard_samples": cfg["output"].get("shard_samples"),
    }
    corpus = content_key([_listing(utterance) for utterance in utterances])
    versions = library_versions()
    record = {"config": config, "config_hash": content_key(config), "corpus": corpus, "versions": versions}
    return {"run_id": content_key(record), "seed": cfg["seed"], **record}


def _listing(utterance: Utterance) -> list[Any]:
    """Return what of an utterance shapes its samples and rows; its file's size stands for its content until it is read."""
    ref = utterance.audio
    try:
        size = Path(ref.path).stat().st_size
    except OSError:
        size = -1
    labels = [utterance.utterance_id, utterance.text, utterance.speaker, utterance.accent, utterance.corpus]
    return [*labels, sorted(utterance.attributes.items()), ref.offset_s, ref.duration_s, size]


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what changed between two runs, the first few things by name."""
    changed = [
        f"{key} was {_short(before)}, is {_short(after)}"
        for key, before, after in _walk(old["config"], new["config"], "")
    ]
    if old["corpus"] != new["corpus"]:
        changed.append("the corpus's listing changed")
    changed += [
        f"{name} was {old['versions'].get(name)}, is {v}"
        for name, v in new["versions"].items()
        if old["versions"].get(name) != v
    ]
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return "; ".join(changed[:3]) + more


def _walk(old: Any, new: Any, prefix: str) -> list[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = list(dict.fromkeys([*old, *new]))
        return [
            found
            for key in keys
            for found in _walk(old.get(key), new.get(key), f"{prefix}.{key}" if prefix else str(key))
        ]
    return [] if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True) else [(prefix, old, new)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
