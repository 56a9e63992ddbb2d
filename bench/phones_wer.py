"""Prints what two real recognisers make of the demo corpus behind the handsets of 2026 and behind the older ones, by accent.

    pip install '.[asr,demo-voice,phones]' jiwer
    nice python -P bench/phones_wer.py CACHE_DIR [UTTERANCES]

UTTERANCES of each accent (default 2), from different speakers, go through each handset in quiet and in a crowd at 10 dB. The
recognisers are those of `demo_wer.py`: PocketSphinx with the grammar of the sentences, and Whisper tiny.en. No preset is tuned to what
this prints. The voices are synthetic, and an accent has some 20 words: one word is 5 points, so single cells say little.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import soundfile

from roomtone.augment import DEMO_FOLDER, Condition

sys.path.insert(0, str(Path(__file__).parent))

from demo_wer import pocketsphinx_recogniser, whisper_recogniser

OLD = ("smartphone_arm", "laptop_far", "headset", "speakerphone", "gsm_loss", "voip_opus_loss")
NEW = (
    "smartphone_2026",
    "smartphone_jitter",
    "voip_opus_jitter",
    "laptop_meeting",
    "earbuds_bluetooth",
    "earbuds_le_audio",
    "smart_speaker_far",
    "car_kit",
)
HANDSETS = ("none", *OLD, *NEW)
NOISES = {"in quiet": "none", "in a crowd at 10 dB": "crowd@10dB"}
#: accent -> one row an utterance of (errors, words) by recogniser, noise and handset
Counts = dict[tuple[str, str, str], dict[str, list[tuple[int, int]]]]


def main(cache: Path, each: int) -> None:
    """Render, recognise, and print one Markdown table a recogniser and background.

    Args:
        cache: where Whisper's files are, or come to.
        each: utterances of each accent.
    """
    recognisers = {
        "Whisper tiny.en": whisper_recogniser(cache),
        "PocketSphinx, grammar": pocketsphinx_recogniser(str(DEMO_FOLDER / "ward_orders.gram")),
    }
    rows = list(_chosen(each))
    begun = time.process_time()
    counts: Counts = {}
    for noise_name, noise in NOISES.items():
        for handset in HANDSETS:
            condition = Condition(noise=noise, handset=handset)
            for row in rows:
                samples, rate = soundfile.read(DEMO_FOLDER / row["audio"], dtype="float32")
                heard = condition(samples, rate, key=row["id"])
                for name, recognise in recognisers.items():
                    found = jiwer.process_words(row["text"], recognise(heard))
                    errors = found.substitutions + found.deletions + found.insertions
                    cell = counts.setdefault((name, noise_name, handset), {}).setdefault(row["accent"], [])
                    cell.append((errors, len(row["text"].split())))
    print(f"{len(rows)} utterances, {len(HANDSETS)} handsets: {time.process_time() - begun:.0f} s of processor time.")
    for name in recognisers:
        for noise_name in NOISES:
            print(f"\n{name}, {noise_name}, WER in %:\n")
            _print_table({handset: counts[name, noise_name, handset] for handset in HANDSETS})


def _chosen(each: int) -> Iterator[dict[str, str]]:
    """Yield so many rows of each accent, spread over its speakers and sentences."""
    with open(DEMO_FOLDER / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for index, accent in enumerate(sorted({row["accent"] for row in rows})):
        own = [row for row in rows if row["accent"] == accent]
        yield from (own[(index + k * len(own) // each) % len(own)] for k in range(each))


def _print_table(by_handset: dict[str, dict[str, list[tuple[int, int]]]]) -> None:
    accents = list(by_handset["none"])
    print(f"| accent | words | {' | '.join(by_handset)} |")
    print("|---|--:|" + "--:|" * len(by_handset))
    for accent in accents:
        cells = [_wer(cell[accent])[0] for cell in by_handset.values()]
        words = sum(count for _, count in by_handset["none"][accent])
        print(f"| {accent} | {words} | {' | '.join(f'{wer:.0f}' for wer in cells)} |")
    everything = [[pair for accent in accents for pair in cell[accent]] for cell in by_handset.values()]
    totals = [f"{wer:.0f} ± {error:.0f}" for wer, error in map(_wer, everything)]
    print(f"| all | {sum(count for _, count in everything[0])} | {' | '.join(totals)} |")
    shares = {
        kind: np.mean([_wer(all_)[0] for name, all_ in zip(by_handset, everything, strict=True) if name in names])
        for kind, names in (("older", OLD), ("2026", NEW))
    }
    print(f"\nMean over handsets: {', '.join(f'{kind} {share:.1f} %' for kind, share in shares.items())}.")


def _wer(pairs: list[tuple[int, int]]) -> tuple[float, float]:
    """Return the WER of (errors, words) an utterance, and its standard error over utterances, both in percent."""
    errors, words = np.array(pairs, dtype=float).T
    rate = errors.sum() / words.sum()
    spread = np.sqrt(np.sum((errors - rate * words) ** 2) * len(pairs) / max(len(pairs) - 1, 1)) / words.sum()
    return 100 * rate, 100 * float(spread)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
