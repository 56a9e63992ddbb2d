"""What every format is written from, and the few things that several of them do alike."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.dataset.manifest import common_schema, manifest_parts, read_manifest
from roomtone.core.dataset.sample_bytes import sample_bytes
from roomtone.core.errors import RoomtoneError
from roomtone.fairness.results import read_evaluation
from roomtone.fairness.scoring.normalize import normalizer_for, plainest, tokenizer_for

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Columns that say what a sample is; formats with free fields carry these and every `attr_*`.
LABELS = (
    "accent", "accent_raw", "condition", "room", "noise", "equipment", "handset", "snr_db", "equipment_snr_db", "t60_s",
    "measured_snr_db", "measured_t30_s", "measured_c50_db", "measured_drr_db", "corpus", "speech_origin", "utterance_id", "replicate",
    "pcm_sha256",
)  # fmt: skip


@dataclass(frozen=True)
class ExportJob:
    """Rows of the manifest with scores and hypotheses beside them where the set has been evaluated; sorted by sample id."""

    rows: pd.DataFrame
    dataset: Path
    to: Path
    normalizer: str
    evaluated: bool

    def records(self) -> Iterable[dict[str, Any]]:
        """Yield each row in plain Python types, null as None."""
        for row in self.rows.to_dict("records"):
            yield {str(key): plain(value) for key, value in row.items()}

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of the rows as an Arrow table, in the manifest's types also where every value is null.

        Args:
            columns: names in `rows`.
        """
        import pyarrow as pa

        known = common_schema(manifest_parts(self.dataset))
        arrays = []
        for name in columns:
            kind = known.field(name).type if name in known.names else None
            array = pa.array(self.rows[name], type=kind, from_pandas=True)
            arrays.append(array.cast(pa.string()) if _is_text(array.type) else array)
        return pa.table(arrays, names=list(columns))

    def audio_bytes(self, row: Mapping[str, Any]) -> bytes:
        """Return a row's encoded recording, from its file or from its shard.

        Args:
            row: of the manifest.

        Raises:
            RoomtoneError: the path leaves the dataset folder, or there is no such file or member.
        """
        if not row.get("audio_path"):
            raise RoomtoneError(
                f"{self.dataset}: the row of sample {row['sample_id']} has no audio_path, and so no recording"
            )
        return sample_bytes(self.dataset, str(row["audio_path"]))

    def audio_name(self, row: Mapping[str, Any]) -> str:
        """Return the file name of a row's recording.

        Args:
            row: of the manifest.
        """
        return Path(str(row["audio_path"]).rpartition("#")[2]).name

    def audio(self, row: Mapping[str, Any]) -> Path:
        """Return the absolute path of a row's recording; one out of a shard is copied to `audio/` below the export.

        Args:
            row: of the manifest.

        Raises:
            RoomtoneError: as `audio_bytes`.
        """
        data, path = self.audio_bytes(row), str(row["audio_path"])
        if "#" not in path:
            return (self.dataset / path).resolve()
        copy = self.to / "audio" / self.audio_name(row)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
        return copy.resolve()

    def words(self, row: Mapping[str, Any], text: Any) -> str:
        """Return a text as it is scored, its figures in their plainest reading, words parted by spaces.

        Args:
            row: whose language chooses the normaliser.
            text: reference or hypothesis, or null.
        """
        language = row.get("language")
        tokenizer = tokenizer_for(self.normalizer, language if isinstance(language, str) else None)
        return " ".join(plainest(tokenizer.tokens(str(text or ""))))

    def labels(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the labels and attributes of a row, those that are null left out.

        Args:
            row: of the manifest.
        """
        return {k: v for k, v in row.items() if (k in LABELS or k.startswith("attr_")) and v is not None}


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_null(kind) or pa.types.is_large_string(kind))


def prepare_job(dataset: Path, to: Path, normalizer_name: str) -> ExportJob:
    """Return the job for a dataset folder.

    Args:
        dataset: folder of the set.
        to: folder to write.
        normalizer_name: of `NORMALIZERS`, or `auto`.

    Raises:
        RoomtoneError: no set there, no samples in it, or an unknown normaliser.
    """
    rows = read_manifest(dataset).sort_values("sample_id", ignore_index=True)
    if rows.empty:
        raise RoomtoneError(f"{dataset}: the set holds no samples")
    found = read_evaluation(dataset)
    if found is not None:
        rows = rows.merge(found[[c for c in found if c == "sample_id" or c not in rows]], on="sample_id", how="left")
    normalizer_for(normalizer_name, None)
    return ExportJob(rows, dataset, to, normalizer_name, found is not None)


def plain(value: Any) -> Any:
    """Return a cell as a plain Python value; NaN, NA and NaT are None.

    Args:
        value: of a cell of the manifest.
    """
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write one text a line and return the path.

    Args:
        path: of the file.
        lines: without their line ends.
    """
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write one mapping a line and return the path; JSON has no NaN, so one is an error.

    Args:
        path: of the file.
        rows: of plain JSON types.
    """
    return write_lines(path, (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows))


#: Characters of a name that `Names` gives, so that it can name a file.
_LONGEST_NAME = 80


class Names:
    """Gives names of letters, digits and underscores to labels; two labels never get the same one.

    The hyphen stays free to part names, and sorts before all of these characters.
    """

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()
        self._last: Counter[str] = Counter()

    def of(self, text: str) -> str:
        """Return the name of a label, the same each time.

        Args:
            text: any label.
        """
        if text not in self._given:
            base = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:_LONGEST_NAME] or "x"
            name = base
            while name in self._taken:
                self._last[base] += 1
                name = f"{base}_{self._last[base] + 1}"
            self._taken.add(name)
            self._given[text] = name
        return self._given[text]
