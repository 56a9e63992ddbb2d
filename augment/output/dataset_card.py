"""The dataset card: what a set holds, how it was made, and what it cannot show; written by the tool, never by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roomtone.augment.corpora.licences import credit_lines, set_licences
from roomtone.augment.output.imbalance import imbalances
from roomtone.augment.output.responsible_ai import limits
from roomtone.augment.output.rows import containers_of, counted_rows
from roomtone.augment.output.sparse_noise import COLUMNS as SPARSE_NOISE_COLUMNS
from roomtone.augment.output.sparse_noise import sparse_noises
from roomtone.core.dataset.containers import loaded_files
from roomtone.core.dataset.hub_card import SPLIT, front_matter, webdataset_features
from roomtone.core.dataset.manifest import common_schema, manifest_parts
from roomtone.core.printable import markdown_code, markdown_text


def dataset_card(dataset: str, state: Mapping[str, Any]) -> str:
    """Return the set's README.md, from its manifest and its `dataset.json`.

    Args:
        dataset: the set's folder or URL.
        state: its `dataset.json`.
    """
    rows = counted_rows(dataset, "corpus", "language", "sample_id", "pcm_sha256", *SPARSE_NOISE_COLUMNS)
    origins = set(rows["speech_origin"].dropna())
    counts = state["counts"]
    lines = [
        *_front_matter(dataset, state, rows),
        "",
        f"# {markdown_text(state['name'])}: a Roomtone stress-test set",
        "",
        f"{len(rows):,} renders of {rows['utterance_id'].nunique():,} utterances by {_speakers(rows)} in "
        f"{rows['condition'].nunique():,} conditions, {rows['duration_s'].sum() / 3600:.2f} hours. "
        f"{_reconciled(counts)}",
        *_systematic(state),
        "",
        "## What it holds",
        "",
        "| accent | speakers | utterances | renders | minutes |",
        "|---|--:|--:|--:|--:|",
        *_accent_rows(rows),
        "",
        f"Corpora: {', '.join(f'{markdown_code(name)}' for name in sorted(set(rows['corpus'].dropna())))}. "
        f"Conditions: {', '.join(f'`{name}`' for name in sorted(set(rows['condition'])))}.",
        "",
        "Renders of one utterance are copies of one utterance; the table counts utterances and speakers beside them.",
        "",
        "## What is uneven",
        "",
        *(f"- {markdown_text(line)}" for line in imbalances(rows)),
        *(f"- {markdown_text(line[0].upper() + line[1:])}." for line in sparse_noises(rows)),
        "",
        "## How to load it",
        "",
        *_loading(state),
        "",
        "## How it was made",
        "",
        *_made(state),
        "",
        "Every row of `manifest/` holds what was asked, what was measured on that very file, and the recipe that makes the same",
        "samples again. `roomtone verify dataset=DIR` checks it; the run is repeated by",
        "`roomtone generate --config-dir DIR --config-name config output.dir=again`.",
        "",
        "## Whom to credit",
        "",
        *_credits(dataset, state),
        "",
        "## What it cannot show",
        "",
        *(f"- {line}" for line in limits(origins)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _reconciled(counts: Mapping[str, int]) -> str:
    """Return planned, rendered and rejected samples in a sentence."""
    rejected = f"rejected {counts['rejected']:,}{' (see `rejected/`)' if counts['rejected'] else ''}"
    if not counts.get("not_reached"):
        return f"Planned {counts['planned']:,}, rendered {counts['rendered']:,}, {rejected}."
    return (
        f"Planned {counts['planned']:,}, rendered {counts['rendered']:,}, {rejected}, not reached {counts['not_reached']:,}: "
        "the run stopped because more samples were rejected than `max_rejected` allows."
    )


def _systematic(state: Mapping[str, Any]) -> list[str]:
    """Return the levels that fail on most of their samples, one paragraph each."""
    found = [sentence for run in state["runs"] for sentence in run.get("systematic", ())]
    return [line for sentence in dict.fromkeys(found) for line in ("", f"Systematic: {markdown_text(sentence)}.")]


def _speakers(rows: Any) -> str:
    count = rows["speaker"].nunique()
    unknown = int(rows["speaker"].isna().sum())
    return f"{count:,} speakers" + (f" ({unknown:,} renders name no speaker)" if unknown else "")


def _accent_rows(rows: Any) -> list[str]:
    lines = []
    for accent, mine in rows.assign(accent=rows["accent"].fillna("(unknown)")).groupby("accent", sort=True):
        lines.append(
            f"| {markdown_text(accent)} | {mine['speaker'].nunique()} | {mine['utterance_id'].nunique()} | {len(mine)} | "
            f"{mine['duration_s'].sum() / 60:.1f} |"
        )
    return lines


def _made(state: Mapping[str, Any]) -> list[str]:
    lines = []
    for number, run in enumerate(state["runs"]):
        config = run["config"]
        lines.append(
            f"- Run {number + 1}: scenario {markdown_code(config['scenario']['name'])}, design {markdown_code(config['design']['name'])}, "
            f"corpus {markdown_code(config['corpus'].get('reader'))}, seed {run['seed']}, {config['sample_rate_hz']} Hz, "
            f"draws {config.get('draws', 'independent')}, "
            f"configuration {run['config_hash'][:12]}; "
            + ", ".join(f"{name} {version}" for name, version in sorted(run["versions"].items()))
            + "."
        )
    return lines


def _credits(dataset: str, state: Mapping[str, Any]) -> list[str]:
    return credit_lines(dataset, [run["config"]["corpus"] for run in state["runs"]]) + _recorded_material(state)


def _recorded_material(state: Mapping[str, Any]) -> list[str]:
    """Return where recorded noises, machines, rooms and devices come from, and what known noise corpora ask."""
    from roomtone.augment.corpora.licences import licence_notes
    from roomtone.augment.recordings.layouts import LICENCES

    lines, licences = [], []
    for run in state["runs"]:
        for factor, presets in run["config"].get("presets", {}).items():
            for name, preset in presets.items():
                if str(preset.get("op", "")).startswith("record"):
                    lines.append(
                        f"- {factor} {markdown_code(name)}: {markdown_text(preset.get('source') or 'no source was stated')}."
                    )
                if preset.get("kind") in LICENCES:
                    licences.append(LICENCES[preset["kind"]][1])
    return list(dict.fromkeys(lines + [f"- {note}" for note in licence_notes(licences)]))


def _front_matter(dataset: str, state: Mapping[str, Any], rows: Any) -> list[str]:
    """Return the YAML by which the hub lists the set and `datasets` loads it."""
    files = loaded_files(containers_of(state))
    tar = next(iter(files.values()))[0].endswith(".tar")
    return front_matter(
        title=str(state["name"]),
        rows=rows,
        languages=set(rows["language"].dropna()),
        licences=set_licences(dataset),
        synthetic="synthetic" in set(rows["speech_origin"].dropna()),
        files=files,
        features=webdataset_features(common_schema(manifest_parts(dataset)), "flac") if tar else None,
    )


def _loading(state: Mapping[str, Any]) -> list[str]:
    """Return how to open the set in Python."""
    configurations = loaded_files(containers_of(state))
    lines = [
        "    from datasets import load_dataset",
        *(
            f'    samples = load_dataset("DIR", {"" if name == "default" else f"{name!r}, "}split="{SPLIT}")'
            for name in configurations
        ),
        "",
    ]
    every = [files[0] for files in configurations.values()]
    if all(first.endswith(".tar") for first in every):
        lines.append("Each sample holds the recording as `flac`, all labels as `json` and the text as `txt`.")
    else:
        lines.append("Each sample holds the recording as `audio` with its text and all labels.")
    if not all(first.endswith("-*.parquet") for first in every):
        lines.append(
            "`datasets` from version 4.0 on needs `torch` and `torchcodec` for this container (`datasets[audio]`); "
            "lighter: `pip install 'datasets<4' soundfile librosa`."
        )
    return lines
