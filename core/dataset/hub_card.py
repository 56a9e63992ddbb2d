"""What the Hugging Face hub and its `datasets` library read of a set: the front matter of its card, and features in a Parquet schema.

Front matter is YAML between two lines of three hyphens; its `configs` say which files are the split `test`, so that nothing else in the
folder is taken for data. Field names and values are those of the hub's dataset cards: licences by its own identifiers, sizes in its ranges.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: The split under which every sample stands: a stress-test set is for testing.
SPLIT = "test"
#: Licences that the hub knows, in its own spelling; others are `other` with their name beside it.
_HUB_LICENCES = frozenset(
    [
        "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "unlicense", "cc0-1.0",
        *(f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")),
        *(f"cc-by-sa-{version}" for version in ("3.0", "4.0")), *(f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")),
        *(f"cc-by-nc-sa-{version}" for version in ("2.0", "3.0", "4.0")), *(f"cc-by-nc-nd-{version}" for version in ("3.0", "4.0")),
        "cc-by-nd-4.0",
    ]
)  # fmt: skip
_HUB_NAMES = {"pddl-1.0": "pddl", "odc-by-1.0": "odc-by", "odbl-1.0": "odbl"}
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
#: Arrow type -> the hub's name, where they differ.
_DTYPES = {"double": "float64", "float": "float32", "large_string": "string", "null": "string"}


def front_matter(
    *,
    title: str,
    rows: pd.DataFrame,
    languages: Iterable[str | None],
    licences: Sequence[str | None],
    synthetic: bool,
    files: Mapping[str, Sequence[str]],
    features: Sequence[Mapping[str, Any]] | None = None,
) -> list[str]:
    """Return the lines that open a card, from `---` to `---`.

    Args:
        title: the set's name.
        rows: its samples. `datasets` keeps what it loaded under the folder's name and the card's configurations, and would show a set of
            before to who renders another into a folder of that name: so each configuration says in its description which rows it holds.
        languages: BCP 47 tags of its texts, null ones among them.
        licences: SPDX identifiers of its speech; None where a corpus states none.
        synthetic: whether some of the speech is.
        files: configuration -> patterns of its files, relative to the card; the first is what is loaded by default.
        features: the columns of the first configuration, where its reader cannot tell them from the files.
    """
    import yaml

    described = f"{len(rows):,} samples, content {_content_hash(rows)}"
    content: dict[str, Any] = {"pretty_name": title, **_licence(licences)}
    spoken = sorted({tag.split("-")[0].lower() for tag in languages if isinstance(tag, str) and tag[:2].isalpha()})
    content |= {"language": spoken} if spoken else {}
    content |= {
        "size_categories": [next((name for bound, name in _SIZES if len(rows) < bound), "n>10M")],
        "task_categories": ["automatic-speech-recognition"],
        "tags": ["audio", "speech", "accents", "robustness", "fairness", *(["synthetic"] if synthetic else [])],
        "configs": [
            {"config_name": name, "description": described, "data_files": [{"split": SPLIT, "path": list(patterns)}]}
            | ({"default": True} if number == 0 and len(files) > 1 else {})
            for number, (name, patterns) in enumerate(files.items())
        ],
    }
    if features is not None:
        content["dataset_info"] = {"config_name": next(iter(files)), "features": list(features)}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
    return ["---", *text.rstrip("\n").split("\n"), "---"]


def _content_hash(rows: pd.DataFrame) -> str:
    """Return 16 hex digits that follow from what the rows say, in their order."""
    from pandas.util import hash_pandas_object

    return hashlib.sha256(hash_pandas_object(rows.astype(str), index=False).to_numpy().tobytes()).hexdigest()[:16]


def _licence(licences: Sequence[str | None]) -> dict[str, Any]:
    """Return `license`, and the name of what the hub does not know."""
    names = {licence: _hub_licence(licence) for licence in licences} or {None: "unknown"}
    found = sorted(set(names.values()))
    other = sorted(str(licence) for licence, name in names.items() if name == "other")
    return {"license": found[0] if len(found) == 1 else found} | ({"license_name": ", ".join(other)} if other else {})


def _hub_licence(licence: str | None) -> str:
    if licence is None:
        return "unknown"
    name = licence.lower()
    return _HUB_NAMES.get(name, name if name in _HUB_LICENCES else "other")


def audio_type() -> pa.DataType:
    """Return the Arrow type of a recording inside a table: its bytes, and the name whose ending says how they are coded."""
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def with_features(schema: pa.Schema, sample_rate_hz: int | None) -> pa.Schema:
    """Return a schema with the features that `datasets` looks for in its metadata; a column of nulls holds text.

    Args:
        schema: of the table; the column `audio` is of `audio_type()`.
        sample_rate_hz: of all recordings; None where they differ.
    """
    import pyarrow as pa

    texts = [
        pa.field(field.name, pa.string()) if _dtype(field.type) == "string" else pa.field(field.name, field.type)
        for field in schema
    ]
    features: dict[str, Any] = {
        field.name: {"sampling_rate": sample_rate_hz, "_type": "Audio"}
        if field.name == "audio"
        else {"dtype": _dtype(field.type), "_type": "Value"}
        for field in texts
    }
    return pa.schema(texts, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def webdataset_features(schema: pa.Schema, suffix: str) -> list[dict[str, Any]]:
    """Return the columns that `datasets` makes of tar shards; it would guess them from five samples, and take nulls for a type.

    Args:
        schema: of the manifest, whose row each `json` holds.
        suffix: ending of the recordings' names.
    """
    return [
        {"name": suffix, "dtype": "audio"},
        {"name": "json", "struct": [{"name": field.name, "dtype": _dtype(field.type)} for field in schema]},
        *({"name": name, "dtype": "string"} for name in ("txt", "__key__", "__url__")),
    ]


def _dtype(kind: pa.DataType) -> str:
    return _DTYPES.get(str(kind), str(kind))
