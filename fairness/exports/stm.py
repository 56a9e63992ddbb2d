"""NIST STM with accent and condition as label groups, so that sclite's own LUR report prints the error of each.

`ref.stm` holds references; after an evaluation `hyp.ctm` holds hypotheses, and `ref.trn` and `hyp.trn` the same for alignment by
sentence. Words are normalised as the evaluation normalises them, because sclite counts punctuation. A CTM asks for word times that
no recogniser here gives: each sample's words are spread evenly over it, which only serves to put them in their sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from roomtone.core.words import one_line
from roomtone.fairness.exports.job import ExportJob, token, write_lines

_GROUPS = (("accent", "A"), ("condition", "C"))


def write(job: ExportJob) -> list[Path]:
    """Write `ref.stm`, sorted by file, channel and time, and after an evaluation `hyp.ctm`, `ref.trn` and `hyp.trn`."""
    taken: dict[str, str] = {}
    rows = sorted(job.records(), key=lambda row: token(str(row["sample_id"]), taken).encode())
    labels = {name: _label_ids(rows, name, letter) for name, letter in _GROUPS}
    speakers: dict[str, str] = {}
    names = [
        (token(str(row["sample_id"]), taken), token(str(row.get("speaker") or "unknown"), speakers)) for row in rows
    ]
    lines = [*_header(labels)]
    for row, (name, speaker) in zip(rows, names):
        ids = ",".join(["O", *(labels[column][_label(row, column)] for column, _ in _GROUPS)])
        lines.append(
            f"{name} A {speaker} 0.000 {row['duration_s']:.3f} <{ids}> {_words(job, row, row['text'])}".rstrip()
        )
    written = [write_lines(job.to / "ref.stm", lines)]
    if job.evaluated:
        scored = [
            (row, name, speaker) for row, (name, speaker) in zip(rows, names) if row.get("hypothesis") is not None
        ]
        written.append(
            write_lines(job.to / "hyp.ctm", (line for row, name, _ in scored for line in _ctm(job, row, name)))
        )
        for file, column in (("ref.trn", "text"), ("hyp.trn", "hypothesis")):
            trn = (f"{_words(job, row, row[column])} ({speaker}-{name})".strip() for row, name, speaker in scored)
            written.append(write_lines(job.to / file, trn))
    return written


def _label(row: Mapping[str, Any], column: str) -> str:
    return one_line(row.get(column)) or "unknown"


def _label_ids(rows: list[dict[str, Any]], column: str, letter: str) -> dict[str, str]:
    return {label: f"{letter}{k:02d}" for k, label in enumerate(sorted({_label(row, column) for row in rows}), 1)}


def _header(labels: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield ';; CATEGORY "0" "" ""'
    yield ';; LABEL "O" "Overall" "all samples"'
    for number, (column, ids) in enumerate(labels.items(), 1):
        yield f';; CATEGORY "{number}" "{column}" ""'
        for label, name in ids.items():
            clean = label.replace('"', "'")
            yield f';; LABEL "{name}" "{clean}" "{column} {clean}"'


def _words(job: ExportJob, row: Mapping[str, Any], text: Any) -> str:
    # braces, slashes and parentheses are STM's own signs; the normaliser has usually taken them out already
    return job.words(row, text).translate(_SIGNS)


_SIGNS = str.maketrans(dict.fromkeys("{}()/@<>;", "_"))


def _ctm(job: ExportJob, row: Mapping[str, Any], name: str) -> Iterator[str]:
    words = _words(job, row, row["hypothesis"]).split()
    step = row["duration_s"] / max(1, len(words))
    for k, word in enumerate(words):
        yield f"{name} A {k * step:.3f} {step:.3f} {word}"
