"""`roomtone corpus`: what is in a corpus before anything is rendered: speakers, minutes, accents, quality, problems.

Exit status: 0 where every utterance can be used; 3 where some cannot; 4 where more than `max_rejected` cannot.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.max_rejected import MaxRejected
from roomtone.core.printable import coloured_console, printable, unguarded
from roomtone.core.settings import Annotated, Bounds, read_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from rich.console import Console

    from roomtone.augment.corpora.corpus_report import CorpusReport, Group

CONFIG_NAME = "corpus_report"
_MOST_LABELS = 20


@dataclass(frozen=True)
class ReportOutput:
    """The group `output`: `dir` is where the report's files are written, None writes none."""

    dir: str | None = "corpus-report"


@dataclass(frozen=True)
class CorpusReportSettings:
    """The keys of `roomtone corpus`; `conf/corpus_report.yaml` says what each means."""

    corpus: Mapping[str, Any]
    accents: Any = None
    by: tuple[str, ...] = ()
    measure: Annotated[int, Bounds(0)] | None = 200
    duplicates: bool = True
    max_rejected: MaxRejected = field(default_factory=MaxRejected)
    output: ReportOutput = field(default_factory=ReportOutput)
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Survey the corpus, print and write the report.

    Args:
        cfg: the composed configuration, `conf/corpus_report.yaml`.

    Returns:
        the exit status, see above.

    Raises:
        RoomtoneError: a key has a wrong value, or the corpus cannot be read.
    """
    from rich.console import Console

    from roomtone.augment.corpora import corpus_keys, open_corpus
    from roomtone.augment.corpora.corpus_report import survey
    from roomtone.cli.compose import plain

    values = plain(cfg)
    settings = read_settings(CorpusReportSettings, values)
    search = [Path(settings.config_dir)] if settings.config_dir else []
    corpus = open_corpus(corpus_keys(values), search=search)
    with Console(file=unguarded(sys.stderr)).status("reading …") as status:
        report = survey(
            corpus,
            by=settings.by,
            measure=settings.measure,
            duplicates=settings.duplicates,
            progress=lambda count: status.update(f"reading … {count:,} utterances") if count % 25 == 0 else None,
        )
    console = coloured_console() if sys.stdout.isatty() else coloured_console(width=120)
    print_report(report, console)
    if settings.output.dir is not None:
        folder = write_report(report, Path(settings.output.dir).expanduser())
        console.print(
            f"report.json, accents.csv and corpus.png are in {folder}", markup=False, highlight=False, soft_wrap=True
        )
    if not report.unusable_count:
        return 0
    return 4 if report.unusable_count > settings.max_rejected.limit(report.seen) else 3


def print_report(report: CorpusReport, console: Console) -> None:
    """Print the counts by accent and attribute, the labels that no map has, and the problems.

    Args:
        report: what was found in the corpus.
        console: where it is printed.
    """
    total = report.total
    languages = ", ".join(f"{name} {count:,}" for name, count in report.languages.most_common(5))
    lines = [
        f"{report.name}: {total.utterances:,} utterances, {len(total.speakers):,} speakers, {_length(total.seconds)}, "
        f"{total.words:,} words; {_origin(report.speech_origins)}",
        f"licence: {report.licence or 'not stated'}; attribution: {report.attribution or 'not stated'}; language: {languages}",
    ]
    if total.nameless:
        lines.append(
            f"{total.nameless:,} utterances name no speaker: intervals by speaker and splits are refused for them"
        )
    _print(console, *lines)
    for by, values in report.groups.items():
        console.print(_table(by, values, total.seconds))
    _print(console, *_problem_lines(report))


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _length(seconds: float) -> str:
    """Return a corpus's length: of less than a minute in seconds, since 0.0 minutes says that there is nothing.

    >>> _length(41.3), _length(252), _length(3600)
    ('41.3 seconds', '4.20 minutes', '60.0 minutes')
    """
    return f"{seconds:.1f} seconds" if seconds < 60 else f"{seconds / 60:.{2 if seconds < 600 else 1}f} minutes"


def _table(by: str, values: dict[str, Group], seconds: float) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column(by, no_wrap=True)
    for title in ("speakers", "utterances", "minutes", "words", "floor dB", "band Hz", "level dBov"):
        table.add_column(title, justify="right")
    for name, group in sorted(values.items(), key=lambda item: (-len(item[1].speakers), -item[1].utterances, item[0])):
        row = group.as_row()
        floor = None if row["speech_to_floor_db"] is None else -row["speech_to_floor_db"]
        counts = (
            f"{row['speakers']:,}",
            f"{row['utterances']:,}",
            f"{row['minutes']:.{2 if seconds < 600 else 1}f}",
            f"{row['words']:,}",
        )
        table.add_row(
            Text(printable(name)),
            *counts,
            _figure(floor, ".1f"),
            _figure(row["bandwidth_hz"], ".0f"),
            _figure(row["level_dbov"], ".1f"),
        )
    return table


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _problem_lines(report: CorpusReport) -> list[str]:
    from roomtone.augment.corpora.corpus_warnings import missing_accents, near_twins, skipped_note

    lines = [
        "floor: median noise floor relative to the speech; band: median bandwidth; both of the utterances measured"
    ]
    lines += missing_accents(report.without_accent, report.seen) + near_twins(report.groups["accent"])
    lines += skipped_note(report.skipped)
    if report.unmapped:
        lines.append(
            f"accents that the map does not have ({sum(report.unmapped.values()):,} utterances), as the corpus has them:"
        )
        lines += [f"  {count:>7,}  {label}" for label, count in report.unmapped.most_common(_MOST_LABELS)]
        if len(report.unmapped) > _MOST_LABELS:
            lines.append(f"  and {len(report.unmapped) - _MOST_LABELS:,} more, all of them in report.json")
    if report.without_text:
        lines.append(f"{report.without_text:,} utterances have no transcript")
    if report.same_prompt:
        lines.append(
            f"{report.same_prompt:,} utterances share their words with another one (corpus.select.distinct_prompts)"
        )
    if report.same_audio:
        lines.append(
            f"{len(report.same_audio):,} recordings have the same bytes as another one (corpus.select.distinct_audio)"
        )
    lines += _rumble_line(report.total.as_row())
    for reason, ids in report.flagged.items():
        lines.append(
            f"not clean: {len(ids):,} of {report.total.as_row()['measured']:,} measured: {reason}, e.g. {printable(ids[0])}"
        )
    for reason, ids in report.unusable.items():
        lines.append(f"unusable: {len(ids):,}: {reason}, e.g. {printable(ids[0])}")
    return lines


def _origin(origins: set[str]) -> str:
    """Return whether people spoke, as far as the corpus's preset says."""
    if origins == {"recorded"}:
        return "taken as recorded from people (corpus.speech_origin=synthetic says otherwise)"
    return f"{', '.join(sorted(origins))} speech"


def _rumble_line(total: Mapping[str, Any]) -> list[str]:
    """Return how much DC and rumble reading removes; nothing where nothing was measured."""
    if not total["measured"]:
        return []
    return [
        f"removed on reading, below 20 Hz: median {total['rumble_to_speech_db']:.1f} dB re the speech, "
        f"at most {total['largest_rumble_to_speech_db']:.1f} dB; DC up to {total['largest_offset']:.2%} of full scale"
    ]


def write_report(report: CorpusReport, folder: Path) -> Path:
    """Write `report.json`, `accents.csv` and `corpus.png`.

    Args:
        report: what was found in the corpus.
        folder: where to; it is made where it does not exist.

    Returns:
        the folder.
    """
    from roomtone.augment.corpora.corpus_plot import plot_report
    from roomtone.augment.corpora.corpus_report import accent_rows

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    rows = accent_rows(report)
    with open(folder / "accents.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0] if rows else ["accent"])
        writer.writerows([_harmless(value) for value in row.values()] for row in rows)
    plot_report(report, str(folder / "corpus.png"))
    return folder


def _harmless(value: Any) -> Any:
    """Return text that a spreadsheet does not read as a formula."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value[:1] in tuple("=+-@\t\r\n") else printable(value)
