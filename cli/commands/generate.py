"""`roomtone generate`: corpus + scenario + design -> a stress-test set; ends with its coverage matrix."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from roomtone.cli.compose import compose_config, plain
from roomtone.core.printable import coloured_console, printable

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from rich.console import Console

    from roomtone.augment.runs.summary import Summary

CONFIG_NAME = "generate"


def run(cfg: DictConfig) -> int:
    """Render the set, print what it holds, and return the exit status."""
    from roomtone.augment.generation import generate, rejection_line
    from roomtone.augment.runs.summary import RunStoppedError
    from roomtone.core.files import is_remote

    console = coloured_console()
    try:
        summary = generate(plain(cfg), config=set_config(cfg))
    except RunStoppedError as stopped:
        if stopped.summary.rendered:
            _show_coverage(stopped.summary.dataset, console)
        raise
    _show_coverage(summary.dataset, console)
    console.print(_closing(summary), markup=False, highlight=False, soft_wrap=True)
    if cfg.corpus.get("speech_origin") == "recorded":
        print("speech: taken as recorded from people; corpus.speech_origin=synthetic says otherwise, for a new set")
    for sentence in _sparse_noises(summary.dataset):
        print(printable(f"note: {sentence}"))
    if cfg.corpus.get("reader") == "demo" and not is_remote(summary.dataset):
        console.print(_next_commands(summary.dataset), markup=False, highlight=False, soft_wrap=True)
    for sentence in summary.systematic:
        print(printable(f"systematic: {sentence}"), file=sys.stderr)
    for entry in _first_by_utterance(summary)[:5]:
        print(printable(f"rejected: {rejection_line(entry)}"), file=sys.stderr)
    return summary.exit_status


def _sparse_noises(dataset: str) -> list[str]:
    from roomtone.augment.output.sparse_noise import COLUMNS, sparse_noises
    from roomtone.core.dataset.manifest import read_manifest

    return sparse_noises(read_manifest(dataset, columns=COLUMNS))


def _next_commands(dataset: str) -> str:
    """Return what to try after the demo."""
    page = f"{dataset}/coverage/index.html"
    return "\n".join(
        [
            f"open {page}: a click on a cell plays its samples. Next:",
            '  roomtone listen "ward+babble@10dB+gsm" to=heard.wav       one condition to hear; audio=my.wav takes your own voice',
            f"  roomtone evaluate dataset={dataset}                    who is worse off where (pip install '.[asr]')",
            "  roomtone generate corpus=table corpus.path=speech.csv     your own speech: columns audio, text, speaker, accent",
        ]
    )


def _show_coverage(dataset: str, console: Console) -> None:
    """Print the set's matrix and write its pictures, as `roomtone coverage dataset=…` does."""
    from roomtone.cli.arguments import Arguments
    from roomtone.cli.commands import coverage
    from roomtone.core.files import is_remote
    from roomtone.coverage.report.terminal import print_matrix

    if is_remote(dataset):  # pictures need a folder of this machine
        print_matrix(dataset, None, console)
        return
    cfg = compose_config(Arguments(()), coverage.CONFIG_NAME)
    cfg.dataset = dataset
    coverage.run(cfg)


def set_config(cfg: DictConfig) -> dict[str, Any]:
    """Return what the set's config.yaml is to hold: the data of the configuration, presets inlined, and nothing that acts."""
    from roomtone.augment.scenarios.scenario import inline_presets, parse_scenario
    from roomtone.augment.settings import generate_settings

    values = plain(cfg)
    settings = generate_settings(values)
    values["scenario"] = dict(settings.scenario)
    values["presets"] = inline_presets(parse_scenario(settings.scenario), settings.presets, settings.search)
    for name in ("config_dir", "executor", "cache_dir", "sources"):
        values.pop(name, None)
    values["output"] = {name: values["output"][name] for name in ("format", "shard_samples")}
    return values


def _closing(summary: Summary) -> str:
    if not summary.planned:
        return f"nothing to render: {summary.dataset} meets its goals, or nothing at hand can bring it nearer"
    made = (
        f"{summary.rendered:,} of {summary.planned:,} samples in {summary.dataset} ({summary.seconds / 60:.1f} minutes)"
    )
    resumed = f", {summary.resumed:,} of them from before" if summary.resumed else ""
    rejected = f", {len(summary.rejected):,} rejected (see {summary.dataset}/rejected)" if summary.rejected else ""
    return made + resumed + rejected


def _first_by_utterance(summary: Summary) -> list[dict[str, Any]]:
    return list({entry["utterance_id"]: entry for entry in reversed(summary.rejected)}.values())[::-1]
