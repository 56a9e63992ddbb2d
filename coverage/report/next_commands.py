"""The commands that go on from a matrix: render what can be closed, evaluate, ask for more. No path of a machine is in them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote
from roomtone.coverage.counting.source import Source
from roomtone.coverage.views.matrix_view import Step


def fill_command(source: Any) -> str:
    """Return the command that renders what the speech at hand can close, or nothing where the set does not say how it was made."""
    folder = set_folder(source)
    if folder is None:
        return ""
    try:
        config = read_json(folder / "dataset.json")["runs"][-1]["config"]
        corpus, scenario = config["corpus"], config["scenario"]["name"]
        words = [
            f"corpus={corpus['reader']}",
            *(["corpus.path=PATH"] if corpus.get("path") else []),
            f"scenario={scenario}",
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return shlex.join(["roomtone", "generate", *words, "design=fill", f"output.dir={folder.name}"])


def further_steps(source: Any, *, evaluated: bool = False, raised: bool = False) -> list[Step]:
    """Return what can be done with a set besides filling it.

    Args:
        source: of the matrix.
        evaluated: whether a recogniser's answers are shown already; a set that holds an evaluation over other axes counts as well.
        raised: whether the goals ask for a gap to be seen already.
    """
    folder = set_folder(source)
    if folder is None:
        return []
    dataset = shlex.quote(f"dataset={folder.name}")
    asked = f"roomtone coverage {dataset} 'goals={{default:{{detect:0.05}}}}'"
    ask = Step("raise", "Ask for more: how much speech would each cell need to show a gap of 5 points?", asked)
    further = [] if raised else [ask]
    if evaluated or (folder / "evaluation" / "evaluation.json").is_file():
        return further
    # the default recogniser is PocketSphinx, with a grammar that knows the demo's sentences and nothing else
    recogniser = "" if _corpora(folder) == {"demo"} else " asr=faster_whisper asr.model=tiny.en"
    command = f"roomtone evaluate {dataset}{recogniser}"
    return [Step("measure", "See what a recogniser makes of it, accent by accent.", command), *further]


def _corpora(folder: Path) -> set[str]:
    """Return the corpora that a set's speech is from; none where the set does not say."""
    try:
        return set(read_manifest(folder, columns=["corpus"])["corpus"].dropna().map(str))
    except (RoomtoneError, KeyError):
        return set()


def set_folder(source: Any) -> Path | None:
    """Return the one dataset folder that a matrix was made from, if it was."""
    value = source.value if isinstance(source, Source) else source
    if hasattr(value, "columns"):
        return None
    named = [value] if isinstance(value, str | os.PathLike) else list(value)
    if len(named) != 1 or is_remote(str(named[0])) or not Path(named[0]).is_dir():
        return None
    return Path(named[0]).resolve()
