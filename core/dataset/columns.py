"""The columns of a manifest, every one that is written, in the order of the table. Further columns (`attr_*`, a user's own) are kept.

Conventions: durations in seconds, levels in dB, rates in Hz; a label is null where its factor is `none`; paths are relative to
the dataset folder; the accents of a multi-accent speaker are joined with `|`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roomtone.core.vocabulary import FACTORS

if TYPE_CHECKING:
    import pyarrow as pa

    MANIFEST_SCHEMA: pa.Schema

#: The column with the hash over all others; see `row_hash.py`.
ROW_HASH = "row_sha256"
#: Which recordings and realisations were used; several are joined with `|`.
ASSETS = ("noise_asset", "room_asset", "equipment_asset")

#: Column name -> Arrow type name, in the order of the table.
COLUMNS: dict[str, str] = {
    # identity
    **dict.fromkeys(["sample_id", "utterance_id"], "string"),
    **{"replicate": "int32", "seed": "int64"},
    # the file
    **{"audio_path": "string", "sample_rate_hz": "int32", "num_samples": "int64", "duration_s": "float64"},
    "pcm_sha256": "string",
    # the speech
    **{"text": "string", "words": "int32"},
    **dict.fromkeys(["language", "speaker", "accent", "accent_raw", "corpus", "speech_origin"], "string"),
    # the labels
    **dict.fromkeys(["condition", *FACTORS], "string"),
    **dict.fromkeys(["snr_db", "equipment_snr_db", "t60_s", "level_dbov", "effort_db"], "float64"),
    # what was measured on the render
    **dict.fromkeys(["measured_snr_db", "measured_snr_rms_db", "measured_equipment_snr_db"], "float64"),
    **dict.fromkeys(
        ["measured_equipment_snr_long_db", "measured_equipment_snr_loudest_db", "noise_sounding_share"], "float64"
    ),
    **dict.fromkeys(["measured_t30_s", "measured_c50_db", "measured_drr_db"], "float64"),
    "measured_t30_octaves": "string",  # JSON, {centre in Hz: s}
    "measured_two_slopes": "string",  # JSON, {early_s, late_s} of coupled rooms
    **{"measured_codec": "string", "measured_codec_rate_hz": "float64", "measured_codec_kbit_s": "float64"},
    "measured_lost_share": "float64",
    **dict.fromkeys(["frames_lost", "frames_affected"], "int32"),
    **dict.fromkeys(["time_added_s", "time_removed_s"], "float64"),
    "output_snr_db": "float64",
    **dict.fromkeys(["active_level_dbov", "active_level_spread_db", "activity", "clipped_share"], "float64"),
    **dict.fromkeys(["delay_samples", "measured_delay_samples"], "int32"),
    # JSON: [[s in the clean speech, s in the file], …] where no one delay holds; of a talker who walks {start|end: {figure: value}}
    **dict.fromkeys(["time_map", "measured_path_ends"], "string"),
    # why one of these is null where the render could not tell it: JSON, {column: reason}
    "unmeasured": "string",
    # what it was made of
    **dict.fromkeys(ASSETS, "string"),
    "recipe": "string",
    ROW_HASH: "string",
}
#: Columns without which a row stands for nothing.
REQUIRED = frozenset({"sample_id", "utterance_id", "condition"})


def manifest_schema() -> pa.Schema:
    """Return the Arrow schema of the columns above; `MANIFEST_SCHEMA` is the same, built on first use."""
    import pyarrow as pa

    types = {"string": pa.string, "int32": pa.int32, "int64": pa.int64, "float64": pa.float64}
    return pa.schema([pa.field(name, types[kind](), nullable=name not in REQUIRED) for name, kind in COLUMNS.items()])


def __getattr__(name: str) -> Any:
    if name == "MANIFEST_SCHEMA":
        globals()[name] = manifest_schema()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
