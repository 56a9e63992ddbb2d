"""Prints how pocketsphinx, with the grammar of the orders, reads the demo corpus: word error rate by accent.

    python bench/demo_wer.py [DEMO_DIR]

These figures are about synthetic voices and one recogniser; they show that a pipeline measures something, not how people fare.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import jiwer
import numpy as np
import soundfile
from pocketsphinx import Decoder

from roomtone.augment import corpora


def main(home: Path) -> None:
    """Transcribe every recording of a demo folder and print a line an accent."""
    grammar = Path(corpora.__file__).parent / "demo_data" / "ward_orders.gram"
    decoder = Decoder(jsgf=str(grammar), loglevel="FATAL")
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with open(home / "table.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pairs[row["accent"]].append((row["text"], _transcribe(decoder, home / row["audio"])))
    print(f"{'accent':<15} {'words':>5} {'WER %':>6} {'sentences right':>16}")
    for accent, both in [*sorted(pairs.items()), ("all", [pair for found in pairs.values() for pair in found])]:
        references, hypotheses = zip(*both)
        words = sum(len(text.split()) for text in references)
        right = sum(a == b for a, b in both)
        print(
            f"{accent:<15} {words:>5} {100 * jiwer.wer(list(references), list(hypotheses)):6.1f} {right:>9} of {len(both)}"
        )


def _transcribe(decoder: Decoder, path: Path) -> str:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    decoder.start_utt()
    decoder.process_raw(np.asarray(samples).tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(corpora.__file__).parent / "demo_data")
