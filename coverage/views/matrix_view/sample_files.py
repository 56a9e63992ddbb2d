"""Script files beside a page with the samples of its cells, loaded when a cell is opened.

A page that is opened from disk cannot fetch, but it can load a script. Each file calls `roomtoneParts.receive(id, part, data)` with

    cells   {cell number: {of, samples, sentence, spreads, rejected}}     `of` is how many samples the cell has
            `spreads` follow the matrix's: [count, q05, q25, q50, q75, q95, bars] of all its samples, or null
            `rejected`: [how many, of how many planned, the most frequent reason], or null
            a sample: {id, speaker, text, seconds, audio, why, peaks, picture, measured, clean, words}
    clean   [{audio, peaks, picture}]                  the clean recordings that the samples' `clean` points to
    note    what was left out, or null

`measured` follows the matrix's `measures`: a number, `[number, what was asked]`, a text, or null. `words` is the alignment with what a
recogniser heard, `[operation, said, heard]` a word, where there is an evaluation.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.core.files import write_whole
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.views.matrix_view.cell_facts import MEASURES
from roomtone.coverage.views.matrix_view.contract import Measure
from roomtone.coverage.views.matrix_view.layout import BASELINE, Layout, cell_numbers
from roomtone.coverage.views.matrix_view.recordings import Recordings
from roomtone.coverage.views.matrix_view.sample_choice import chosen_samples, clean_recordings

#: sample id -> its words as (operation, said, heard), for the ids asked for.
Answers = Callable[[Sequence[str]], Mapping[str, Sequence[tuple[str, str | None, str | None]]]]


@dataclass(frozen=True)
class SampleBudget:
    """What the files beside a page may hold.

    Attributes:
        per_cell: samples of a cell at most.
        listed: samples of all cells at most; each cell gets an equal share, and one at least.
        copied_bytes: recordings copied out of tar and Parquet shards.
        file_bytes: about how large one script file grows.
    """

    per_cell: int = 12
    listed: int = 12_000
    copied_bytes: int = 64_000_000
    file_bytes: int = 250_000

    def share(self, filled_cells: int) -> int:
        """Return how many samples each of so many cells shows."""
        return max(1, min(self.per_cell, self.listed // max(1, filled_cells)))


def sample_measures(columns: Sequence[str]) -> list[Measure]:
    """Return the measures that a source with these columns has."""
    return [Measure(label, unit, digits) for label, unit, digits, column, _, _ in MEASURES if column in columns]


def write_sample_files(
    source: OpenSource, axes: Sequence[Axis], layout: Layout, page: Path, renders: Sequence[int], *, answers: Answers | None = None,
    sentences: Sequence[str | None] | None = None, spreads: Mapping[int, Sequence[Any]] | None = None,
    rejected: Mapping[int, Sequence[Any]] | None = None, budget: SampleBudget | None = None, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Write the files and return the matrix's `drawers`.

    Args:
        source: of the matrix.
        axes: of the matrix, in its order.
        layout: of its grid.
        page: the page's path; the files go into the folder `<stem>-files` beside it.
        renders: how many samples each cell has, row by row.
        answers: what a recogniser heard, for sample ids.
        sentences: one a cell, shown with its samples.
        spreads: of each cell's measured numbers, see `cell_facts.spreads`.
        rejected: see `cell_facts.rejections`.
        budget: what the files may hold.
        seed: of the choice of samples.
    """
    budget = budget or SampleBudget()
    base = f"{page.stem}-files/"
    _clear(page.parent / base)
    columns = [c for m in MEASURES for c in m[3:5] if c in source.columns]
    per_cell = budget.share(sum(count > 0 for count in renders))
    rows = chosen_samples(source, axes, columns, per_cell=per_cell, seed=seed).to_dict("records")
    clean = clean_recordings(source, sorted({str(r["utterance_id"]) for r in rows if r["utterance_id"]}), BASELINE)
    recordings = Recordings(page.parent, base, budget.copied_bytes)
    clean_links = {r["utterance_id"]: recordings.find(r["part"], r["audio_path"])[0] for r in clean.to_dict("records")}
    links = [recordings.find(row["part"], row["audio_path"]) for row in rows]
    pictures = _pictures(recordings, [link for link, _ in links] + list(clean_links.values()))
    heard = answers([str(row["sample_id"]) for row in rows]) if answers else {}
    maker = _SampleMaker(source.columns, clean_links, pictures, heard)
    cells: dict[int, list[tuple[Mapping[Any, Any], tuple[str | None, str]]]] = {}
    place = cell_numbers(layout)
    for row, link in zip(rows, links):
        cells.setdefault(place(row), []).append((row, link))
    drawer_id = hashlib.sha256(json.dumps([layout.row_names, layout.columns, len(rows)]).encode()).hexdigest()[:12]
    note = (
        f"{recordings.left_out:,} recordings inside shards were not copied beside the page."
        if recordings.left_out
        else None
    )
    of: list[int | None] = [None] * len(renders)
    parts = []
    for cell in rejected or {}:  # one of which nothing is left has no samples, and yet something to say
        cells.setdefault(cell, [])
    facts = {
        cell: {
            "of": int(renders[cell]),
            "sentence": sentences[cell] if sentences else None,
            "spreads": (spreads or {}).get(cell),
            "rejected": (rejected or {}).get(cell),
        }
        for cell in cells
    }
    for number, content in enumerate(_parts(cells, maker, facts, budget.file_bytes)):
        for cell in content["cells"]:
            of[int(cell)] = number
        parts.append(f"samples-{number:04d}.js")
        write_whole(page.parent / base / parts[-1], _script(drawer_id, number, content | {"note": note}))
    return {"id": drawer_id, "base": base, "parts": parts, "of": of}


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote here, and nothing else."""
    for old in [*folder.glob("samples-[0-9]*.js"), *(folder / "audio").glob("[0-9][0-9][0-9][0-9][0-9][0-9].*")]:
        old.unlink()


def _pictures(recordings: Recordings, links: Sequence[str | None]) -> dict[str, tuple[str, str]]:
    """Return link -> (peaks, picture); drawn in threads, because decoding releases the interpreter."""
    wanted = sorted({link for link in links if link is not None})
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        drawn = zip(wanted, pool.map(recordings.drawn, wanted))
        return {link: found for link, found in drawn if found is not None}


@dataclass(frozen=True)
class _SampleMaker:
    """Makes the JSON of samples from rows of the manifest."""

    columns: Sequence[str]
    clean_links: Mapping[str, str | None]
    pictures: Mapping[str, tuple[str, str]]
    heard: Mapping[str, Sequence[tuple[str, str | None, str | None]]]

    def sample(self, row: Mapping[Any, Any], link: tuple[str | None, str], clean: list[str]) -> dict[str, Any]:
        """Return one sample; a clean recording that it points to is added to `clean`, a list of links."""
        audio, why = link
        words = self.heard.get(str(row["sample_id"]))
        return {
            "id": _text(row["sample_id"]), "speaker": _text(row["speaker"]), "text": _text(row["text"]),
            "seconds": _number(row["duration_s"], 2), "audio": audio, "why": why or None, **self.picture(audio),
            "measured": [self._measured(row, *m[2:]) for m in MEASURES if m[3] in self.columns],
            "clean": self._clean(row, audio, clean), "words": None if words is None else [list(word) for word in words],
        }  # fmt: skip

    def picture(self, link: str | None) -> dict[str, str | None]:
        """Return the pictures of a recording."""
        found = self.pictures.get(link or "")
        return {"peaks": found[0] if found else None, "picture": found[1] if found else None}

    def _clean(self, row: Mapping[Any, Any], audio: str | None, clean: list[str]) -> int | None:
        link = self.clean_links.get(str(row["utterance_id"]))
        if link is None or link == audio:
            return None
        if link not in clean:
            clean.append(link)
        return clean.index(link)

    def _measured(self, row: Mapping[Any, Any], digits: int, column: str, asked: str | None, factor: float) -> Any:
        value = row[column]
        if isinstance(value, str):
            return value
        number = _number(value, digits + 1, factor)
        wanted = _number(row[asked], digits + 1, factor) if asked in self.columns else None
        return number if wanted is None or number is None else [number, wanted]


def _parts(
    cells: Mapping[int, list[Any]], maker: _SampleMaker, facts: Mapping[int, Mapping[str, Any]], limit: int
) -> Iterator[dict[str, Any]]:
    """Yield the content of one file after another: cells until it is large enough."""
    found: dict[str, Any] = {}
    clean: list[str] = []
    size = 0
    for cell in sorted(cells):
        found[str(cell)] = {**facts[cell], "samples": [maker.sample(row, link, clean) for row, link in cells[cell]]}
        size += len(json.dumps(found[str(cell)]))
        if size > limit:
            yield {"cells": found, "clean": [{"audio": link, **maker.picture(link)} for link in clean]}
            found, clean, size = {}, [], 0
    if found:
        yield {"cells": found, "clean": [{"audio": link, **maker.picture(link)} for link in clean]}


def _script(drawer_id: str, number: int, content: Mapping[str, Any]) -> bytes:
    data = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return (
        f"(window.roomtoneParts || {{ receive() {{}} }}).receive({json.dumps(drawer_id)}, {number}, {data});\n".encode()
    )


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _number(value: Any, digits: int, factor: float = 1) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value) * factor, digits)
