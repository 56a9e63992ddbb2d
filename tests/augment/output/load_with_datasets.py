"""Run by the interpreter that has `datasets`: prints what `load_dataset` makes of the folders named, as JSON.

The fifth argument on are folders; nothing of Roomtone is imported, as it is not where others load a set.
"""

import hashlib
import io
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_DATASETS_CACHE"] = sys.argv[1]

import datasets
import soundfile


def loaded(folder: str) -> dict:
    found = datasets.load_dataset(folder)
    samples = found["test"]
    audio = next(name for name, feature in samples.features.items() if isinstance(feature, datasets.Audio))
    rows = []
    # decode=False gives the bytes as they are; decoding by the library itself is asked for once below
    for row in samples.cast_column(audio, datasets.Audio(decode=False)):
        encoded = row.pop(audio)
        data = encoded["bytes"] if encoded["bytes"] is not None else Path(encoded["path"]).read_bytes()
        pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        rows.append(row | {"_pcm": hashlib.sha256(pcm.astype("<i2").tobytes()).hexdigest(), "_rate": rate})
    first = samples[0][audio]
    return {
        "splits": list(found),
        "audio": audio,
        "features": {name: str(getattr(feature, "dtype", feature)) for name, feature in samples.features.items()},
        "rows": rows,
        "decoded": [len(first["array"]), first["sampling_rate"]],
    }


print(json.dumps({folder: loaded(folder) for folder in sys.argv[2:]}))
