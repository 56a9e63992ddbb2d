"""Croissant metadata of a set: `croissant.json`, the MLCommons vocabulary (version 1.0) by which data sets are found and loaded.

It names the manifest's parts with their hashes, the audio files, and every column of the manifest with its type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.licences import licence_notes, set_licences
from roomtone.augment.output.imbalance import imbalances
from roomtone.augment.output.responsible_ai import RAI_CONFORMS_TO, rai_fields
from roomtone.augment.output.rows import containers_of, counted_rows
from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.dataset.containers import CONTAINERS

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "samplingRate": "cr:samplingRate",
    "equivalentProperty": "cr:equivalentProperty",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(dataset: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a finished set.

    Args:
        dataset: the set's folder.
        state: its `dataset.json`.

    Raises:
        RoomtoneError: the folder holds no manifest.
    """
    import pyarrow.parquet as pq

    from roomtone.core.dataset.manifest import manifest_parts

    parts = [Path(part) for part in manifest_parts(dataset)]
    columns: dict[str, str] = {}
    for part in parts:
        with open_regular(part) as file:
            schema = pq.read_schema(file)
        for column in schema:
            columns.setdefault(column.name, _data_type(str(column.type)))
    corpora = [run["config"]["corpus"] for run in state["runs"]]
    licences = set_licences(dataset)
    metadata: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [CONFORMS_TO, RAI_CONFORMS_TO],
        "name": str(state["name"]),
        "description": _description(state, corpora),
        "license": [licence or "not stated" for licence in licences],
        "creator": {"@type": "sc:Organization", "name": "; ".join(_credits(corpora)) or "not stated"},
        "citeAs": "; ".join(_credits(corpora)) or "not stated",
        "version": _version(state),
        "distribution": [*(_part(dataset, part) for part in parts), _manifest(parts), _audio(state)],
        "recordSet": [_record_set(columns)],
    }
    rows = counted_rows(dataset)
    origins = set(rows["speech_origin"].dropna())
    attributes = [
        name.removeprefix("attr_")
        for name in map(str, rows.columns)
        if name.startswith("attr_") and name != "attr_licence"
    ]
    metadata |= rai_fields(state["runs"], origins, imbalances(rows), attributes)
    if notes := licence_notes(licences):
        metadata["usageInfo"] = " ".join(notes)
    return metadata


def _description(state: Mapping[str, Any], corpora: list[Mapping[str, Any]]) -> str:
    counts = state["counts"]
    names = sorted({str(corpus.get("name") or corpus["reader"]) for corpus in corpora})
    return (
        f"A Roomtone stress-test set: {counts['rendered']} renders of speech from {', '.join(names)} under simulated acoustic "
        "conditions, each with the labels that were measured on that very file and the recipe that makes it again."
    )


def _credits(corpora: list[Mapping[str, Any]]) -> list[str]:
    return sorted({str(corpus["attribution"]) for corpus in corpora if corpus.get("attribution")})


def _version(state: Mapping[str, Any]) -> str:
    """Return major.minor.patch, as the vocabulary asks: the format's version, and how many runs the set has."""
    return f"{state['format_version']}.{len(state['runs'])}.0"


def _part(dataset: Path, part: Path) -> dict[str, Any]:
    with open_regular(part) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": part.stem,
        "name": part.name,
        "contentUrl": part.relative_to(dataset).as_posix(),
        "contentSize": f"{part.stat().st_size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": digest,
    }


def _audio(state: Mapping[str, Any]) -> dict[str, Any]:
    containers = [CONTAINERS[name] for name in sorted(containers_of(state))]
    return {
        "@type": "cr:FileSet",
        "@id": "audio",
        "name": "audio",
        "description": "The rendered recordings; the column audio_path names them relative to the set.",
        "encodingFormat": sorted({container.media_type for container in containers}),
        "includes": sorted({container.files for container in containers}),
    }


def _manifest(parts: list[Path]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": "manifest",
        "name": "manifest",
        "encodingFormat": "application/x-parquet",
        "includes": "manifest/part-*.parquet",
    }


def _record_set(columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "One row a rendered file.",
        "key": {"@id": "samples/sample_id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"samples/{name}",
                "name": name,
                "dataType": kind,
                "source": {"fileSet": {"@id": "manifest"}, "extract": {"column": name}},
            }
            for name, kind in columns.items()
        ],
    }


def _data_type(arrow: str) -> str:
    kinds = {
        "string": "sc:Text",
        "large_string": "sc:Text",
        "double": "sc:Float",
        "float": "sc:Float",
        "bool": "sc:Boolean",
    }
    return kinds.get(arrow, "sc:Integer" if "int" in arrow else "sc:Text")
