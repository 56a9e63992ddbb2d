"""Which run a dataset folder belongs to: `dataset.json`, what may be resumed, and what is said when it may not.

A run is its configuration (what shapes the samples, not how they are computed), the corpus's listing, and the versions.
The same run is finished where it was left; another is refused with what changed, or appended as a further run of the set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.packages import versions_of_ops
from roomtone.augment.output.audio_folder import write_metadata
from roomtone.augment.output.croissant import croissant
from roomtone.augment.output.dataset_card import dataset_card
from roomtone.augment.rendering.recipe import library_versions
from roomtone.augment.runs.roots import listing_sha256, of_run
from roomtone.core.dataset.run_record import FORMAT_VERSION, read_record, write_record
from roomtone.core.dataset.storage import LOCK_NAME, SESSION_NAME, DatasetStorage
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote
from roomtone.core.local_paths import LOCAL_NAME, LocalPaths, read_local_paths, write_local_paths
from roomtone.core.random_streams import content_key
from roomtone.core.vocabulary import FACTORS
from roomtone.core.workers.fault_injection import point

if TYPE_CHECKING:
    from roomtone.augment.runs.summary import Summary


#: What a folder holds in which a run ended before its first sample.
_OF_NOTHING = {LOCK_NAME, SESSION_NAME, LOCAL_NAME, "dataset.json", "tmp"}


@dataclass(frozen=True)
class Run:
    """One run of a set, opened; its shards are numbered from `first_shard`."""

    storage: DatasetStorage
    index: int
    record: dict[str, Any]
    paths: LocalPaths = field(default_factory=LocalPaths)

    @property
    def first_shard(self) -> int:
        """Return the number of this run's first shard."""
        return int(self.record["first_shard"])

    def finish(self, summary: Summary, config: Mapping[str, Any] | None) -> None:
        """Write the counts, the card and the configuration.

        Args:
            summary: how the run ended.
            config: what config.yaml is to hold, with paths of this machine; None writes none.
        """
        counts = {
            "planned": summary.planned,
            "rendered": summary.rendered,
            "rejected": len(summary.rejected),
            "not_reached": summary.not_reached,
        }
        state = read_record(self.storage)
        assert state is not None  # `open_run` wrote it
        state["runs"][self.index] = self.record | {
            "counts": counts,
            "finished": not summary.not_reached,
            "systematic": list(summary.systematic),
        }
        state["counts"] = {key: sum(run.get("counts", {}).get(key, 0) for run in state["runs"]) for key in counts}
        point("before_finish")
        if config is not None:
            name = "config.yaml" if self.index == 0 else f"config-{self.index}.yaml"
            self.storage.write_text(name, self._config_text(config, name.removesuffix(".yaml")))
        write_metadata(self.storage)
        self.storage.write_text("README.md", dataset_card(self.storage.url, state))
        if not is_remote(self.storage.url):
            metadata = croissant(Path(self.storage.url), state)
            self.storage.write_text("croissant.json", json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
        write_record(self.storage, state)
        point("after_finish")

    def _config_text(self, config: Mapping[str, Any], name: str) -> str:
        """Return the YAML that repeats this run: paths by name, and the hash of the corpus that was read."""
        import yaml

        head = f"# roomtone generate --config-dir . --config-name {name} output.dir=again\n"
        sources = {"corpus": {"sha256": self.record["corpus"]}}
        text = yaml.safe_dump(
            {**self.paths.named(config), "sources": sources}, sort_keys=False, allow_unicode=True, width=1000
        )
        return head + str(text)


def open_run(
    storage: DatasetStorage,
    identity: Mapping[str, Any],
    roots: LocalPaths,
    presets: Mapping[str, Any],
    utterances: Sequence[Utterance],
    *,
    shards: int,
    append: bool,
    beside: bool = False,
) -> Run:
    """Return the run of a configuration in a set: one begun earlier, or a new one.

    Args:
        storage: where the set lies.
        identity: what of the configuration shapes the samples and how they are stored, paths by name.
        roots: where the run reads from.
        presets: by factor and name, as they are now.
        utterances: the corpus as it is now.
        shards: how many a new run will have.
        append: add a new run to a set that holds another one.
        beside: begin a set in a folder that holds other files, because a set that lay there was removed.

    Raises:
        RoomtoneError: the folder holds something else, or another run and `append` is false; says what changed.
    """
    record = _record(identity, roots.named(presets), utterances)
    state = read_record(storage)
    if state is None:
        if set(storage.names()) - {LOCK_NAME, SESSION_NAME, LOCAL_NAME, "tmp"} and not beside:
            raise RoomtoneError(f"{storage}: not empty and not a stress-test set; choose another output.dir")
        state = {"format_version": FORMAT_VERSION, "name": record["config"]["scenario"]["name"], "runs": []}
    if len(state["runs"]) == 1 and not is_remote(storage.url) and set(storage.names()) <= _OF_NOTHING:
        state["runs"] = []  # it ended before its first sample, and nobody else holds the lock
    for index, run in enumerate(state["runs"]):
        if run["run_id"] == record["run_id"]:
            return _opened(storage, index, run, roots)
    if state["runs"] and not append:
        raise RoomtoneError(
            f"{storage}: this set was begun with another configuration: {_difference(state['runs'][-1], record)}; "
            "output.append=true adds to it, output.overwrite=true starts anew, output.dir=… makes another"
        )
    # behind every shard that an earlier run has or will have
    record |= {"first_shard": sum(run["shards"] for run in state["runs"]), "shards": shards}
    state["runs"].append(record)
    point("before_record")
    write_record(storage, state)
    point("after_record")
    return _opened(storage, len(state["runs"]) - 1, record, roots)


def _opened(storage: DatasetStorage, index: int, record: dict[str, Any], roots: LocalPaths) -> Run:
    """Return the run, and say in `local.yaml` where it reads from."""
    paths = of_run(roots, index)
    known = read_local_paths(storage.url)
    for root, folder in roots.roots.items() if index else ():
        if root.partition("_")[0] in FACTORS and known.roots.get(root) not in (None, folder):
            raise RoomtoneError(
                f"{storage}: the recordings of {root} lay in another folder when this set was begun, and samples could not be "
                "told apart; give the preset another name"
            )
    write_local_paths(storage.url, LocalPaths({**known.roots, **paths.roots}))
    return Run(storage, index, record, paths)


def _record(identity: Mapping[str, Any], presets: Mapping[str, Any], utterances: Sequence[Utterance]) -> dict[str, Any]:
    config = {**identity, "presets": presets}
    corpus = listing_sha256(utterances)
    versions = library_versions() | versions_of_ops(presets)
    record = {"config": config, "config_hash": content_key(config), "corpus": corpus, "versions": versions}
    return {"run_id": content_key(record), "seed": identity["seed"], **record}


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
