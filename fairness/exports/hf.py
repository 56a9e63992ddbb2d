"""Hugging Face Parquet: audio bytes inside, features declared in the schema, a card with the split's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.fairness.exports.job import ExportJob, write_lines

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_FILE = 2000
_DROPPED = ("audio_path",)


def write(job: ExportJob) -> list[Path]:
    """Write `data/test-…-of-….parquet` and README.md; `datasets.load_dataset(folder)` opens it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (job.to / "data").mkdir(exist_ok=True)
    columns = pa.Table.from_pandas(job.rows.drop(columns=[c for c in _DROPPED if c in job.rows]), preserve_index=False)
    rates = sorted(set(job.rows["sample_rate_hz"].dropna().astype(int)))
    schema = _schema(columns.schema, rates[0] if len(rates) == 1 else None)
    count = -(-len(job.rows) // _ROWS_A_FILE)
    records = list(job.records())
    written = []
    for k in range(count):
        part = slice(k * _ROWS_A_FILE, (k + 1) * _ROWS_A_FILE)
        sound = [{"bytes": job.audio_bytes(row), "path": job.audio_name(row)} for row in records[part]]
        table = columns.slice(part.start, _ROWS_A_FILE).add_column(0, schema.field("audio"), pa.array(sound, _AUDIO()))
        path = job.to / "data" / f"test-{k:05d}-of-{count:05d}.parquet"
        pq.write_table(table.cast(schema), path, row_group_size=100)  # a row group is what a stream loads at once
        written.append(path)
    return [*written, write_lines(job.to / "README.md", _card(job))]


def _AUDIO() -> pa.DataType:  # noqa: N802 - a constant that must not import pyarrow early
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _schema(columns: pa.Schema, rate: int | None) -> pa.Schema:
    """Return the schema with the features in its metadata, where the datasets library looks for them."""
    import pyarrow as pa

    fields = [pa.field("audio", _AUDIO())] + [
        pa.field(f.name, pa.string() if pa.types.is_large_string(f.type) or pa.types.is_null(f.type) else f.type)
        for f in columns
    ]
    features: dict[str, Any] = {"audio": {"sampling_rate": rate, "_type": "Audio"}}
    features |= {f.name: {"dtype": _dtype(f.type), "_type": "Value"} for f in fields[1:]}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _dtype(kind: pa.DataType) -> str:
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))


def _card(job: ExportJob) -> list[str]:
    origins = (
        ", ".join(sorted(set(job.rows["speech_origin"].dropna()))) if "speech_origin" in job.rows else "not stated"
    )
    return [
        "---", "configs:", "- config_name: default", "  data_files:", "  - split: test", "    path: data/test-*", "task_categories:",
        "- automatic-speech-recognition", "---", "",
        f"{len(job.rows)} samples of a Roomtone stress-test set: one utterance under one acoustic condition each. Speech: {origins}.",
        "`accent`, `condition` and its factors are labels; `measured_…` columns were measured on the very file.",
    ]  # fmt: skip
