"""Hugging Face Parquet: audio bytes inside, features declared in the schema, a card with the split's place."""

from __future__ import annotations

from pathlib import Path

from roomtone.core.dataset.hub_card import audio_type, front_matter, with_features
from roomtone.fairness.exports.job import ExportJob, write_lines

_ROWS_A_FILE = 2000
_DROPPED = ("audio_path",)


def write(job: ExportJob) -> list[Path]:
    """Write `data/test-…-of-….parquet` and README.md; `datasets.load_dataset(folder)` opens it.

    Args:
        job: what is exported.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    (job.to / "data").mkdir(exist_ok=True)
    columns = job.table([name for name in map(str, job.rows.columns) if name not in _DROPPED])
    rates = sorted(set(job.rows["sample_rate_hz"].dropna().astype(int)))
    audio = pa.field("audio", audio_type())
    schema = with_features(pa.schema([audio, *columns.schema]), rates[0] if len(rates) == 1 else None)
    count = -(-len(job.rows) // _ROWS_A_FILE)
    records = list(job.records())
    written = []
    for k in range(count):
        part = slice(k * _ROWS_A_FILE, (k + 1) * _ROWS_A_FILE)
        sound = [{"bytes": job.audio_bytes(row), "path": job.audio_name(row)} for row in records[part]]
        table = columns.slice(part.start, _ROWS_A_FILE).add_column(0, audio, pa.array(sound, audio.type))
        path = job.to / "data" / f"test-{k:05d}-of-{count:05d}.parquet"
        pq.write_table(table.cast(schema), path, row_group_size=100)  # a row group is what a stream loads at once
        written.append(path)
    return [*written, write_lines(job.to / "README.md", _card(job))]


def _card(job: ExportJob) -> list[str]:
    """Return the card: front matter as the set's own card has it, and what the columns are."""
    found = {
        name: set(job.rows[name].dropna()) for name in ("speech_origin", "language", "attr_licence") if name in job.rows
    }
    origins = found.get("speech_origin", set())
    unstated = "attr_licence" not in job.rows or bool(job.rows["attr_licence"].isna().any())
    return [
        *front_matter(
            title=job.dataset.resolve().name,
            rows=job.rows,
            languages=found.get("language", set()),
            licences=[*sorted(found.get("attr_licence", set())), *([None] if unstated else [])],
            synthetic="synthetic" in origins,
            files={"default": ["data/test-*.parquet"]},
        ),
        "",
        f"{len(job.rows)} samples of a Roomtone stress-test set: one utterance under one acoustic condition each. "
        f"Speech: {', '.join(sorted(origins)) or 'not stated'}.",
        "`accent`, `condition` and its factors are labels; `measured_…` columns were measured on the very file.",
    ]
