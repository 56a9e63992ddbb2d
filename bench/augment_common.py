"""What the benches of rendering share: a corpus of a stated size, sounds to play, and configurations as the command composes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import lfilter

RATE_HZ = 16000


def make_sounds(folder: Path) -> None:
    """Write one impulse response, eight recordings of two minutes of each of two backgrounds, and presets that play them."""
    rng = np.random.default_rng(5)
    response, near, far = folder / "room" / "response", folder / "noise" / "near", folder / "equipment" / "far"
    for home in (response, near, far):
        home.mkdir(parents=True, exist_ok=True)
    tail = rng.normal(size=RATE_HZ // 2) * np.exp(-np.arange(RATE_HZ // 2) / (0.4 * RATE_HZ / 6.91))
    decay = np.concatenate([[1.0], 0.05 * tail]).astype(np.float32)
    soundfile.write(response / "room.wav", decay, RATE_HZ, subtype="FLOAT")
    for home, pole in ((near, 0.9), (far, 0.5)):
        for number in range(8):
            noise = lfilter([1.0], [1.0, -pole], rng.normal(size=120 * RATE_HZ))
            noise *= 0.1 / np.abs(noise).max()
            soundfile.write(home / f"noise-{number}.wav", noise, RATE_HZ, subtype="PCM_16")
    presets = {
        "room/measured": "op: recorded_room\npath: response\n",
        "noise/near": "op: recordings\npath: near\n",
        "equipment/far": "op: recording\npath: far\n",
        "handset/band": "op: band_pass\nlow_hz: 300.0\nhigh_hz: 3400.0\n",
    }
    for name, text in presets.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_corpus(folder: Path, utterances: int, seconds: float) -> Path:
    """Write so many utterances of the bundled corpus, joined or cut to a length, each one's samples its own; return the table."""
    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.reading import read_audio

    folder.mkdir(parents=True, exist_ok=True)
    bundled = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    voices = [read_audio(u.audio, RATE_HZ) for u in bundled]
    rows = []
    for i in range(utterances):
        joined = np.concatenate([voices[(i + k) % len(voices)] for k in range(int(seconds // 2) + 2)])
        speech = joined[(i % 50) * 8 :][: int(seconds * RATE_HZ)]
        name = f"u{i:05d}.flac"
        soundfile.write(folder / name, speech, RATE_HZ, subtype="PCM_16")
        source = bundled[i % len(bundled)]
        rows.append({"audio": name, "text": source.text, "speaker": source.speaker, "accent": source.accent})
    table = folder / "table.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return table


#: Room, two backgrounds and a band pass, in twelve conditions beside clean.
STAGES = (
    "scenario.factors.room=[measured]",
    "scenario.factors.noise=[near@0dB,near@5dB,near@10dB,near@15dB]",
    "scenario.factors.equipment=[far@0dB,far@5dB,far@10dB]",
    "scenario.factors.handset=[band]",
)


def overrides(table: Path, out: Path, *more: str) -> list[str]:
    """Return the command line's overrides of a run."""
    return ["corpus=table", f"corpus.path={table}", "design=full", f"output.dir={out}", *more]


def configure(words: list[str], presets: str | None = None) -> dict[str, Any]:
    """Return the configuration that the command would compose."""
    from roomtone.cli.arguments import Arguments
    from roomtone.cli.commands.generate import plain
    from roomtone.cli.compose import compose_config

    return plain(compose_config(Arguments(tuple(words), presets, None), "generate"))
