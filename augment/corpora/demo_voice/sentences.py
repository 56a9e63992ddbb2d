"""What the demo corpus says: twelve ward orders and four longer sentences, each a sentence of `ward_orders.gram`.

A comma is a short pause; it stands in what is spoken and not in the transcript. Every accent reads all sixteen sentences:
each of its eight speakers reads two of them: two orders, or an order and a longer sentence.
"""

from __future__ import annotations

SENTENCES = (
    "give ten milligrams of morphine every hour",
    "check the blood pressure in bed seven every morning",
    "call the surgeon to room twelve right away",
    "hold the heparin until tomorrow",
    "raise the oxygen to four liters",
    "move the patient in bed nine to surgery tonight",
    "give twenty units of insulin before meals",
    "check the temperature in bed three every two hours",
    "call the night nurse to room eleven tonight",
    "lower the drip rate to thirty drops a minute",
    "hold the aspirin until the scan",
    "give five drops of saline every evening",
    "give her half a glass of water after the bath, and call the doctor before noon",
    "the patient in room three has a fever, and needs thirty drops of saline every hour",
    "check the pulse in bed four every two hours, and call the night nurse at once",
    "move the bed through the north door to surgery, and hold the penicillin until tomorrow",
)
SPEAKERS_AN_ACCENT = 8


def transcript(sentence: str) -> str:
    """Return the words of a sentence without its commas.

    >>> transcript("check the pulse, and call the nurse")
    'check the pulse and call the nurse'
    """
    return sentence.replace(",", "")


def sentences_of(accent: int, speaker: int) -> range:
    """Return the indices of the sentences that the n-th speaker of the m-th accent reads, both counted from 0.

    From accent to accent the sentences move on by a speaker, so that men and women read all of them.

    Args:
        accent: its number, from 0.
        speaker: the number within the accent, from 0.

    >>> list(sentences_of(0, 1)), list(sentences_of(1, 1))
    ([1, 9], [2, 10])
    """
    return range((accent + speaker) % SPEAKERS_AN_ACCENT, len(SENTENCES), SPEAKERS_AN_ACCENT)
