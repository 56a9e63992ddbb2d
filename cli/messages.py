"""What a mistake on a command line means, in one line with what to type instead; nobody reads Hydra's or YAML's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    from roomtone.cli.arguments import Arguments


#: Keys that are plausible and wrong, by command ("" is any): what to type instead. One that ends in a point stands for all keys below it.
_SLIPS = {
    (
        "coverage",
        "gates",
    ): "each gate is a key of its own, e.g. fail_under=0.9 or no_new_holes=true; roomtone coverage --help lists them",
    ("coverage", "scenario.goals."): "write the goals whole: 'goals={default: {utterances: 6, speakers: 3}}'",
    ("list", "kind"): "write the group alone: roomtone list noise",
    ("", "corpus.select.accent"): "write 'corpus.select.where={accent: [scottish, irish]}'",
    **dict.fromkeys(
        [("generate", key) for key in ("to", "dataset", "out", "dir", "folder", "paths.output", "output_dir")],
        "the folder that the set goes into is output.dir=FOLDER",
    ),
    ("", "corpus.select.accents"): "write 'corpus.select.where={accent: [scottish, irish]}'",
}
#: Words that are taken for an option of a group: what to type instead.
_OPTION_SLIPS = {
    ("corpus", "csv"): "write corpus=table corpus.path=…",
    ("corpus", "tsv"): "write corpus=table corpus.path=…",
}


def check_words(words: Sequence[str], config_name: str) -> None:
    """Refuse words that are not of the form key=value, before Hydra sees them.

    Args:
        words: the overrides of a command line.
        config_name: the command's primary configuration, whose keys are suggested.

    Raises:
        RoomtoneError: says which word, and what to type instead.
    """
    for word in words:
        key, equals, value = word.partition("=")
        if word.startswith("~") and not equals:
            continue  # Hydra's own way to leave a key out
        if not equals:
            raise RoomtoneError(_not_a_pair(word, config_name))
        if not key.strip("+~ "):
            raise RoomtoneError(f"{word!r}: there is no key before the =; write key={value}")
        bare = key.strip("+~ ")
        for (command, slip), instead in _SLIPS.items():
            if command in ("", config_name) and (bare == slip or (slip.endswith(".") and bare.startswith(slip))):
                raise RoomtoneError(f"unknown key {bare!r}; {instead}")
        if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
            raise RoomtoneError(f"{key}: {value!r}: a bracket is missing; write {key}=[first,second]")


def _not_a_pair(word: str, config_name: str) -> str:
    known = all_keys(config_name)
    if ":" in word and not Path(word).exists():
        key, _, value = word.partition(":")
        return f"{word!r} is not of the form key=value; write {key.strip()}={value.strip() or '…'}"
    if word in known:
        return f"{word!r} has no value; write {word}=…"
    if "dataset" in known and (Path(word).exists() or "/" in word or "-" in word):
        return f"{word!r} is not of the form key=value; write dataset={word}"
    return f"{word!r} is not of the form key=value; {nearest(word, known)}"


def explain(error: Exception, config_name: str, arguments: Arguments) -> str:
    """Return what a message of Hydra's or OmegaConf's means.

    Args:
        error: what was raised while the configuration was composed.
        config_name: the command's primary configuration.
        arguments: the command line.
    """
    text = str(error)
    if match := re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' is not in struct", text):
        if match[1] in ("config_dir", "config_name"):
            return f"unknown key {match[1]!r}; write --{match[1].replace('_', '-')} …"
        if match[1] in (known := all_keys(config_name)):
            inner = re.search(r"Key '([^']+)' is not in struct", str(error.__cause__ or error))
            below = [key.removeprefix(f"{match[1]}.") for key in known if key.startswith(f"{match[1]}.")]
            if inner and below:
                return f"{match[1]}: unknown key {inner[1]!r}; {nearest(inner[1], below)}"
            return f"{match[1]}: takes no new keys on the command line; presets and scenarios of your own are files: --config-dir DIR"
        return f"unknown key {match[1]!r}; {_nearest_key(match[1], config_name, arguments)}"
    if match := re.search(r"Could not find '([^'/]+)/([^']+)'", text):
        if match[1] == "corpus" and (reader := _reader_of(match[2])):
            return f"corpus: {match[2]!r} is a place, no kind of corpus; write corpus={reader} corpus.path={match[2]}"
        slip = _OPTION_SLIPS.get((match[1], match[2]))
        if match[1] == "output" and nearest(match[2], group_options("output")).startswith("known"):
            slip = f"known: {', '.join(group_options('output'))}; a folder is output.dir={match[2]}"
        return f"{match[1]}: there is no option {match[2]!r}; {slip or nearest(match[2], group_options(match[1]))}"
    if "Cannot find primary config" in text:
        where = arguments.config_dir or "the packaged configurations"
        return f"--config-name: there is no {config_name!r} in {where}"
    if match := re.search(r"Could not load '([^']+)'", text):
        return f"cannot load {match[1]!r}"
    culprit = next((word for word in arguments.overrides if word.split("=")[0].lstrip("+~") in text), "")
    key, _, value = culprit.partition("=")
    if "Ambiguous value" in text:
        return _comma(key, value)
    if culprit and re.search(
        r"no viable alternative|mismatched input|extraneous input|token recognition|Error parsing", text
    ):
        return f"{key}: cannot read {value!r}; quote it: {key}=\"'{value}'\""
    if "override must be a string" in text:
        key, value = next(
            ((k, v) for k, _, v in (w.partition("=") for w in arguments.overrides) if group_options(k)), (key, value)
        )
        return f"{key}: {value!r} is not the name of an option; {nearest(value, group_options(key))}"
    if match := re.search(r"invalid literal for int\(\) with base 10: '([^']+)'", text):
        inside = next((w.partition("=")[0].lstrip("+~") for w in arguments.overrides if f".{match[1]}" in w), match[1])
        root = inside.partition(".")[0]
        return f"unknown key {inside!r}; {root} is a list, written whole: '{root}=[…]'"
    return f"configuration {config_name!r}{f', at {culprit!r}' if culprit else ''}: {' '.join(text.split())[:300]}"


def _nearest_key(key: str, config_name: str, arguments: Arguments) -> str:
    """Return a hint for a misspelt key: of the keys beside it where the mapping that should hold it is there, groups as chosen."""
    chosen = [word for word in arguments.overrides if group_options(word.split("=")[0])]
    known = all_keys(config_name, chosen)
    home, _, last = key.rpartition(".")
    siblings = {one.rpartition(".")[2]: one for one in known if home and one.rpartition(".")[0] == home}
    if siblings:  # by their own names: what stands before them is right, and would make all of them alike
        hint = nearest(last, siblings)
        if hint.startswith("did you mean"):
            return f"did you mean {siblings[hint.split(chr(39))[1]]!r}?"
        return f"{home} has the keys {hint.removeprefix('known: ')}" if hint.startswith("known") else hint
    root, *below = key.split(".")
    if below and root in known and not any(one.startswith(f"{root}.") for one in known):
        inner = "…"
        for part in reversed(below):
            inner = f"{{{part}: {inner}}}"
        return f"{root} is written whole: '{root}={inner}'; roomtone COMMAND --help shows its form"
    return nearest(key, known)


def _reader_of(word: str) -> str | None:
    """Return which corpus reads a place that was given as a corpus; None where the word is none."""
    path = Path(word).expanduser()
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".txt"):
        return "table"
    return "folder" if path.is_dir() else None


def _comma(key: str, value: str) -> str:
    """Return what a comma outside brackets was meant to be: a list, or the decimal point of a number."""
    if re.fullmatch(r"[-+]?\d+,\d+", value):
        return f"{key}: {value!r}: numbers have a decimal point; write {key}={value.replace(',', '.')}"
    return f"{key}: {value!r} is a list; write {key}=[{value}]"


def all_keys(name: str, overrides: Sequence[str] = ()) -> list[str]:
    """Return every dotted key of a configuration; none where it cannot be read.

    Args:
        name: of the primary configuration; Hydra must have been started.
        overrides: the groups that are chosen.
    """
    from hydra import compose
    from omegaconf import OmegaConf

    try:
        return _dotted(
            OmegaConf.to_container(compose(name.removesuffix(".yaml"), overrides=list(overrides)), resolve=False)
        )
    except Exception:  # the hint is a courtesy; without a readable configuration there is none
        return []


def _dotted(node: Any, prefix: str = "") -> list[str]:
    if not isinstance(node, dict):
        return [prefix]
    own = [prefix] if prefix else []
    return own + [key for k, v in node.items() for key in _dotted(v, f"{prefix}.{k}" if prefix else str(k))]


def group_options(group: str) -> list[str]:
    """Return the options of a configuration group; Hydra must have been started.

    Args:
        group: e.g. `corpus`.
    """
    from hydra.core.global_hydra import GlobalHydra

    return list(GlobalHydra.instance().config_loader().get_group_options(group))
