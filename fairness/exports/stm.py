"""NIST STM with accents and factor levels as label groups, so that sclite's own LUR report prints the error of each.

`ref.stm` holds references with accents as groups, and `ref.FACTOR.stm` the same references with the levels of one factor: sclite fails
where a file has more than about 15 labels, so each holds at most 14, and groups beyond are one, `other`, the ones with the fewest samples.
After an evaluation `hyp.ctm` holds hypotheses, and `ref.trn` and `hyp.trn` the same for alignment by sentence.
Words are normalised as the evaluation normalises them, because sclite counts punctuation. A CTM asks for word times that
no recogniser here gives: each sample's words are spread evenly over it, which only serves to put them in their sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from roomtone.core.vocabulary import FACTORS, NONE
from roomtone.core.words import one_line
from roomtone.fairness.exports.job import ExportJob, Names, write_lines

#: Labels of one file, "Overall" among them.
_MAX_LABELS = 14
_OTHER = "other"
#: A row, the name of its sample and the name of its speaker.
Named = tuple[dict[str, Any], str, str]


def write(job: ExportJob) -> list[Path]:
    """Write `ref.stm` and `ref.FACTOR.stm`, sorted by file, channel and time, and after an evaluation `hyp.ctm`, `ref.trn`, `hyp.trn`.

    Args:
        job: what is exported.
    """
    samples, speakers = Names(), Names()
    rows = sorted(job.records(), key=lambda row: samples.of(str(row["sample_id"])).encode())
    named = [
        (row, samples.of(str(row["sample_id"])), speakers.of(str(row.get("speaker") or "unknown"))) for row in rows
    ]
    levels = [factor for factor in FACTORS if len({_label(row, factor) for row in rows}) > 1]
    written = [_references(job, named, "accent", job.to / "ref.stm")]
    written += [_references(job, named, factor, job.to / f"ref.{factor}.stm") for factor in levels]
    if not job.evaluated:
        return written
    scored = [one for one in named if one[0].get("hypothesis") is not None]
    written.append(write_lines(job.to / "hyp.ctm", (line for row, name, _ in scored for line in _ctm(job, row, name))))
    for file, column in (("ref.trn", "text"), ("hyp.trn", "hypothesis")):
        trn = (f"{_words(job, row, row[column])} ({speaker}-{name})".strip() for row, name, speaker in scored)
        written.append(write_lines(job.to / file, trn))
    return written


def _references(job: ExportJob, named: list[Named], column: str, path: Path) -> Path:
    """Write the references with one column's values as labels."""
    ids = _label_ids([_label(row, column) for row, _, _ in named], column[0].upper())
    lines = [*_header(column, ids)]
    for row, name, speaker in named:
        label = ids.get(_label(row, column)) or ids[_OTHER]
        words = _words(job, row, row["text"])
        lines.append(f"{name} A {speaker} 0.000 {row['duration_s']:.3f} <O,{label}> {words}".rstrip())
    return write_lines(path, lines)


def _label(row: Mapping[str, Any], column: str) -> str:
    return one_line(row.get(column)) or ("unknown" if column == "accent" else NONE)


def _label_ids(labels: list[str], letter: str) -> dict[str, str]:
    """Return an id for each label; where they are too many, for the commonest and for `other`."""
    counts = Counter(labels)
    kept = sorted(counts)
    if len(kept) > _MAX_LABELS - 1:
        commonest = sorted(counts, key=lambda label: (-counts[label], label))[: _MAX_LABELS - 2]
        kept = [*sorted(commonest), _OTHER]
    return {label: f"{letter}{k:02d}" for k, label in enumerate(kept, 1)}


def _header(column: str, ids: Mapping[str, str]) -> Iterator[str]:
    yield ';; CATEGORY "0" "" ""'
    yield ';; LABEL "O" "Overall" "all samples"'
    yield f';; CATEGORY "1" "{column}" ""'
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
