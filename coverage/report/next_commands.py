"""The commands that go on from a matrix: render what can be closed, evaluate, ask for more. No path of a machine is in them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.core.files import is_remote, read_yaml
from roomtone.core.vocabulary import FACTORS
from roomtone.coverage.counting.goal_parsing import parse_goals
from roomtone.coverage.counting.goals import Goals
from roomtone.coverage.counting.source import Source
from roomtone.coverage.views.matrix_view import Step

if TYPE_CHECKING:
    import pandas as pd

#: What stands in a command for a place that no set holds begins with this.
_YOURS = "YOUR_"


def fill_command(source: Any, goals: Goals | None = None) -> str:
    """Return the command that renders what the speech at hand can close, or nothing where the set does not say how it was made.

    Args:
        source: of the matrix.
        goals: of the matrix; amounts that the set's scenario does not ask for are in the command.
    """
    return _again(source, "generate", goals)


def _again(source: Any, command: str, goals: Goals | None) -> str:
    """Return `generate` or `plan` with the words of the set's last run, to fill it."""
    folder = set_folder(source)
    if folder is None:
        return ""
    try:
        config = read_json(folder / "dataset.json")["runs"][-1]["config"]
        words = [*_corpus_words(config["corpus"]), *_scenario_words(config)]
        if goals is not None and goals.default != parse_goals(config["scenario"].get("goals") or {}).default:
            amounts = ",".join(f"{unit}:{amount:g}" for unit, amount in goals.default.items() if amount)
            words.append(f"scenario.goals.default={{{amounts}}}")
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RoomtoneError):
        return ""
    return shlex.join(["roomtone", command, *words, "design=fill", f"output.dir={folder.name}"])


def _corpus_words(corpus: Mapping[str, Any]) -> list[str]:
    columns = (corpus.get("columns") or {}) if corpus["reader"] == "table" else {}
    return [
        f"corpus={corpus['reader']}",
        *([f"corpus.path={_YOURS}SPEECH"] if corpus.get("path") else []),
        *(f"corpus.columns.{key}={name}" for key, name in columns.items() if name not in (key, None)),
    ]


def _scenario_words(config: Mapping[str, Any]) -> list[str]:
    """Return the scenario's name if it is one that can be typed, and the levels of the factors that are not as it has them."""
    scenario = config["scenario"]
    name, factors = scenario["name"], scenario.get("factors") or {}
    packaged = files("roomtone.conf") / "scenario" / f"{name}.yaml"
    known = (
        read_yaml(Path(str(packaged)), expected="keys")["factors"]
        if re.fullmatch(r"\w+", name) and packaged.is_file()
        else {}
    )
    own = {factor: levels for factor, levels in factors.items() if list(levels) != list(known.get(factor, ()))}
    named = [] if len(own) == len(FACTORS) else [f"scenario={name}"]
    presets = config.get("presets") or {}
    return named + [
        f"{factor}=[{','.join(_level(str(level), presets.get(factor) or {}) for level in levels)}]"
        for factor, levels in own.items()
    ]


def _level(level: str, presets: Mapping[str, Any]) -> str:
    """Return a level as it is typed; one of own recordings names its folder, which no set holds: `hall=folder:YOUR_HALL@5dB`."""
    if not re.fullmatch(r"[\w@.+-]+", level):
        raise ValueError("not a level that can be typed as it is")
    name, at, snr = level.partition("@")
    preset = presets.get(name)
    if not isinstance(preset, Mapping) or not str(preset.get("path") or "").endswith(":"):
        return level
    kind = preset.get("kind") or ("file" if preset.get("op") in ("recording", "recorded_device") else "folder")
    return f"{name}={kind}:{_YOURS}{name.upper()}{at}{snr}"


def further_steps(
    source: Any, goals: Goals | None = None, *, evaluated: bool = False, raised: bool = False, to_record: bool = False
) -> list[Step]:
    """Return what can be done with a set besides filling it.

    Args:
        source: of the matrix.
        goals: of the matrix.
        evaluated: whether a recogniser's answers are shown already; a set that holds an evaluation over other axes counts as well.
        raised: whether the goals ask for a gap to be seen already.
        to_record: whether there are holes that only more speech closes.
    """
    folder = set_folder(source)
    if folder is None:
        return []
    dataset = shlex.quote(f"dataset={folder.name}")
    asked = f"roomtone coverage {dataset} 'goals={{default:{{detect:0.05}}}}' {shlex.quote(f'to={folder.name}-detect')}"
    question = "Ask for more: how much speech would each cell need to show a gap of 5 points? The answer gets a page of its own."
    ask = Step("raise", question, asked)
    more = "With more speakers in the corpus: see how far they bring the set; plan renders nothing, generate with the same words does."
    again = _again(source, "plan", goals) if to_record else ""
    yours = list(dict.fromkeys(re.findall(rf"{_YOURS}\w+", again)))
    if yours:
        more += f" A set does not hold where your files lie: type their places for {' and '.join(yours)}."
    further = [*([Step("record", more, again)] if again else []), *([] if raised else [ask])]
    if evaluated or (folder / "evaluation" / "evaluation.json").is_file():
        return further
    # the default recogniser is PocketSphinx, with a grammar that knows the demo's sentences and nothing else
    recogniser = "" if _corpora(folder) == {"demo"} else " asr=faster_whisper asr.model=tiny.en"
    command = f"roomtone evaluate {dataset}{recogniser}"
    extra, module = ("faster-whisper", "faster_whisper") if recogniser else ("asr", "pocketsphinx")
    needs = "" if find_spec(module) else f" It needs {how_to_install(extra)}."
    needs += " Without a network, give the folder of a model." if recogniser else ""
    measure = Step("measure", f"See what a recogniser makes of it, accent by accent.{needs}", command)
    return [*further, measure] if raised else [measure, *further]


def needs_speech(holes: pd.DataFrame) -> bool:
    """Return whether there are holes that rendering cannot close.

    Args:
        holes: of `CoverageMatrix.holes`.
    """
    return len(holes) > 0 and not holes["closable"].all()


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
