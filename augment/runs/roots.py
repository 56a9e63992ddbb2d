"""Which folders a run reads from, and the names that its set uses for them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.files import is_remote
from roomtone.core.local_paths import LocalPaths, gather_roots, paths_below


def run_roots(corpus: Mapping[str, Any], presets: Mapping[str, Any], utterances: Sequence[Utterance]) -> LocalPaths:
    """Return the roots of a run: `corpus` for the speech, `noise_street` for the recordings of the preset `street`.

    Args:
        corpus: the group `corpus`.
        presets: by factor and name.
        utterances: whose recordings may lie outside of the corpus's own folder.
    """
    first: dict[str, str] = {}
    for name, path in (("corpus", corpus.get("path")), ("corpus_root", corpus.get("root"))):
        if path:
            first[name] = _absolute(str(path))
    for factor, named in presets.items():
        for preset, fields in named.items():
            for i, path in enumerate(dict.fromkeys(paths_below(fields))):
                first[f"{factor}_{preset}" + (f"_{i + 1}" if i else "")] = _absolute(path)
    return gather_roots(first, (utterance.audio.path for utterance in utterances))


def _absolute(path: str) -> str:
    return path if is_remote(path) else str(Path(path).expanduser().absolute())


def of_run(paths: LocalPaths, index: int) -> LocalPaths:
    """Return the roots under the names that the run number `index` of a set uses; the first uses them as they are.

    Args:
        paths: the roots by name.
        index: of the run in its set, from 0.
    """
    return (
        paths if index == 0 else LocalPaths({f"{name}_run{index + 1}": folder for name, folder in paths.roots.items()})
    )


def listing_sha256(utterances: Sequence[Utterance]) -> str:
    """Return the SHA-256 over what of a corpus shapes samples and rows: ids, texts, labels, lengths and sizes of files.

    A file's size stands for its content until it is read; the hash of its content is in every row's recipe.
    """
    digest = hashlib.sha256()
    for utterance in utterances:
        digest.update(json.dumps(_listing(utterance), sort_keys=True).encode())
    return digest.hexdigest()


def _listing(utterance: Utterance) -> list[Any]:
    ref = utterance.audio
    try:
        size = os.stat(ref.path).st_size
    except (OSError, ValueError):
        size = -1
    labels = [utterance.utterance_id, utterance.text, utterance.speaker, utterance.accent, utterance.corpus]
    return [*labels, sorted(utterance.attributes.items()), ref.offset_s, ref.duration_s, size]
