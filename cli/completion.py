"""Completion in a shell: commands, options, keys, group options, presets.

    eval "$(register-python-argcomplete roomtone)"      # bash and zsh, once or in the shell's own start file

Imported only when a shell asks (argcomplete sets `_ARGCOMPLETE`), so it costs a run nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from roomtone.cli.arguments import OPTIONS
from roomtone.core.vocabulary import FACTORS


def offer_completions(commands: Sequence[str]) -> None:
    """Answer a shell that asks, and end; do nothing where none asks.

    Args:
        commands: the names of all commands.
    """
    import argcomplete

    parser = argparse.ArgumentParser(prog="roomtone", add_help=False)
    parser.add_argument("command", choices=list(commands))
    words = parser.add_argument("words", nargs="*")
    words.completer = lambda prefix, parsed_args, **_: completions(parsed_args.command, prefix)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False)


def completions(command: str, prefix: str) -> list[str]:
    """Return the words that may stand where a prefix was typed behind a command.

    Args:
        command: the command's name.
        prefix: what was typed of the word.

    >>> completions("show", "scanner")
    ['scanner_800hz']
    >>> completions("generate", "design=f")
    ['design=fill', 'design=full']
    """
    return sorted(word for word in _words(command, prefix) if word.startswith(prefix))


def _words(command: str, prefix: str) -> Iterable[str]:
    from roomtone.augment.scenarios.presets import preset_names

    if prefix.startswith("-"):
        return OPTIONS
    key, equals, _ = prefix.partition("=")
    if command in ("show", "listen") and not equals:
        head, plus, _ = prefix.rpartition("+")
        return [f"{head}{plus}{name}" for factor in FACTORS for name in preset_names(factor)]
    if command == "list" and not equals:
        return [*FACTORS, "scenario", "corpus", "asr", "output", "export", "design", "accents", "executor"]
    return _values(command, key) if equals else _keys(command)


def _keys(command: str) -> list[str]:
    """Return the keys of a command's configuration and the groups that it chooses from, each with its `=`."""
    keys = _composed_keys(command)
    levels = [f"{factor}=" for factor in FACTORS] if command in ("generate", "plan", "listen") else []
    return [*(f"{key}=" for key in keys), *levels]


def _composed_keys(command: str) -> list[str]:
    from roomtone.cli.compose import start_hydra
    from roomtone.cli.messages import all_keys

    start_hydra(None)
    return all_keys(_primary(command))


def _values(command: str, key: str) -> list[str]:
    from roomtone.cli.compose import start_hydra
    from roomtone.cli.messages import group_options

    start_hydra(None)
    return [f"{key}={option}" for option in group_options(key)] if key in _groups(command) else []


def _groups(command: str) -> set[str]:
    from roomtone.cli.help import chosen_groups

    return set(chosen_groups(_primary(command), None, ()))


def _primary(command: str) -> str:
    return {"plan": "generate", "corpus": "corpus_report"}.get(command, command)
