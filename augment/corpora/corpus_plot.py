"""The picture of a corpus report: speakers, minutes and noise floor by accent."""

from __future__ import annotations

from typing import Any

from roomtone.augment.corpora.corpus_report import CorpusReport

#: Accents beyond so many would make the labels overlap.
_MOST_ACCENTS = 40


def plot_report(report: CorpusReport, path: str) -> None:
    """Draw speakers and minutes by accent, and where it was measured the floor by accent.

    Args:
        report: what was found in the corpus.
        path: the PNG file to write.
    """
    from matplotlib.figure import Figure

    accents = sorted(report.groups["accent"].items(), key=lambda item: (-len(item[1].speakers), item[0]))[
        :_MOST_ACCENTS
    ]
    labels = [name for name, _ in accents]
    panels: list[tuple[str, list[float]]] = [
        ("distinct speakers", [len(group.speakers) for _, group in accents]),
        ("minutes", [group.seconds / 60.0 for _, group in accents]),
        ("median speech above floor, dB", [group.as_row()["speech_to_floor_db"] or 0.0 for _, group in accents]),
    ]
    figure = Figure(figsize=(11, 1.6 + 0.28 * len(labels)), layout="constrained")
    axes: Any = figure.subplots(1, len(panels), sharey=True)
    for axis, (title, values) in zip(axes, panels):
        bars = axis.barh(range(len(labels)), values, color="#4c72b0")
        axis.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.margins(x=0.15)
    axes[0].set_yticks(range(len(labels)), [label.replace("$", r"\$") for label in labels])
    axes[0].invert_yaxis()
    origin = " (synthetic speech)" if "synthetic" in report.speech_origins else ""
    figure.suptitle(
        f"{report.name}{origin}: {report.total.utterances:,} utterances, {len(report.total.speakers):,} speakers"
    )
    figure.savefig(path, dpi=110)
